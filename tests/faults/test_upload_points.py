"""Every point of an upload: the process is killed there, and one that sweeps is killed too; then either nothing of the
pack is there, or all of it: one commit, on record, carried out. Never a commit that nobody knows of.

What happens once the work is submitted is the business of `test_crash_points`.
"""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.faults.crashing import Record, Tally, record
from tests.faults.invariants import violations
from tests.faults.job import FINISH, UPLOAD, Job, Report
from tests.faults.lane import Lane
from tests.faults.points import AFTER, BEFORE, Point, Strike, sample
from tests.faults.processes import Zygote
from tests.faults.scenes import CREATE
from tests.journeys.journey import git

#: One of so many sweeps is killed as well, at another of its points each time.
EVERY: Final = 2
#: Seconds after the beginning of the commit, in the midst of what git does.
MIDST: Final = (0.01, 0.03, 0.06, 0.1, 0.15, 0.2)
_PUT: Final = Point("store.put", 1, BEFORE)
_LEFT: Final = """
    SELECT (SELECT count(*) FROM deltashare.share_packs) AS packs, (SELECT count(*) FROM reconciler.work) AS work,
           (SELECT count(*) FROM deltashare.requests) AS requests,
           (SELECT count(*) FROM reconciler.uploads WHERE status <> 'submitted') AS unfinished,
           (SELECT count(*) FROM reconciler.uploads) AS uploads
"""


@dataclass(slots=True)
class Uploading:
    lane: Lane
    zygote: Zygote
    repository: Path
    base: str
    tally: Tally = field(default_factory=Tally)
    wrong: list[str] = field(default_factory=list)
    #: Commits that were there at the end, and cases that came to that.
    outcomes: list[int] = field(default_factory=list)
    #: Points of the last sweep.
    length: int = 10

    @property
    def job(self) -> Job:
        return Job(
            task=UPLOAD,
            repository=str(self.repository),
            workspace=self.lane.url,
            database_url=self.lane.database_url,
            upload=CREATE.after,
        )

    async def begin(self) -> None:
        await self.lane.restore()
        git(self.repository, "reset", "--quiet", "--hard", self.base)

    async def undisturbed(self) -> Report:
        await self.begin()
        ended = await self.zygote.run(self.job)
        assert ended.report is not None
        assert (await self.found(ended.report), self.commits()) == ([], 1)
        return ended.report

    async def case(self, number: int, strike: Strike) -> None:
        await self.begin()
        struck = await self.zygote.run(replace(self.job, name="first", looks_again=False).struck(strike))
        assert struck.was_killed, strike
        self.tally.first += 1
        sweep = replace(self.job, task=FINISH, name="second")
        again = None
        if number % EVERY == 0:
            second = replace(sweep, looks_again=False).struck(Strike(number=1 + (number * 7) % self.length))
            ended = await self.zygote.run(second)
            again = ended.struck
            self.tally.second += ended.was_killed
            self.tally.over += not ended.was_killed
            self.tally.labels |= {again.label} if again is not None else set()
            await self.lane.let_leases_run_out()
        last = await self.zygote.run(replace(sweep, name="third"))
        assert last.report is not None
        self.length = max(len(last.report.points), 1)
        self.outcomes.append(self.commits())
        self.wrong += [f"{strike}, then {again}: {words}" for words in await self.found(last.report)]

    async def found(self, report: Report) -> list[str]:
        """What is wrong."""
        (left,) = await self.lane.fetch(_LEFT)
        commits = self.commits()
        if commits == 0:
            expected = {"packs": 0, "work": 0, "requests": 0, "unfinished": 0, "uploads": 0}
            state = self.lane.control.state()
            there = [*state["recipients"], *state["shares"]]
            return [f"{name}: {left[name]}" for name in expected if left[name]] + [f"there is {each}" for each in there]
        wrong = [*await violations(self.lane, CREATE), *report.left]
        wrong += [f"{commits} commits"] if commits > 1 else []
        wrong += [f"{left['unfinished']} unfinished of {left['uploads']}"] if left["unfinished"] else []
        return wrong

    def commits(self) -> int:
        return int(git(self.repository, "rev-list", "--count", f"{self.base}..main"))


async def test_an_upload_killed_anywhere_is_there_whole_or_not_at_all(
    repository: Path, lanes: list[Lane], workers: Zygote, record_property: Record
) -> None:
    async with AsyncExitStack() as stack:
        uploadings = []
        for number, lane in enumerate(lanes):
            await stack.enter_async_context(lane.connected())
            await lane.empty()
            await lane.keep()
            copy = Path(shutil.copytree(repository, repository.with_name(f"repository {number}")))
            uploadings.append(Uploading(lane, workers, copy, git(copy, "rev-parse", "HEAD")))
        report = await uploadings[0].undisturbed()
        points = report.points[: 1 + report.points.index(Point("inbox.end", 1, AFTER))]
        assert {"inbox.receive", "store.put", "inbox.committed", "ledger.submit"} <= {each.method for each in points}
        strikes = [Strike(point) for point in sample(points)]
        strikes += [Strike(_PUT, delay=delay) for delay in MIDST]
        left = iter(list(enumerate(strikes)))
        await asyncio.gather(*(_work_off(each, left) for each in uploadings))
    record(record_property, len(points), [each.tally for each in uploadings])
    assert [words for each in uploadings for words in each.wrong] == []
    # The first file is taken in or not; from then on it always comes to its end.
    assert sum(each.outcomes.count(0) for each in uploadings) == _before_it_is_kept(points)


def _before_it_is_kept(points: Sequence[Point]) -> int:
    kept = points.index(Point("inbox.receive", 1, AFTER))
    chosen = sample(points)
    return sum(point in chosen for point in points[:kept])


async def _work_off(uploading: Uploading, strikes: Iterator[tuple[int, Strike]]) -> None:
    for number, strike in strikes:
        await uploading.case(number, strike)
