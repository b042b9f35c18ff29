"""Opening a pull request: one for a branch, however often, and whatever happens to the answer."""

import asyncio

import pytest

from reconciler.adapters.github.credentials import Token
from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.ports.pull_requests import PullRequestsError
from tests.adapters.github.conftest import PERMISSIONS, opened
from tests.github.stand_in import WORKFLOWS, StandIn


@pytest.fixture
def branch(github: StandIn) -> str:
    github.commit("sharepack/q1", {"sharepacks/q1.yaml": "new\n"}, "Hand in q1")
    return "sharepack/q1"


def posts(github: StandIn) -> int:
    return sum(each.method == "POST" for each in github.requests)


async def test_a_pull_request_is_opened_once(github: StandIn, pulls: GitHubPullRequests, branch: str) -> None:
    made = await pulls.propose(branch, "Hand in\nq1", "From the portal")
    assert (made.title, made.base, made.author) == ("Hand in q1", "main", WORKFLOWS)
    assert made.head == github.git.resolve(f"refs/heads/{branch}")
    assert github.pull(made.number).issue.body == "From the portal"
    github.commit(branch, {"sharepacks/q1.yaml": "newer\n"}, "Hand in q1 again")
    again = await pulls.propose(branch, "Other words", "Other words")
    assert (again.number, again.title) == (made.number, "Hand in q1")
    assert again.head == github.git.resolve(f"refs/heads/{branch}")
    assert posts(github) == 1


async def test_after_it_was_closed_another_is_opened(github: StandIn, pulls: GitHubPullRequests, branch: str) -> None:
    first = await pulls.propose(branch, "Hand in q1", "")
    github.close_pull(first.number)
    second = await pulls.propose(branch, "Hand in q1", "")
    assert second.number != first.number


async def test_that_of_another_branch_or_of_a_fork_is_not_taken_for_it(
    github: StandIn, pulls: GitHubPullRequests, branch: str
) -> None:
    opened(github, "sharepack/q10")
    github.fork("eve")
    github.commit(branch, {"sharepacks/q1.yaml": "evil\n"}, "Mine", fork="eve")
    theirs = github.open_pull(branch, "Mine", by="eve", fork="eve")
    github.commit("release", {"sharepacks/r.yaml": "r\n"}, "Release")
    github.open_pull(branch, "Into another", by="ada", base="release")
    made = await pulls.propose(branch, "Hand in q1", "")
    assert made.number > theirs + 1
    assert (made.base, made.is_fork) == ("main", False)
    assert (await pulls.propose(branch, "Hand in q1", "", "release")).number == theirs + 1


async def test_any_name_of_a_branch(github: StandIn, pulls: GitHubPullRequests) -> None:
    name = "sharepack/größer#1&head=x"
    github.commit(name, {"sharepacks/q1.yaml": "new\n"}, "Hand in q1")
    made = await pulls.propose(name, "x" * 300, "")
    assert (await pulls.propose(name, "x", "")).number == made.number
    assert made.title == "x" * 256


@pytest.mark.parametrize("fault", ["drop", "fail"])
async def test_one_that_was_opened_unheard_is_found(
    github: StandIn, pulls: GitHubPullRequests, branch: str, fault: str
) -> None:
    if fault == "drop":
        github.drop("/pulls", method="POST", after=True)
    else:
        github.fail("/pulls", method="POST", status=502, after=True)
    made = await pulls.propose(branch, "Hand in q1", "")
    assert github.pull(made.number).branch == branch
    assert posts(github) == 1


async def test_two_at_once_open_one(github: StandIn, pulls: GitHubPullRequests, branch: str) -> None:
    token = Token(github.workflow_token(PERMISSIONS))
    other = GitHubPullRequests.open(github.repository, token, github.api_url, patience=4.0)
    made = await asyncio.gather(*(each.propose(branch, "Hand in q1", "") for each in (pulls, other)))
    await other.close()
    assert made[0].number == made[1].number


async def test_why_none_can_be_opened_is_told(github: StandIn, pulls: GitHubPullRequests) -> None:
    with pytest.raises(PullRequestsError, match="cannot open a pull request for nowhere: HTTP 422"):
        await pulls.propose("nowhere", "Hand in q1", "")
    github.git.set_ref("refs/heads/same", github.git.resolve("refs/heads/main"))
    with pytest.raises(PullRequestsError, match="No commits between main and same"):
        await pulls.propose("same", "Hand in q1", "")


async def test_without_the_permission_it_is_named(github: StandIn, branch: str) -> None:
    token = Token(github.workflow_token({"pull-requests": "read"}))
    reader = GitHubPullRequests.open(github.repository, token, github.api_url)
    with pytest.raises(PullRequestsError, match="pull_requests=write"):
        await reader.propose(branch, "Hand in q1", "")
    await reader.close()
