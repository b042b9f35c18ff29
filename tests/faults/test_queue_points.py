"""The same on a real Azure queue (Azurite): killed before and after each request to it, a worker leaves messages that
are hidden, doubled or about work long done, and nothing comes of them but another look."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from azure.storage.queue.aio import QueueClient

from reconciler.adapters.azure_queue.client import API_VERSION
from tests.azurite import running
from tests.faults.crashing import Crashing, Record, Tally, prepared, record
from tests.faults.job import WORK
from tests.faults.lane import Lane
from tests.faults.points import Point, Strike
from tests.faults.processes import Zygote
from tests.faults.scenes import CREATE

#: Seconds; deliveries are kept at a third of it, which the slowed scene takes longer than.
LEASE: Final = 3.6
SLOW: Final = 500
ALL: Final = {"doorbell.ring", "doorbell.answer", "doorbell.keep", "doorbell.settle", "ledger.renew"}


@pytest.fixture
def azurite(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path / "azurite") as connection_string:
        yield connection_string


async def test_a_worker_killed_at_a_request_to_the_queue_is_followed_by_one_that_ends_where_git_says(
    azurite: str, repository: Path, lanes: list[Lane], workers: Zygote, record_property: Record
) -> None:
    async with AsyncExitStack() as stack:
        for lane in lanes:
            await stack.enter_async_context(lane.connected())
        crashings = [on_queue(each, azurite) for each in await prepared(CREATE, repository, lanes, workers)]
        report = await crashings[0].undisturbed()
        points = [point for point in report.points if point.method in ALL]
        assert {point.method for point in points} == ALL
        left = iter(enumerate(points))
        tallies = await asyncio.gather(*(_work_off(each, left) for each in crashings))
        for crashing in crashings:
            await assert_nothing_stays_in_the_queue(crashing)
    record(record_property, len(points), tallies)


def on_queue(crashing: Crashing, connection_string: str) -> Crashing:
    job = replace(crashing.job, queue=connection_string, queue_name=f"q-{uuid.uuid4().hex}", lease=LEASE)
    return replace(crashing, job=job, latency=SLOW)


async def _work_off(crashing: Crashing, points: Iterator[tuple[int, Point]]) -> Tally:
    tally = Tally()
    for number, point in points:
        outcome = await crashing.case(point, Strike(number=1 + number))
        assert outcome.wrong == [], f"{point}, then {outcome.second}"
        tally += outcome.tally
    return tally


async def assert_nothing_stays_in_the_queue(crashing: Crashing) -> None:
    """A worker that stays for longer than a delivery is hidden takes away what the dead ones left."""
    ended = await crashing.zygote.run(replace(crashing.job, task=WORK, name="last", linger=2.5))
    assert ended.report is not None
    assert [await held(crashing, suffix) for suffix in ("", "-poison")] == [0, 0]


async def held(crashing: Crashing, suffix: str) -> int:
    name = crashing.job.queue_name + suffix
    async with QueueClient.from_connection_string(crashing.job.queue, name, api_version=API_VERSION) as queue:
        return int((await queue.get_queue_properties()).approximate_message_count or 0)
