"""What cannot be done is told, later tried again where that may help, and never with a secret."""

import asyncio
import socket
import time
import traceback

import pytest

from reconciler.adapters.github.credentials import App, Credentials, Token
from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.ports.pull_requests import PullRequestsError, State
from tests.adapters.github.conftest import PERMISSIONS, opened
from tests.github.stand_in import StandIn

MARKER = "<!-- sharepack plan -->"


async def refused(pulls: GitHubPullRequests, number: int = 1) -> PullRequestsError:
    with pytest.raises(PullRequestsError) as caught:
        await pulls.get(number)
    return caught.value


def signed_in(github: StandIn, credentials: Credentials, patience: float = 4.0) -> GitHubPullRequests:
    return GitHubPullRequests.open(github.repository, credentials, github.api_url, patience=patience)


def with_token(github: StandIn, permissions: dict[str, str]) -> GitHubPullRequests:
    return signed_in(github, Token(github.workflow_token(permissions)))


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_in_trouble_is_asked_again(github: StandIn, pulls: GitHubPullRequests, status: int) -> None:
    number = opened(github)
    github.fail("/pulls/", status=status)
    assert (await pulls.get(number)).number == number


async def test_a_lost_connection_is_made_again(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.drop("/pulls/")
    assert (await pulls.get(number)).number == number


async def test_a_server_that_stays_in_trouble_is_told_as_passing(github: StandIn, pulls: GitHubPullRequests) -> None:
    github.fail("/pulls/", status=502, times=9)
    error = await refused(pulls)
    assert error.is_passing
    assert "HTTP 502" in str(error)


async def test_nobody_there(unused_port: int) -> None:
    pulls = GitHubPullRequests.open("acme/packs", Token("ghs_x"), f"http://127.0.0.1:{unused_port}", patience=0.1)
    error = await refused(pulls)
    assert error.is_passing
    assert "no answer" in str(error)
    assert "GITHUB_API_URL" in error.advice


@pytest.mark.parametrize("status", [403, 429])
async def test_a_limit_is_sat_out_when_it_is_short(github: StandIn, pulls: GitHubPullRequests, status: int) -> None:
    number = opened(github)
    await pulls.get(number)
    github.throttle("/pulls/", retry_after=1, status=status)
    started = time.monotonic()
    assert (await pulls.get(number)).number == number
    assert time.monotonic() - started >= 1


async def test_a_limited_comment_is_posted_once(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.throttle("/comments", retry_after=1)
    await pulls.comment(number, MARKER, f"{MARKER}\nthe plan")
    assert len(github.comments(number)) == 1


async def test_a_long_limit_is_left_to_the_caller(github: StandIn, pulls: GitHubPullRequests) -> None:
    github.throttle("/pulls/", retry_after=600, times=9)
    started = time.monotonic()
    error = await refused(pulls)
    assert error.is_passing
    assert "wait 600 s" in error.advice
    assert time.monotonic() - started < 3


async def test_the_reset_of_the_primary_limit_is_heeded(github: StandIn, pulls: GitHubPullRequests) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 900)}
    message = "API rate limit exceeded for installation ID 7."
    github.fail("/pulls/", status=403, headers=headers, message=message, times=9)
    error = await refused(pulls)
    assert error.is_passing
    assert "API rate limit exceeded" in error.what
    assert "to wait 90" in error.advice or "to wait 89" in error.advice


async def test_a_slow_answer_does_not_hold_up_the_loop(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.slow("/pulls/", 0.6)
    asking = asyncio.create_task(pulls.get(number))
    turns = 0
    while not asking.done():
        await asyncio.sleep(0.02)
        turns += 1
    assert (await asking).number == number
    assert turns > 10


async def test_a_cancelled_request_leaves_the_connection_usable(github: StandIn, pulls: GitHubPullRequests) -> None:
    first, second = opened(github, "one"), opened(github, "two")
    await pulls.get(first)
    github.slow(f"/pulls/{first}", 0.5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pulls.get(first), 0.1)
    assert (await pulls.get(second)).number == second


async def test_many_at_once(github: StandIn, pulls: GitHubPullRequests) -> None:
    numbers = [opened(github, f"branch-{each}") for each in range(8)]
    assert [each.number for each in await asyncio.gather(*map(pulls.get, numbers))] == numbers


async def test_a_lacking_permission_is_named(github: StandIn) -> None:
    number = opened(github)
    head = github.pull(number).head
    reader = with_token(github, {"pull-requests": "read", "issues": "read"})
    mute = with_token(github, {})
    for attempt, needed in (
        (mute.get(number), "pull_requests=read"),
        (mute.environment_approvals(github.run(head)), "actions=read"),
        (reader.status(head, "sharepack/plan", State.SUCCESS, "Fine"), "statuses=write"),
        (reader.label(number, ["sharepack: x"], "sharepack: "), "issues=write; pull_requests=write"),
        (reader.comment(number, MARKER, MARKER), "issues=write; pull_requests=write"),
        (reader.issue(MARKER, "Drift", MARKER), "issues=write"),
    ):
        with pytest.raises(PullRequestsError, match="Resource not accessible by integration") as caught:
            await attempt
        assert not caught.value.is_passing
        assert f"lacks a permission: {needed}" in caught.value.advice


async def test_a_token_that_is_not_accepted(github: StandIn) -> None:
    error = await refused(signed_in(github, Token("ghs_revoked")))
    assert not error.is_passing
    assert "HTTP 401, Bad credentials" in str(error)
    assert "Check the token" in error.advice


async def test_another_repository(github: StandIn) -> None:
    token = Token(github.workflow_token(PERMISSIONS))
    error = await refused(GitHubPullRequests.open("acme/others", token, github.api_url))
    assert "cannot find the repository acme/others: HTTP 404" in str(error)


async def test_a_repository_that_was_renamed(github: StandIn) -> None:
    pulls = with_token(github, PERMISSIONS)
    github.rename("acme/share-packs")
    assert "acme/packs is called acme/share-packs now. Use that name." in str(await refused(pulls))


@pytest.mark.parametrize("text", ["<html>Sign in to the network</html>", "[1, 2]", "{}", "null"])
async def test_what_is_not_github_is_told(github: StandIn, pulls: GitHubPullRequests, text: str) -> None:
    github.fail("/repos/", status=200, text=text, times=9)
    error = await refused(pulls)
    assert "not one of GitHub's API" in str(error)
    assert not error.is_passing


@pytest.mark.parametrize("name", ["", "packs", "acme/packs/more", "acme/..", "acme/pa cks", "../../user", "acme/p?x=1"])
def test_a_name_that_no_repository_has(name: str) -> None:
    with pytest.raises(ValueError, match="OWNER/REPOSITORY"):
        GitHubPullRequests.open(name, Token("ghs_x"))


CANARY = "ghs_canary0123456789abcdef"


async def test_no_failure_holds_the_token(github: StandIn) -> None:
    pulls = signed_in(github, Token(CANARY), patience=0.5)
    errors = [await refused(pulls)]
    for status in (500, 403, 404, 418, 422, 429):
        # A proxy that sends back what it was sent.
        github.fail("/repos/", status=status, message=f"Denied: Authorization: token {CANARY}", times=9)
        errors.append(await refused(pulls))
        github.mend()
    github.drop("/repos/", times=9)
    errors.append(await refused(pulls))
    github.mend()
    for error in errors:
        assert error.__cause__ is None
        assert error.__context__ is None
        assert "canary" not in "".join(traceback.format_exception(error)) + repr(vars(error))
    assert "canary" not in f"{pulls!r} {Token(CANARY)!r}"


async def test_an_app_with_a_key_that_is_none(github: StandIn) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----\n"
    error = await refused(signed_in(github, App("1", key)))
    assert "private key of the App" in error.advice
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "canary" not in "".join(traceback.format_exception(error)) + repr(App("1", key))


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
