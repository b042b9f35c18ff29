"""Every point of every scene: the worker's process is killed there, the one that recovers is killed too, and a fresh
one ends where Git says, with nothing done twice and nothing left open.

By default one point of each moment is struck (the calls that do something divide a run into moments), and points of
every kind of such a call: 196 of 444 points, among them all of the 160 kinds. Two of three recoveries are killed as
well, each at another of their points. `CRASH_POINTS=all make test PYTEST_ARGS=tests/faults` strikes every point, and
each recovery at all of its points.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest

from tests.faults.crashing import Crashing, Record, Tally, prepared, record, staged
from tests.faults.lane import Lane
from tests.faults.points import BEFORE, IS_WHOLE_PRODUCT, Point, Strike, sample
from tests.faults.processes import Zygote
from tests.faults.scenes import CREATE, SCENES, Scene

#: Tests a scene is divided into, for many processors.
SLICES: Final = 2
#: Milliseconds from the call to the kill, and from there until Databricks carries it out.
ON_ITS_WAY: Final = 300


@dataclass(slots=True)
class Run:
    """All the points of a slice, worked off by as many lanes as there are."""

    points: Iterator[tuple[int, Point]]
    tally: Tally = field(default_factory=Tally)
    wrong: list[str] = field(default_factory=list)
    #: Points of the last recovery.
    length: int = 20

    async def work_off(self, crashing: Crashing) -> None:
        for number, point in self.points:
            if not IS_WHOLE_PRODUCT:
                # Another point of the recovery each time; how many it has is known from the one before.
                second = Strike(number=1 + (number * 7) % self.length) if number % 3 else None
                self.length = await self._case(crashing, point, second)
                continue
            length = await self._case(crashing, point, None)
            for each in range(1, length + 1):
                await self._case(crashing, point, Strike(number=each))

    async def _case(self, crashing: Crashing, point: Point, second: Strike | None) -> int:
        """Answers how many points the recovery came to."""
        outcome = await crashing.case(point, second)
        self.tally += outcome.tally
        self.wrong += [f"{point}, then {outcome.second}: {words}" for words in outcome.wrong]
        return max(len(outcome.recovery.points), 1)


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("scene", SCENES, ids=str)
async def test_a_worker_killed_anywhere_is_followed_by_one_that_ends_where_git_says(
    scene: Scene, part: int, repository: Path, lanes: list[Lane], workers: Zygote, record_property: Record
) -> None:
    async with AsyncExitStack() as stack:
        for lane in lanes:
            await stack.enter_async_context(lane.connected())
        crashings = await prepared(scene, repository, lanes, workers)
        report = await crashings[0].undisturbed()
        assert [point.label.split()[1] for point in report.points if is_call(point)] == list(scene.calls)
        struck = sample(report.points)
        chosen = list(enumerate(struck))[part * len(struck) // SLICES : (part + 1) * len(struck) // SLICES]
        run = Run(iter(chosen))
        await asyncio.gather(*(run.work_off(crashing) for crashing in crashings))
    # All the points of the scene once, whatever they are divided into.
    record(record_property, 0 if part else len(report.points), [run.tally])
    assert run.wrong == []


@pytest.mark.parametrize("call", sorted(set(CREATE.calls)))
async def test_a_call_that_a_killed_worker_left_on_its_way_takes_effect_once(
    call: str, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """Databricks carries it out when nobody is there to hear of it."""
    async with staged(CREATE, repository, lanes[0], workers) as crashing:
        slow = replace(crashing, latency=2 * ON_ITS_WAY)
        outcome = await slow.case(Point(f"platform.perform {call}", 1, BEFORE), None, delay=ON_ITS_WAY / 1000)
    assert outcome.tally.first == 1
    assert outcome.wrong == []


def is_call(point: Point) -> bool:
    return point.method == "platform.perform" and point.side == BEFORE
