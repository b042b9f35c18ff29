"""Packs that are handed in for review: a branch and a pull request, whose plan a daemon shows, and which it applies
when it was merged. GitHub is a stand-in over a real bare repository."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.ports.inbox import UploadStatus
from reconciler.stages.receive import Accepted
from tests.github.stand_in import StandIn
from tests.journeys.daemons import Running, cloned
from tests.journeys.hands import Hands, hands
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES
from tests.journeys.test_handed_in import MORE
from tests.journeys.test_pull_requests import completed, github, merged, pulls, running, shown

__all__ = ["github", "pulls", "running"]


@pytest_asyncio.fixture
async def somebody(
    journey: Journey, github: StandIn, pulls: GitHubPullRequests, tmp_path: Path
) -> AsyncIterator[Hands]:
    yield hands(journey, cloned(github.git.root, tmp_path / "the API's clone"), github.git.root, pulls=pulls)


async def proposed(somebody: Hands, content: str) -> Accepted:
    answer = await somebody.accepted(content, finishes=False)
    assert answer.entered is None
    return answer


async def test_a_pack_is_shown_merged_and_applied(
    journey: Journey, github: StandIn, running: Running, somebody: Hands, sdk: Any
) -> None:
    log = somebody.log()
    answer = await proposed(somebody, SALES)
    number = answer.upload.pull_request
    assert number is not None
    assert "sales-analyst" in await shown(github, number)
    again = await proposed(somebody, SALES)
    assert (again.upload.id, again.upload.pull_request, again.is_new) == (answer.upload.id, number, False)
    assert (somebody.log(), await somebody.states(), journey.writes()) == (log, [], [])
    assert (await somebody.receiving.sweep(0)).done == 0
    await merged(github, number)
    await completed(journey, sdk, {"transactions", "customers"})
    assert (await somebody.receiving.sweep(0)).done == 1
    assert (await somebody.upload(answer)).status is UploadStatus.SUBMITTED


async def test_one_that_was_closed_has_failed_and_can_be_proposed_again(github: StandIn, somebody: Hands) -> None:
    first, other = await proposed(somebody, SALES), await proposed(somebody, MORE)
    assert first.upload.pull_request != other.upload.pull_request
    assert first.upload.pull_request is not None
    github.close_pull(first.upload.pull_request)
    assert (await somebody.receiving.sweep(0)).done == 1
    ended = await somebody.upload(first)
    assert (ended.status, "closed" in ended.reason) == (UploadStatus.FAILED, True)
    again = await proposed(somebody, SALES)
    assert again.upload.pull_request not in {first.upload.pull_request, other.upload.pull_request, None}
