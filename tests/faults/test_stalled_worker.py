"""A worker that is stopped (SIGSTOP) until its lease has run out, and then goes on: another one has finished meanwhile.
What the stalled one writes late is refused by the fence; of what it sends late, only calls that were on their way side
by side reach Databricks."""

import asyncio
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from tests.faults.crashing import Crashing, staged
from tests.faults.invariants import violations
from tests.faults.job import WORK
from tests.faults.lane import ROOT, Lane
from tests.faults.points import AFTER, BEFORE, PREPARED, STATEMENT, Point, Strike
from tests.faults.processes import Zygote
from tests.faults.scenes import CHUNKS, CREATE, RENAME, ROTATE, ROTATE_NOW, Scene

#: Seconds: the lease of the worker that is stopped. The one that takes over waits for its real end.
LEASE: Final = 1.0
#: Seconds that the database waits for it within a transaction: it may be stopped in one, renewing its lease.
IDLE: Final = 2.0
#: Calls of the scenes that are made side by side at the most: they may be on their way when the worker is stopped.
SIDE_BY_SIDE: Final = 3
#: The wrong ones are those with the fence of an earlier holder after those of a later one.
LATE: Final = """
    SELECT old.fence, old.begun_at FROM reconciler.operations AS old JOIN reconciler.operations AS new
        ON new.share_pack_id = old.share_pack_id AND new.fence > old.fence AND new.begun_at < old.begun_at
"""
#: All that a worker writes for a claim.
RECORD: Final = """
    SELECT md5(coalesce(string_agg(t, ',' ORDER BY t), '')) AS digest FROM (
        SELECT t::text FROM deltashare.recipients AS t UNION ALL SELECT t::text FROM deltashare.shares AS t
        UNION ALL SELECT t::text FROM deltashare.share_packs AS t UNION ALL SELECT t::text FROM deltashare.requests AS t
        UNION ALL SELECT t::text FROM deltashare.audit_trail AS t UNION ALL SELECT t::text FROM reconciler.work AS t
        UNION ALL SELECT t::text FROM reconciler.operations AS t UNION ALL SELECT t::text FROM reconciler.leases AS t
    ) AS rows
"""


def at(side: str, label: str, occurrence: int = 1) -> Point:
    return Point(label, occurrence, side)


#: The next thing written after a level: what it came to, with the intents of the next level. Other calls of the level
#: may be unanswered still when the worker is stopped; what it came to is then written by itself, because it has taken
#: long, or because a call arrives after another worker has made the same.
AFTER_A_LEVEL: Final = r"ledger\.advance( UpdateShare)? FenceLostError"
#: Where it is stopped, and which late write is refused then, as a pattern.
STOPS: Final[Sequence[tuple[Scene, Point, str]]] = [
    (CREATE, at(BEFORE, "ledger.advance CreateRecipient"), "ledger.advance CreateRecipient FenceLostError"),
    (CREATE, at(BEFORE, "ledger.advance UpdateShare"), "ledger.advance UpdateShare FenceLostError"),
    (CREATE, at(BEFORE, "platform.perform CreateShare"), "ledger.advance FenceLostError"),
    (CREATE, at(BEFORE, "platform.perform UpdateShare"), "ledger.finish FenceLostError"),
    (CREATE, at(AFTER, "platform.perform CreateShare"), AFTER_A_LEVEL),
    (CREATE, at(BEFORE, "ledger.finish"), "ledger.finish FenceLostError"),
    (CHUNKS, at(BEFORE, "platform.perform UpdateShare", 2), "ledger.finish FenceLostError"),
    (RENAME, at(BEFORE, "platform.perform Rename", 2), "ledger.finish FenceLostError"),
    (ROTATE, at(BEFORE, "platform.perform RotateToken"), "ledger.finish FenceLostError"),
    (ROTATE, at(AFTER, "platform.perform RotateToken"), "ledger.finish FenceLostError"),
]


REQUESTS: Final[Mapping[str, str]] = {
    "CreateShare": f"POST {ROOT}/shares",
    "UpdateShare": f"PATCH {ROOT}/shares/orders",
    "RotateToken": f"POST {ROOT}/recipients/partner/rotate-token",
}


@pytest.mark.parametrize(("scene", "point", "refused"), STOPS, ids=str)
async def test_the_fence_refuses_what_a_stalled_worker_writes_late(
    scene: Scene, point: Point, refused: str, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    async with staged(scene, repository, lanes[0], workers) as crashing:
        woken = await stalled(crashing, Strike(point, signal=signal.SIGSTOP))
    assert any(re.fullmatch(refused, words) for words in woken.raised), woken.raised
    assert woken.wrong == []


@pytest.mark.parametrize("delay", [300, 2500], ids=lambda delay: f"{delay} ms")
async def test_a_level_of_which_one_call_is_unanswered_when_the_worker_is_stopped_is_not_recorded_late(
    delay: int, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """Its answer is there when the worker wakes up, or takes so long that what else there is is written first."""
    async with staged(CREATE, repository, lanes[0], workers) as crashing:
        crashing.lane.control.fault(f"POST {ROOT}/recipients", delay_only=True, delay_ms=delay)
        point = at(AFTER, "platform.perform CreateShare")
        woken = await stalled(crashing, Strike(point, signal=signal.SIGSTOP))
    assert any(re.fullmatch(AFTER_A_LEVEL, words) for words in woken.raised), woken.raised
    assert woken.wrong == []


@pytest.mark.parametrize(
    ("scene", "call"), [(CREATE, "CreateShare"), (CHUNKS, "UpdateShare"), (ROTATE, "RotateToken")], ids=str
)
async def test_an_answer_that_comes_while_the_worker_is_stopped_is_found_by_the_next_one(
    scene: Scene, call: str, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """The call is under way when the worker is stopped: it takes effect, and nobody is there to hear of it."""
    async with staged(scene, repository, lanes[0], workers) as crashing:
        crashing.lane.control.fault(REQUESTS[call], status=504, after_handler=True, delay_ms=600)
        point = at(BEFORE, f"platform.perform {call}")
        woken = await stalled(crashing, Strike(point, signal=signal.SIGSTOP, delay=0.2))
    assert any(words.endswith("FenceLostError") for words in woken.raised)
    assert woken.wrong == []


@pytest.mark.parametrize(
    ("label", "occurrence", "refused"),
    [
        (f"{STATEMENT} INTO reconciler.operations", 1, "ledger.advance CreateRecipient LedgerError"),
        (f"{STATEMENT} UPDATE reconciler.operations", 2, "ledger.advance UpdateShare LedgerError"),
        (f"{PREPARED} INSERT INTO deltashare.recipients", 1, "ledger.advance UpdateShare LedgerError"),
        (f"{STATEMENT} UPDATE reconciler.work SET status", 1, "ledger.finish LedgerError"),
    ],
)
async def test_a_worker_that_stalls_within_a_transaction_does_not_hold_up_the_others(
    label: str, occurrence: int, refused: str, repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """It holds locks that everybody waits for. The database ends its session, and with it the locks."""
    async with staged(CREATE, repository, lanes[0], workers) as crashing:
        strike = Strike(at(AFTER, label, occurrence), signal=signal.SIGSTOP)
        woken = await stalled(crashing, strike, idle=LEASE, overtaken="Troubled")
    assert refused in woken.raised
    assert woken.wrong == []


async def test_the_one_call_that_can_still_reach_databricks_may_be_a_second_rotation(
    repository: Path, lanes: list[Lane], workers: Zygote
) -> None:
    """Stopped between the intent and the request, it sends the request when it wakes up. Databricks refuses or ignores
    what has been done already, but for a rotation that leaves the old token no time: there is nothing to refuse. It is
    the only call of this kind, it is not recorded twice, and the recipient still has exactly one token that works."""
    async with staged(ROTATE_NOW, repository, lanes[0], workers) as crashing:
        point = at(BEFORE, "platform.perform RotateToken")
        woken = await stalled(crashing, Strike(point, signal=signal.SIGSTOP))
        live = [token for token in crashing.lane.control.tokens("partner") if token["is_live"]]
    assert "ledger.finish FenceLostError" in woken.raised
    assert [words for words in woken.wrong if "rotat" not in words] == []
    assert len(live) == 1


@dataclass(frozen=True, slots=True)
class Woken:
    #: Calls of the stalled worker that failed, and with what.
    raised: Sequence[str]
    wrong: Sequence[str]


async def stalled(crashing: Crashing, strike: Strike, idle: float = IDLE, overtaken: str = "Overtaken") -> Woken:
    """Stops the first worker, lets a second one take over, and continues the first."""
    lane, job = crashing.lane, replace(crashing.job, name="stalled", lease=LEASE, idle=idle)
    async with crashing.zygote.start(job.struck(strike)) as sleeper:
        await sleeper.stopped()
        second = await crashing.zygote.run(replace(crashing.job, task=WORK, name="second"))
        assert second.report is not None
        assert second.report.work[-1][0] == "done"
        assert second.report.left == []
        assert await violations(lane, crashing.scene) == []
        record, sent = await lane.fetch(RECORD), len(lane.control.log(writes_only=True))
        sleeper.go_on()
        woken = await sleeper.ended()
    assert woken.report is not None
    assert overtaken in woken.report.events
    assert await lane.fetch(RECORD) == record, "the stalled worker has written"
    assert len(lane.control.log(writes_only=True)) - sent <= SIDE_BY_SIDE
    assert await lane.fetch(LATE) == []
    assert woken.report.left == []
    return Woken(woken.report.raised, await violations(lane, crashing.scene))


async def test_many_stalled_workers_are_followed_by_one(repository: Path, lanes: list[Lane], workers: Zygote) -> None:
    """Two stall one after the other, at the same call, and wake up together."""
    async with staged(CREATE, repository, lanes[0], workers) as crashing:
        strike = Strike(at(BEFORE, "platform.perform CreateShare"), signal=signal.SIGSTOP)
        job = replace(crashing.job, lease=LEASE, idle=IDLE).struck(strike)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(crashing.zygote.start(replace(job, name="first")))
            await first.stopped()
            second = await stack.enter_async_context(crashing.zygote.start(replace(job, task=WORK, name="second")))
            await second.stopped()
            third = await crashing.zygote.run(replace(crashing.job, task=WORK, name="third"))
            assert third.report is not None
            first.go_on()
            second.go_on()
            woken = await asyncio.gather(first.ended(), second.ended())
        for ended in woken:
            assert ended.report is not None
            assert any(words.endswith("FenceLostError") for words in ended.report.raised)
        assert await crashing.lane.fetch(LATE) == []
        assert await violations(crashing.lane, CREATE) == []
