"""Work: taken once, held by a lease that only the database's clock ends, released in order, ended with a reason."""

import asyncio
from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import CreateShare, Operation
from reconciler.core.key import PackId
from reconciler.core.recorded import PackStatus
from reconciler.core.share import Share
from reconciler.ports.ledger import (
    Claim,
    Done,
    FenceLostError,
    NotDone,
    NothingToClaim,
    Outcome,
    OutcomeUnknown,
    Refused,
    WorkStatus,
)
from tests.adapters.postgres.samples import (
    COMMIT,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    THIRD_PACK,
    a_plan,
    begin,
    claim,
    claimed,
    conclude,
    everything,
    expire,
    progress,
    submitted,
    work_order,
)

CREATE = Operation(CreateShare(SALES_KEY), Share("sales"))


async def holder_of(ledger: PostgresLedger, work_id: UUID) -> str:
    """Who has it, as told to another worker that wants it."""
    refused = await ledger.claim("worker-2", work_id, 60)
    assert isinstance(refused, NothingToClaim)
    assert refused.held_by is not None
    return refused.held_by.worker


async def test_work_is_taken_by_one_worker_at_a_time(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    assert await holder_of(ledger, held.work_id) == "worker-1"
    assert await ledger.due() == []
    await ledger.finish(held, WorkStatus.DONE)
    assert await ledger.claim("worker-2", held.work_id, 60) == NothingToClaim(is_finished=True)


async def test_work_that_nobody_knows_is_finished(ledger: PostgresLedger) -> None:
    assert await ledger.claim("worker-1", uuid4(), 60) == NothingToClaim(is_finished=True)


async def test_ten_workers_do_each_piece_of_work_once(ledger: PostgresLedger) -> None:
    packs = [PackId.of("Line", f"Project {number}") for number in range(12)]
    work = await submitted(ledger, a_plan(), [work_order(pack) for pack in packs])
    done: Counter[UUID] = Counter()

    async def worker(name: str) -> None:
        while due := await ledger.due():
            for work_id in due:
                taken = await ledger.claim(name, work_id, 60)
                if isinstance(taken, Claim):
                    done[work_id] += 1
                    await ledger.finish(taken, WorkStatus.DONE)

    await asyncio.gather(*(worker(f"worker-{number}") for number in range(10)))
    assert done == Counter(dict.fromkeys(work.values(), 1))


async def test_one_message_delivered_to_many_at_once_is_claimed_once(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order()])
    results = await asyncio.gather(*(ledger.claim(f"worker-{number}", work[PACK], 60) for number in range(10)))
    assert sum(isinstance(result, Claim) for result in results) == 1


async def test_a_dead_workers_work_is_due_again_with_a_higher_fence(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    dead = await claimed(ledger)
    await expire(connection)
    assert await ledger.due() == [dead.work_id]
    again = await claim(ledger, dead.work_id, worker="worker-2")
    assert (again.fence, again.attempts) == (dead.fence + 1, 2)


async def test_the_fence_of_a_pack_rises_over_all_its_work(ledger: PostgresLedger) -> None:
    fences = []
    for _ in range(3):
        held = await claimed(ledger)
        fences.append(held.fence)
        await ledger.finish(held, WorkStatus.DONE)
    assert fences == [1, 2, 3]


async def write_nothing(ledger: PostgresLedger, stale: Claim, operation_id: UUID) -> None:
    for write in (
        begin(ledger, stale, CREATE),
        conclude(ledger, stale, operation_id, Done()),
        ledger.settle(stale, SALES_KEY, SALES, "as found"),
        ledger.resolve(stale, SALES_KEY, SALES),
        progress(ledger, stale, "Working..."),
        ledger.renew(stale, 60),
        ledger.postpone(stale, 0, "later"),
        ledger.finish(stale, WorkStatus.DONE),
    ):
        with pytest.raises(FenceLostError, match="worker-1 no longer holds Sales Operations / Sales Q1"):
            await write


@pytest.mark.parametrize("is_taken_over", [True, False], ids=["taken over", "run out"])
async def test_a_worker_that_lost_its_lease_writes_nothing(
    ledger: PostgresLedger, connection: asyncpg.Connection, is_taken_over: bool
) -> None:
    stale = await claimed(ledger)
    operation_id = await begin(ledger, stale, CREATE)
    await expire(connection)
    if is_taken_over:
        await claim(ledger, stale.work_id, worker="worker-2")
    before = await everything(connection)
    await write_nothing(ledger, stale, operation_id)
    assert await everything(connection) == before


async def test_neither_name_nor_number_alone_is_a_fence(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    operation_id = await begin(ledger, held, CREATE)
    await write_nothing(ledger, replace(held, fence=held.fence + 1), operation_id)
    with pytest.raises(FenceLostError):
        await begin(ledger, replace(held, worker="worker-2"), CREATE)


async def test_renewing_keeps_the_lease(ledger: PostgresLedger) -> None:
    held = await claimed(ledger, lease=2)
    await ledger.renew(held, 60)
    await asyncio.sleep(2.1)
    assert await holder_of(ledger, held.work_id) == "worker-1"
    await progress(ledger, held, "Still here...")


async def test_a_lease_ends_by_itself(ledger: PostgresLedger) -> None:
    held = await claimed(ledger, lease=0.05)
    await asyncio.sleep(0.1)
    assert isinstance(await ledger.claim("worker-2", held.work_id, 60), Claim)


async def test_needs_are_released_in_order(ledger: PostgresLedger) -> None:
    work = await submitted(
        ledger,
        a_plan(),
        [
            work_order(THIRD_PACK, frozenset({OTHER_PACK, PACK})),
            work_order(OTHER_PACK, frozenset({PACK})),
            work_order(PACK),
        ],
    )
    assert await ledger.claim("worker-1", work[THIRD_PACK], 60) == NothingToClaim()
    assert await ledger.finish(await claim(ledger, work[PACK]), WorkStatus.DONE) == [work[OTHER_PACK]]
    assert await ledger.finish(await claim(ledger, work[OTHER_PACK]), WorkStatus.DONE) == [work[THIRD_PACK]]
    assert await ledger.finish(await claim(ledger, work[THIRD_PACK]), WorkStatus.DONE) == []


async def test_needs_that_end_at_one_moment_release_what_needs_both(ledger: PostgresLedger) -> None:
    for _ in range(5):
        work = await submitted(
            ledger,
            a_plan(),
            [work_order(PACK), work_order(OTHER_PACK), work_order(THIRD_PACK, frozenset({PACK, OTHER_PACK}))],
        )
        claims = [await claim(ledger, work[PACK]), await claim(ledger, work[OTHER_PACK])]
        released = await asyncio.gather(*(ledger.finish(held, WorkStatus.DONE) for held in claims))
        assert sorted(released, key=len) == [[], [work[THIRD_PACK]]]


async def test_work_that_holds_something_back_meets_a_need(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK, frozenset({PACK}))])
    assert await ledger.finish(await claim(ledger, work[PACK]), WorkStatus.HELD, "protected") == [work[OTHER_PACK]]
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.error_message, state.applied_commit) == (PackStatus.FAILED, "protected", "")


@pytest.mark.parametrize("end", [WorkStatus.FAILED, WorkStatus.STALE, WorkStatus.SKIPPED, WorkStatus.NEEDS_ATTENTION])
async def test_what_needs_failed_work_is_skipped_with_the_reason(
    ledger: PostgresLedger, connection: asyncpg.Connection, end: WorkStatus
) -> None:
    work = await submitted(
        ledger,
        a_plan(),
        [
            work_order(PACK),
            work_order(OTHER_PACK, frozenset({PACK})),
            work_order(THIRD_PACK, frozenset({OTHER_PACK})),
        ],
    )
    assert await ledger.finish(await claim(ledger, work[PACK]), end, "no such table") == []
    reason = "not attempted: it needs Sales Operations / Sales Q1, which did not succeed: no such table"
    for pack in (OTHER_PACK, THIRD_PACK):
        [item] = await ledger.work([work[pack]])
        assert (item.status, item.reason) == (WorkStatus.SKIPPED, reason)
        [state] = await ledger.pack_states(pack)
        assert (state.status, state.error_message) == (PackStatus.FAILED, reason)
    statuses = await connection.fetch("SELECT request_status FROM deltashare.requests WHERE is_current")
    assert {row["request_status"] for row in statuses} == {"FAILED"}


@pytest.mark.parametrize(
    ("end", "status", "applied"),
    [
        (WorkStatus.DONE, PackStatus.COMPLETED, COMMIT),
        (WorkStatus.HELD, PackStatus.FAILED, ""),
        (WorkStatus.FAILED, PackStatus.FAILED, ""),
        (WorkStatus.STALE, PackStatus.FAILED, ""),
        (WorkStatus.NEEDS_ATTENTION, PackStatus.FAILED, ""),
    ],
)
async def test_the_end_of_the_work_is_the_status_of_the_pack(
    ledger: PostgresLedger, end: WorkStatus, status: PackStatus, applied: str
) -> None:
    await ledger.finish(await claimed(ledger), end, "" if end is WorkStatus.DONE else "why")
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.applied_commit) == (status, applied)
    assert state.error_message == ("" if end is WorkStatus.DONE else "why")


async def test_finished_work_cannot_be_finished_again(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.finish(held, WorkStatus.DONE)
    with pytest.raises(FenceLostError):
        await ledger.finish(held, WorkStatus.FAILED, "again")


async def test_waiting_is_no_end(ledger: PostgresLedger) -> None:
    with pytest.raises(ValueError, match="use postpone"):
        await ledger.finish(await claimed(ledger), WorkStatus.WAITING)


async def test_postponed_work_is_due_when_its_time_has_come(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    await ledger.postpone(held, 100, "throttled")
    assert await ledger.due() == []
    refused = await ledger.claim("worker-2", held.work_id, 60)
    assert isinstance(refused, NothingToClaim)
    assert refused.due_in == pytest.approx(100, abs=20)
    [item] = await ledger.work([held.work_id])
    assert (item.status, item.reason) == (WorkStatus.WAITING, "throttled")
    [state] = await ledger.pack_states(PACK)
    assert state.provisioning_status == "Waiting to try again: throttled"
    await connection.execute("UPDATE reconciler.work SET not_before = not_before - interval '100 s'")
    assert await ledger.due() == [held.work_id]
    await claim(ledger, held.work_id, worker="worker-2")
    [state] = await ledger.pack_states(PACK)
    assert state.provisioning_status == "Waiting for a worker"


@pytest.mark.parametrize("outcome", [None, NotDone("429"), OutcomeUnknown("no answer"), Refused("no")])
async def test_setbacks_are_counted_until_a_call_goes_through(ledger: PostgresLedger, outcome: Outcome | None) -> None:
    held = await claimed(ledger)
    for expected in (1, 2):
        if outcome is not None:
            await conclude(ledger, held, await begin(ledger, held, CREATE), outcome)
        await ledger.postpone(held, 0, "later")
        held = await claim(ledger, held.work_id)
        assert (held.setbacks, held.attempts) == (expected, expected + 1)
    await conclude(ledger, held, await begin(ledger, held, CREATE), Done())
    await conclude(ledger, held, await begin(ledger, held, CREATE), NotDone("429"))
    await ledger.postpone(held, 0, "later")
    held = await claim(ledger, held.work_id)
    assert (held.setbacks, held.attempts) == (1, 4)
    # What went through for an earlier claim is no way gone by this one.
    await ledger.postpone(held, 0, "later")
    assert (await claim(ledger, held.work_id)).setbacks == 2


async def test_what_nobody_understands_is_counted_for_good(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    for is_unexplained, expected in ((True, 1), (False, 1), (True, 2)):
        await conclude(ledger, held, await begin(ledger, held, CREATE), Done())
        await ledger.postpone(held, 0, "later", unexplained=is_unexplained)
        held = await claim(ledger, held.work_id)
        assert (held.unexplained, held.vanished) == (expected, 0)


async def test_work_that_is_put_back_at_once_is_not_what_it_released(ledger: PostgresLedger) -> None:
    assert await ledger.postpone(await claimed(ledger), 0, "the worker was stopped") == []


async def test_putting_back_releases_the_newer_work_of_the_pack(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    newer = await submitted(ledger, a_plan(), [work_order()])
    assert await ledger.postpone(held, 0, "later") == [newer[PACK]]


async def test_progress_is_a_version_only_when_the_words_change(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    for words in ("Creating recipients...", "Creating recipients...", "Creating shares..."):
        await progress(ledger, held, words)
    rows = await connection.fetch("SELECT provisioning_status FROM deltashare.share_packs ORDER BY version")
    assert [row["provisioning_status"] for row in rows] == [
        "Waiting for a worker",
        "Creating recipients...",
        "Creating shares...",
    ]


async def test_submitting_while_a_worker_writes_loses_nothing(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await asyncio.gather(
        *(progress(ledger, held, f"Step {number}") for number in range(6)),
        *(ledger.submit(a_plan(), [work_order()]) for _ in range(4)),
    )
    [state] = await ledger.pack_states(PACK)
    assert state.status is PackStatus.IN_PROGRESS
