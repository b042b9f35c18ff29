"""Two who apply at the same time, in processes of their own: CI, somebody's laptop, a daemon. What is done is done
once; who comes second is told who has the pack, or that the plan is outdated."""

import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.faults.crashing import Crashing, commit, staged
from tests.faults.invariants import violations
from tests.faults.job import WORK
from tests.faults.lane import Lane, wait_until
from tests.faults.points import AFTER, BEFORE, Point, Strike
from tests.faults.processes import Running, Zygote
from tests.faults.scenes import CHANGE, CREATE, DELETE, RENAME, Scene, pack, partner, share

BEFORE_SUBMIT: Final = Strike(Point("ledger.submit", 1, BEFORE), signal=signal.SIGSTOP)
#: It is killed as soon as its work is on record.
SUBMITTED: Final = Strike(Point("doorbell.ring", 1, AFTER))
#: The record has been read, Databricks has not.
BETWEEN_READS: Final = Strike(Point("platform.observe", 1, BEFORE), signal=signal.SIGSTOP)
#: Work is under way: the lease is held, the recipients and the empty share are made.
MIDWAY: Final = Strike(Point("ledger.advance UpdateShare", 1, BEFORE), signal=signal.SIGSTOP)


async def started(stack: AsyncExitStack, crashing: Crashing, name: str, strike: Strike | None = None) -> Running:
    return await stack.enter_async_context(crashing.zygote.start(replace(crashing.job, name=name).struck(strike)))


@pytest.mark.parametrize("scene", [CREATE, CHANGE], ids=str)
async def test_two_with_the_same_plan_do_it_once(
    scene: Scene, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    async with AsyncExitStack() as stack:
        crashing = await stack.enter_async_context(staged(scene, repository, lanes[0], workers))
        both = [await started(stack, crashing, name, BEFORE_SUBMIT) for name in ("ci", "laptop")]
        for each in both:
            await each.stopped()
        for each in both:
            each.go_on()
        reports = [(await each.ended()).report for each in both]
        work = sorted([status for status, _ in report.work] for report in reports if report is not None)
        outdated = sorted(len(report.outdated) for report in reports if report is not None)
        assert (work, outdated) == ([[], ["done"]], [0, 1])
        assert [report.left for report in reports if report is not None] == [[], []]
        assert len(crashing.lane.writes()) == len(scene.calls)
        assert await violations(crashing.lane, scene) == []


async def test_who_comes_second_is_told_who_has_the_pack_and_goes_on_where_that_one_gave_way(
    repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    async with AsyncExitStack() as stack:
        crashing = await stack.enter_async_context(staged(CREATE, repository, lanes[0], workers))
        ci = await started(stack, crashing, "ci", MIDWAY)
        await ci.stopped()
        laptop = await started(stack, crashing, "laptop")
        await laptop.told("Waiting ci")
        assert len(crashing.lane.writes()) == 3, "nobody else calls while the lease is held"
        ci.go_on()
        first, second = (await ci.ended()).report, (await laptop.ended()).report
        assert first is not None
        assert second is not None
        assert [status for status, _ in first.work] == ["skipped"]
        assert "newer plan" in first.work[0][1]
        assert [status for status, _ in second.work] == ["done"]
        assert second.left == []
        assert len(crashing.lane.writes()) == len(CREATE.calls)
        assert await violations(crashing.lane, CREATE) == []


async def test_work_left_to_a_daemon_is_waited_for_and_done_once(
    repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """The submitter was killed, a daemon's worker has its work in hand; who applies the same commit then finds little
    or nothing left to do."""
    async with AsyncExitStack() as stack:
        crashing = await stack.enter_async_context(staged(CREATE, repository, lanes[0], workers))
        assert (await crashing.zygote.run(replace(crashing.job, name="killed").struck(SUBMITTED))).was_killed
        crashing.lane.control.latency(60)
        daemon = await stack.enter_async_context(crashing.zygote.start(replace(crashing.job, task=WORK, name="daemon")))
        await wait_until(lambda: _count(crashing.lane, "SELECT count(*) FROM reconciler.operations", 1))
        ci = await started(stack, crashing, "ci")
        report = (await ci.ended()).report
        assert report is not None
        assert report.left == []
        assert (await daemon.ended()).code == 0
        assert len(crashing.lane.writes()) == len(CREATE.calls)
        assert await violations(crashing.lane, CREATE) == []


@pytest.mark.parametrize("scene", [CREATE, CHANGE, RENAME, DELETE], ids=str)
async def test_what_another_did_between_two_reads_is_not_taken_for_somebody_s_hand(
    scene: Scene, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """The record is read before the work is done and Databricks after it: what was made in between seems to be
    nobody's. Nothing is held for that, and nothing submitted."""
    async with AsyncExitStack() as stack:
        crashing = await stack.enter_async_context(staged(scene, repository, lanes[0], workers))
        assert (await crashing.zygote.run(replace(crashing.job, name="killed").struck(SUBMITTED))).was_killed
        ci = await started(stack, crashing, "ci", BETWEEN_READS)
        await ci.stopped()
        daemon = await crashing.zygote.run(replace(crashing.job, task=WORK, name="daemon"))
        assert daemon.report is not None
        ci.go_on()
        report = (await ci.ended()).report
        assert report is not None
        assert (report.work, report.outdated, report.left) == ([], [], [])
        assert len(crashing.lane.writes()) == len(scene.calls)
        assert await violations(crashing.lane, scene) == []


@pytest.mark.parametrize("is_rolled_on", [True, False], ids=["newer commit", "same commit"])
async def test_an_older_plan_submitted_after_a_newer_one_is_turned_away(
    is_rolled_on: bool, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    async with AsyncExitStack() as stack:
        crashing = await stack.enter_async_context(staged(CREATE, repository, lanes[0], workers))
        late = await started(stack, crashing, "late", BEFORE_SUBMIT)
        await late.stopped()
        if is_rolled_on:
            commit(repository, pack([partner(comment="Newer")], [share("orders", [1], ["partner"])]))
        newer = await crashing.zygote.run(replace(crashing.job, name="newer"))
        assert newer.report is not None
        assert [status for status, _ in newer.report.work] == ["done"]
        counts, sent = await _rows(crashing.lane), len(crashing.lane.control.log(writes_only=True))
        late.go_on()
        report = (await late.ended()).report
        assert report is not None
        assert (report.work, len(report.outdated)) == ([], 1)
        assert len(crashing.lane.control.log(writes_only=True)) == sent
        assert await _rows(crashing.lane) == counts


async def test_the_newest_commit_wins_over_work_that_is_under_way(
    repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    async with AsyncExitStack() as stack:
        crashing = await stack.enter_async_context(staged(CREATE, repository, lanes[0], workers))
        older = await started(stack, crashing, "older", MIDWAY)
        await older.stopped()
        commit(repository, CREATE.after.replace("Orders", "Newest"))
        newer = await started(stack, crashing, "newer")
        await wait_until(lambda: _count(crashing.lane, "SELECT count(*) FROM reconciler.work", 2))
        older.go_on()
        first, second = (await older.ended()).report, (await newer.ended()).report
        assert first is not None
        assert second is not None
        assert [status for status, _ in first.work] == ["skipped"]
        assert [status for status, _ in second.work] == ["done"]
        orders = {**CREATE.shares["orders"], "comment": "Newest"}
        assert await violations(crashing.lane, replace(CREATE, shares={"orders": orders})) == []


async def _count(lane: Lane, query: str, least: int) -> bool:
    (row,) = await lane.fetch(query)
    return int(row[0]) >= least


async def _rows(lane: Lane) -> Sequence[object]:
    return await lane.fetch(
        """
        SELECT (SELECT count(*) FROM deltashare.audit_trail) AS audited, (SELECT count(*) FROM reconciler.work) AS work,
               (SELECT count(*) FROM reconciler.operations) AS operations
        """
    )
