"""A stand-in with people in their roles, and the adapter signed in with the token of a workflow."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from reconciler.adapters.github.credentials import Token
from reconciler.adapters.github.pull_requests import GitHubPullRequests
from tests.github.stand_in import StandIn, standing_in

PERMISSIONS = {"pull-requests": "write", "issues": "write", "statuses": "write", "actions": "read", "contents": "read"}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path / "git hub") as stand_in:
        for login, role in (("ada", "write"), ("rita", "write"), ("max", "maintain"), ("tom", "triage")):
            stand_in.user(login, role)
        stand_in.user("eve", "read")
        yield stand_in


@pytest_asyncio.fixture
async def pulls(github: StandIn) -> AsyncIterator[GitHubPullRequests]:
    token = Token(github.workflow_token(PERMISSIONS))
    opened = GitHubPullRequests.open(github.repository, token, github.api_url, patience=4.0)
    yield opened
    await opened.close()


def opened(github: StandIn, branch: str = "widen", by: str = "ada") -> int:
    """A pull request with one commit."""
    github.commit(branch, {f"sharepacks/{branch}.yaml": f"{branch}\n"}, f"Change {branch}")
    return github.open_pull(branch, f"Change {branch}", by=by)
