"""One case: the first worker is killed at a point, the second one, which recovers, at another; the third one finishes.
Then everything holds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self, TypeAlias

from tests.faults.invariants import violations
from tests.faults.job import APPLY, WORK, Job, Report
from tests.faults.lane import Lane
from tests.faults.points import Point, Strike
from tests.faults.processes import Zygote
from tests.faults.scenes import Scene
from tests.faults.summary import KINDS
from tests.journeys.journey import git

_SUBMITTED: Final = "SELECT count(*) FROM reconciler.work"
_UNFINISHED: Final = "SELECT count(*) FROM reconciler.work WHERE finished_at IS NULL"


@dataclass(slots=True)
class Tally:
    first: int = 0
    second: int = 0
    #: Points that depend on how fast somebody is, and were not come to that time.
    missed: int = 0
    #: Recoveries that had ended before they came to the point they were to be killed at.
    over: int = 0
    #: What recoveries were killed at.
    labels: set[str] = field(default_factory=set)

    def __iadd__(self, other: "Tally") -> Self:
        self.first += other.first
        self.second += other.second
        self.missed += other.missed
        self.over += other.over
        self.labels |= other.labels
        return self


#: pytest's `record_property`.
Record: TypeAlias = Callable[[str, object], None]


def record(record_property: Record, points: int, tallies: Iterable[Tally]) -> None:
    """For the lines at the end of the run."""
    total = Tally()
    for tally in tallies:
        total += tally
    record_property("points", points)
    record_property("first kills", total.first)
    record_property("second kills", total.second)
    record_property("points not come to", total.missed)
    record_property("recoveries over before", total.over)
    record_property(KINDS, sorted(total.labels))


@dataclass(frozen=True, slots=True)
class Outcome:
    tally: Tally
    #: Of the recovery that came to its end.
    recovery: Report
    #: Where the recovery before that was struck.
    second: Point | None
    wrong: Sequence[str]


@dataclass(frozen=True, slots=True)
class Crashing:
    scene: Scene
    lane: Lane
    zygote: Zygote
    #: The job of the scene, undisturbed.
    job: Job
    #: Work rows there were before the scene.
    work_before: int
    #: Milliseconds that Databricks takes for each answer to the first worker.
    latency: int = 0

    async def case(self, point: Point, second: Strike | None, *, delay: float = 0.0) -> Outcome:
        """`delay`: seconds that the first worker goes on after the point."""
        await self.lane.restore()
        tally = Tally()
        self.lane.control.latency(self.latency)
        job = replace(self.job, name="first", looks_again=False)
        struck = await self.zygote.run(job.struck(Strike(point, delay=delay)))
        self.lane.control.latency(0)
        if struck.was_killed:
            tally.first = 1
        else:
            assert point.is_timed, f"did not come to {point}"
            tally.missed = 1
        struck_again = None
        if second is not None and await self._is_something_left():
            job = replace(await self._recovering(), name="second", looks_again=False)
            again = await self.zygote.run(job.struck(second))
            tally.second += again.was_killed
            tally.over += not again.was_killed
            struck_again = again.struck
            tally.labels |= {again.struck.label} if again.struck is not None else set()
        recovered = await self.zygote.run(replace(await self._recovering(), name="third"))
        assert recovered.report is not None
        wrong = [*await violations(self.lane, self.scene), *recovered.report.left]
        return Outcome(tally, recovered.report, struck_again, wrong)

    async def undisturbed(self) -> Report:
        """All the points there are; the scene itself has to be right for that."""
        await self.lane.restore()
        self.lane.control.latency(self.latency)
        ended = await self.zygote.run(self.job)
        assert ended.report is not None
        wrong = [*await violations(self.lane, self.scene), *ended.report.left]
        assert wrong == [], wrong
        return ended.report

    async def _recovering(self) -> Job:
        """A worker alone, when anything was submitted; otherwise nobody knows of the commit yet, and somebody applies
        it again. Either comes when the dead one's lease has run out."""
        await self.lane.let_leases_run_out()
        submitted = await self._count(_SUBMITTED) > self.work_before
        return replace(self.job, task=WORK if submitted else APPLY)

    async def _is_something_left(self) -> bool:
        return await self._count(_UNFINISHED) > 0 or await self._count(_SUBMITTED) == self.work_before

    async def _count(self, query: str) -> int:
        (row,) = await self.lane.fetch(query)
        return int(row[0])


async def prepared(scene: Scene, repository: Path, lanes: Sequence[Lane], workers: Zygote) -> list[Crashing]:
    """Each lane as it is after the first commit, the second one waiting to be applied."""
    first = Job(task=APPLY, repository=str(repository), workspace="", database_url="")
    jobs = [replace(first, workspace=lane.url, database_url=lane.database_url) for lane in lanes]
    for lane in lanes:
        await lane.empty()
    if scene.before:
        commit(repository, scene.before)
        begun = await asyncio.gather(*(workers.run(job) for job in jobs))
        assert all(ended.report is not None and not ended.report.left for ended in begun), begun
    for lane in lanes:
        await lane.keep()
    commit(repository, scene.after)
    made = []
    for lane, job in zip(lanes, jobs, strict=True):
        ((count,),) = await lane.fetch("SELECT count(*) FROM reconciler.work")
        made.append(Crashing(scene, lane, workers, replace(job, rotations=scene.rotations), count))
    return made


@asynccontextmanager
async def staged(scene: Scene, repository: Path, lane: Lane, workers: Zygote) -> AsyncIterator[Crashing]:
    """One lane, at the beginning of the scene."""
    async with lane.connected():
        (crashing,) = await prepared(scene, repository, [lane], workers)
        await lane.restore()
        yield crashing


def commit(repository: Path, content: str) -> None:
    (repository / "sharepacks" / "pack.yaml").write_text(content)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "Change the pack")
