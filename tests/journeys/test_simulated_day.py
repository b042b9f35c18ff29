"""24 hours of a daemon with nothing to do, in seconds: its clock is the test's. What it asks of Databricks in an hour,
what it keeps, and what it writes."""

import asyncio
import gc
import logging
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.schedule import Cadence
from reconciler.daemon.leading import Following
from tests.journeys.daemons import cloned, daemon, push, share_origin, until
from tests.journeys.journey import NO_LIMITS, Journey
from tests.journeys.packs import FINANCE, SALES

HOURS = 24
#: The hour from which on what is held is counted; four hours later it is known how much that is.
TRACED_FROM = 14
#: One GET for each recipient, two for each share; or, where that is fewer, two lists and one GET for each share.
CALLS_A_LOOK = {"Sales Operations": 1 + 2, "Corporate Finance": 2 + 2 * 2}
CALLS_A_QUIET_LOOK = {"Sales Operations": 1 + 2, "Corporate Finance": 2 + 2}


@dataclass
class SimulatedClock:
    """Whoever sleeps wakes at once, and it is later."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    passed: float = 0.0
    #: Nobody sleeps past this until it is moved.
    stops_at: float = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    async def sleep(self, seconds: float) -> None:
        while self.passed >= self.stops_at:
            await asyncio.sleep(0.01)
        self.passed = min(self.passed + max(seconds, 0.1), self.stops_at)
        await asyncio.sleep(0)

    async def run(self, hours: float) -> None:
        self.stops_at += hours * 3600
        await until(lambda: self.passed >= self.stops_at, f"{hours} simulated hours", 300)


@pytest.fixture
def _nothing_logged() -> Iterator[None]:
    """pytest keeps every record of the standard library's logging until a test ends, which would count as growth."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_nothing_logged")
async def test_a_day_in_which_nothing_happens(journey: Journey, tmp_path: Path, sdk: Any) -> None:
    journey.write("sales.yaml", SALES)
    journey.save("finance.yaml", FINANCE)
    clone = cloned(share_origin(journey, tmp_path), tmp_path / "clone")
    push(journey)
    await journey.converge()
    clock = SimulatedClock()
    # As it is by default, but for the fetches: git is a process, and takes real time.
    following = Following("", fetch_every=3600.0, cadence=Cadence(), limits=NO_LIMITS, grace=0.0)
    calls: list[int] = []
    held: list[int] = []
    async with daemon(journey, clone, following=following, clock=clock) as running:
        clock.stops_at = 60.0
        await until(lambda: running.process._full_pass_at is not None, "the first full pass")
        # What the first look showed is still being written when it has been passed on.
        clock.stops_at = 3600.0
        await running.looks_again()
        await until(lambda: clock.passed >= clock.stops_at, "the first hour")
        rows = await _rows(journey)
        journey.control.clear_log()
        for hour in range(HOURS):
            if hour == TRACED_FROM:
                # Only from here on: tracing is slow.
                tracemalloc.start()
            await clock.run(1)
            calls.append(journey.control.counts()["total"])
            assert journey.writes() == []
            # The sandbox is in this process, and keeps what it was asked.
            journey.control.clear_log()
            if tracemalloc.is_tracing():
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert await _rows(journey) == rows, "rows were written although nothing changed"
    a_look, a_quiet_look = sum(CALLS_A_LOOK.values()), sum(CALLS_A_QUIET_LOOK.values())
    first, later = calls[:5], calls[8:]
    print(f"API calls an hour: {calls}; a look at every pack takes {a_look}")
    # Every 15 minutes with a tenth to and fro: three to five looks an hour. Quieter after six hours: at most every 25.
    assert all(3 * a_quiet_look <= each <= 5 * a_look for each in first), calls
    assert all(1 * a_quiet_look <= each <= 3 * a_look for each in later), calls
    assert sum(later) / len(later) < sum(first) / len(first)
    growth = held[-1] - held[3]
    print(f"Python objects made since 14:00 and still held at 18:00 and 24:00: {held[3]:,} and {held[-1]:,} bytes")
    assert growth < 150_000, f"grew by {growth:,} bytes in the last six hours"


async def _rows(journey: Journey) -> dict[str, int]:
    tables = await journey.rows(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('deltashare', 'reconciler')"
    )
    return {each["name"]: (await journey.rows(f"SELECT count(*) AS n FROM {each['name']}"))[0]["n"] for each in tables}
