"""The ways to sign in, and under whose name one comments then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.github.credentials import App, Token
from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.ports.pull_requests import PullRequestsError
from tests.adapters.github.conftest import PERMISSIONS, opened
from tests.github.stand_in import StandIn, standing_in

MARKER = "<!-- sharepack plan -->"


async def comment_twice(pulls: GitHubPullRequests, number: int) -> None:
    for words in ("first", "second"):
        await pulls.comment(number, MARKER, f"{MARKER}\n{words}")


async def test_with_the_token_of_a_person(github: StandIn) -> None:
    number = opened(github)
    token = Token(github.personal_token("max", PERMISSIONS))
    await comment_twice(GitHubPullRequests.open(github.repository, token, github.api_url), number)
    assert github.comments(number) == [("max", f"{MARKER}\nsecond")]


@pytest.mark.parametrize("is_looked_up", [True, False])
async def test_as_an_app(github: StandIn, is_looked_up: bool) -> None:
    number = opened(github)
    made = github.app("sharepack-acme", PERMISSIONS)
    app = App(made.id, made.private_key, None if is_looked_up else made.installation)
    await comment_twice(GitHubPullRequests.open(github.repository, app, github.api_url), number)
    assert github.comments(number) == [("sharepack-acme[bot]", f"{MARKER}\nsecond")]
    paths = [each.path for each in github.requests]
    assert paths.count("/repos/acme/packs/installation") == is_looked_up
    assert paths.count(f"/app/installations/{made.installation}/access_tokens") == 1


async def test_with_a_token_of_an_app_that_is_handed_on(github: StandIn) -> None:
    """As a step of a workflow may make one; neither `GET /user` nor `GET /app` is open to it."""
    number = opened(github)
    token = Token(github.app_token("sharepack-acme", PERMISSIONS))
    await comment_twice(GitHubPullRequests.open(github.repository, token, github.api_url), number)
    assert github.comments(number) == [("sharepack-acme[bot]", f"{MARKER}\nsecond")]


async def test_an_app_of_another_key(github: StandIn) -> None:
    made, other = github.app("sharepack-acme", PERMISSIONS), github.app("other", PERMISSIONS)
    pulls = GitHubPullRequests.open(github.repository, App(made.id, other.private_key), github.api_url)
    with pytest.raises(PullRequestsError, match="HTTP 401"):
        await pulls.open_ones()


@pytest.fixture
def enterprise(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path / "enterprise", prefix="/api/v3") as stand_in:
        stand_in.user("ada", "write")
        yield stand_in


async def test_on_an_enterprise_host(enterprise: StandIn) -> None:
    assert enterprise.api_url.endswith("/api/v3")
    number = opened(enterprise)
    for each in range(101):
        enterprise.say(number, "ada", f"word {each}")
    made = enterprise.app("sharepack-acme", PERMISSIONS)
    for credentials in (Token(enterprise.workflow_token(PERMISSIONS)), App(made.id, made.private_key)):
        pulls = GitHubPullRequests.open(enterprise.repository, credentials, enterprise.api_url)
        await comment_twice(pulls, number)
    wrote = [login for login, _ in enterprise.comments(number)[101:]]
    assert wrote == ["github-actions[bot]", "sharepack-acme[bot]"]
