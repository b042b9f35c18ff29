"""Work rows: who may take which, when, and how they end. What is done in between is recorded by `operations`."""

import json
from collections.abc import Collection, Sequence
from typing import Final, assert_never
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.lease import give_back, hold
from reconciler.adapters.postgres.orders import order_from_json, pack_from_json
from reconciler.adapters.postgres.packs import PROVISIONED, Progress, delete_pack, write_progress
from reconciler.adapters.postgres.release import close_requests, end_superseded, skip_blocked
from reconciler.adapters.postgres.submit import lock_orders
from reconciler.adapters.postgres.versions import Change
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import Claim, Claimed, NothingToClaim, Work, WorkStatus

#: The lease is locked before the work, here and everywhere: the other way round, two workers wait for each other.
#: A need is met by work that did all it may do.
_CLAIM: Final = """
    WITH free AS MATERIALIZED (
        SELECT leases.share_pack_id FROM reconciler.leases
        WHERE share_pack_id = (SELECT share_pack_id FROM reconciler.work WHERE work_id = $1)
          AND expires_at <= clock_timestamp()
        FOR UPDATE SKIP LOCKED
    ), candidate AS MATERIALIZED (
        SELECT work.work_id FROM reconciler.work JOIN free USING (share_pack_id)
        WHERE work_id = $1 AND status IN ('waiting', 'running') AND not_before <= clock_timestamp()
          AND NOT EXISTS (
              SELECT FROM reconciler.work AS need
              WHERE need.work_id = ANY (work.needs) AND need.status NOT IN ('done', 'held')
          )
          AND NOT EXISTS (
              SELECT FROM reconciler.work AS newer
              WHERE newer.share_pack_id = work.share_pack_id AND newer.number > work.number
          )
        FOR UPDATE OF work
    ), taken AS (
        UPDATE reconciler.work SET status = 'running', attempts = attempts + 1, reason = ''
        FROM candidate WHERE work.work_id = candidate.work_id
        RETURNING work.*
    ), lease AS (
        UPDATE reconciler.leases SET
            fence = fence + 1, holder = $2, work_id = taken.work_id,
            expires_at = clock_timestamp() + make_interval(secs => $3)
        FROM taken WHERE leases.share_pack_id = taken.share_pack_id
        RETURNING fence
    )
    SELECT taken.share_pack_id, taken.plan_id, taken.pack_order, taken.attempts, lease.fence,
           plans.commit_id, plans.actor
    FROM taken CROSS JOIN lease JOIN reconciler.plans USING (plan_id)
"""


async def claim(connection: asyncpg.Connection, worker: str, work_id: UUID, lease: float) -> Claimed:
    taken = await connection.fetchrow(_CLAIM, work_id, worker, lease)
    if taken is None:
        return await _why_not(connection, worker, work_id)
    claimed = Claim(
        work_id=work_id,
        order=order_from_json(json.loads(taken["pack_order"])),
        plan_id=taken["plan_id"],
        commit=taken["commit_id"] or "",
        actor=taken["actor"],
        worker=worker,
        fence=taken["fence"],
        attempts=taken["attempts"],
    )
    await end_superseded(connection, [taken["share_pack_id"]], _change(claimed, "superseded by a newer plan"))
    return claimed


async def _why_not(connection: asyncpg.Connection, worker: str, work_id: UUID) -> NothingToClaim:
    """Also ends it when a newer plan has taken its place since a worker left it unfinished."""
    row = await connection.fetchrow(
        """
        SELECT share_pack_id, EXISTS (
            SELECT FROM reconciler.work AS newer
            WHERE newer.share_pack_id = work.share_pack_id AND newer.number > work.number
        ) AS is_superseded
        FROM reconciler.work WHERE work_id = $1 AND status IN ('waiting', 'running')
        """,
        work_id,
    )
    if row is None:
        return NothingToClaim(is_finished=True)
    if not row["is_superseded"]:
        return NothingToClaim()
    await lock_orders(connection)
    change = Change(worker, "superseded by a newer plan")
    return NothingToClaim(is_finished=await end_superseded(connection, [row["share_pack_id"]], change))


async def due(connection: asyncpg.Connection, limit: int) -> Sequence[UUID]:
    rows = await connection.fetch(
        """
        SELECT work_id FROM reconciler.work
        WHERE status IN ('waiting', 'running') AND not_before <= clock_timestamp()
          AND NOT EXISTS (
              SELECT FROM reconciler.work AS need
              WHERE need.work_id = ANY (work.needs) AND need.status NOT IN ('done', 'held')
          )
          AND NOT EXISTS (
              SELECT FROM reconciler.leases
              WHERE leases.share_pack_id = work.share_pack_id AND leases.expires_at > clock_timestamp()
          )
        ORDER BY narrows DESC, number LIMIT $1
        """,
        limit,
    )
    return [row["work_id"] for row in rows]


async def progress(connection: asyncpg.Connection, claim: Claim, words: str) -> None:
    share_pack_id = await hold(connection, claim)
    state = Progress(PackStatus.IN_PROGRESS, words)
    await write_progress(connection, {share_pack_id: state}, _change(claim, words))


async def postpone(connection: asyncpg.Connection, claim: Claim, seconds: float, reason: str) -> None:
    """A try that reached Databricks with no call, or only with calls that were turned away unheard, does not count."""
    share_pack_id = await hold(connection, claim)
    await lock_orders(connection)
    await connection.execute(
        """
        UPDATE reconciler.work SET
            status = 'waiting', reason = $3, not_before = clock_timestamp() + make_interval(secs => $4),
            attempts = attempts - CASE WHEN EXISTS (
                SELECT FROM reconciler.operations
                WHERE operations.work_id = work.work_id AND fence = $2 AND outcome <> 'not_done'
            ) THEN 0 ELSE 1 END
        WHERE work_id = $1
        """,
        claim.work_id,
        claim.fence,
        reason.replace("\x00", ""),
        seconds,
    )
    await give_back(connection, share_pack_id)
    await end_superseded(connection, [share_pack_id], _change(claim, "superseded by a newer plan"))


async def finish(connection: asyncpg.Connection, claim: Claim, status: WorkStatus, reason: str) -> Sequence[UUID]:
    if not status.is_final:
        raise ValueError(f"{status} is no end; use postpone to try again later")
    share_pack_id = await hold(connection, claim)
    # Two ends at once would each see the other's work unfinished, and nobody would release what needs both.
    await lock_orders(connection)
    is_newest = await connection.fetchval(
        """
        UPDATE reconciler.work SET status = $2, reason = $3, finished_at = statement_timestamp()
        WHERE work_id = $1
        RETURNING NOT EXISTS (
            SELECT FROM reconciler.work AS newer
            WHERE newer.share_pack_id = work.share_pack_id AND newer.number > work.number
        )
        """,
        claim.work_id,
        status.value,
        reason.replace("\x00", ""),
    )
    await give_back(connection, share_pack_id)
    if is_newest:
        await _finish_pack(connection, share_pack_id, claim, status, reason)
    ends = {claim.work_id: ("COMPLETED" if status is WorkStatus.DONE else "FAILED", reason.replace("\x00", ""))}
    await close_requests(connection, ends, _change(claim, status.value))
    if status not in {WorkStatus.DONE, WorkStatus.HELD}:
        await skip_blocked(connection, _change(claim, "work it needs did not succeed"))
    return await _released(connection, claim.work_id, share_pack_id)


async def _finish_pack(
    connection: asyncpg.Connection, share_pack_id: UUID, claim: Claim, status: WorkStatus, reason: str
) -> None:
    """Not for work that a newer plan has replaced: then the newer one says how far the pack got."""
    end = _end(claim, status, reason)
    await write_progress(connection, {share_pack_id: end}, _change(claim, end.words))
    if status is WorkStatus.DONE and claim.order.config is None:
        await delete_pack(connection, share_pack_id, _change(claim, "removed from Git"))


def _end(claim: Claim, status: WorkStatus, reason: str) -> Progress:
    match status:
        case WorkStatus.DONE:
            return Progress(PackStatus.COMPLETED, PROVISIONED, applied_commit=claim.commit)
        case WorkStatus.HELD:
            return Progress(PackStatus.FAILED, "Provisioned but for what is held", reason)
        case WorkStatus.STALE:
            return Progress(PackStatus.FAILED, "Stopped: more would change than was approved", reason)
        case WorkStatus.FAILED:
            return Progress(PackStatus.FAILED, "Failed", reason)
        case WorkStatus.SKIPPED:
            return Progress(PackStatus.FAILED, "Not attempted", reason)
        case WorkStatus.WAITING | WorkStatus.RUNNING:
            raise ValueError(f"{status} is no end")
        case _:
            assert_never(status)


async def _released(connection: asyncpg.Connection, work_id: UUID, share_pack_id: UUID) -> Sequence[UUID]:
    """What waited for this work, and newer work of the same pack, which waited for the lease."""
    rows = await connection.fetch(
        """
        SELECT work_id FROM reconciler.work
        WHERE status = 'waiting' AND ($1 = ANY (needs) OR share_pack_id = $2) AND not_before <= clock_timestamp()
          AND NOT EXISTS (
              SELECT FROM reconciler.work AS need
              WHERE need.work_id = ANY (work.needs) AND need.status NOT IN ('done', 'held')
          )
        ORDER BY narrows DESC, number
        """,
        work_id,
        share_pack_id,
    )
    return [row["work_id"] for row in rows]


async def work_items(connection: asyncpg.Connection, ids: Collection[UUID]) -> Sequence[Work]:
    rows = await connection.fetch(
        """
        SELECT work_id, pack_order -> 'pack' AS pack, status, attempts, reason FROM reconciler.work
        WHERE work_id = ANY ($1::uuid[]) ORDER BY number
        """,
        list(ids),
    )
    return [
        Work(
            id=row["work_id"],
            pack=pack_from_json(json.loads(row["pack"])),
            status=WorkStatus(row["status"]),
            attempts=row["attempts"],
            reason=row["reason"],
        )
        for row in rows
    ]


def _change(claim: Claim, reason: str) -> Change:
    return Change(claim.actor, reason, claim.plan_id, claim.commit)
