"""How claimed work ends: it is put back, or done with. What is done before is recorded by `operations`, taking it is
`claiming`'s."""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.conditions import SUPERSEDED
from reconciler.adapters.postgres.due import released
from reconciler.adapters.postgres.lease import give_back
from reconciler.adapters.postgres.operations import conclude
from reconciler.adapters.postgres.packs import PROVISIONED, Progress, delete_packs, write_progress
from reconciler.adapters.postgres.release import close_requests, end_superseded, skip_blocked
from reconciler.adapters.postgres.submit import lock_orders
from reconciler.adapters.postgres.versions import Change
from reconciler.core.recorded import PackStatus
from reconciler.core.retry import Failure
from reconciler.ports.ledger import Claim, Outcome, WorkStatus

_FINISH: Final = f"""
    UPDATE reconciler.work SET status = $2, reason = $3, failure = $4, finished_at = statement_timestamp()
    WHERE work_id = $1 RETURNING NOT {SUPERSEDED}
"""  # noqa: S608 - a constant of this program


async def postpone(
    connection: asyncpg.Connection,
    claim: Claim,
    seconds: float,
    reason: str,
    outcomes: Mapping[UUID, Outcome],
    *,
    unexplained: bool,
) -> Sequence[UUID]:
    """A call of this claim that went through ends the row of setbacks: there was some way to go, and some was gone."""
    share_pack_id = await conclude(connection, claim, outcomes)
    await lock_orders(connection)
    await connection.execute(
        """
        UPDATE reconciler.work SET
            status = 'waiting', reason = $3, not_before = clock_timestamp() + make_interval(secs => $4),
            setbacks = CASE WHEN EXISTS (
                SELECT FROM reconciler.operations
                WHERE operations.work_id = work.work_id AND fence = $2 AND outcome = 'done'
            ) THEN 1 ELSE setbacks + 1 END,
            unexplained = unexplained + CASE WHEN $5 THEN 1 ELSE 0 END
        WHERE work_id = $1
        """,
        claim.work_id,
        claim.fence,
        reason.replace("\x00", ""),
        seconds,
        unexplained,
    )
    return await _give_way(connection, claim, share_pack_id)


async def finish(
    connection: asyncpg.Connection,
    claim: Claim,
    status: WorkStatus,
    reason: str,
    failure: Failure,
    outcomes: Mapping[UUID, Outcome],
) -> Sequence[UUID]:
    if not status.is_final:
        raise ValueError(f"{status} is no end; use postpone to try again later")
    share_pack_id = await conclude(connection, claim, outcomes)
    # Two ends at once would each see the other's work unfinished, and nobody would release what needs both.
    await lock_orders(connection)
    if status is WorkStatus.SKIPPED and await _is_superseded(connection, claim):
        return await _give_way(connection, claim, share_pack_id)
    is_newest = await connection.fetchval(
        _FINISH, claim.work_id, status.value, reason.replace("\x00", ""), failure.value
    )
    await give_back(connection, share_pack_id)
    if is_newest:
        await _finish_pack(connection, share_pack_id, claim, status, reason)
    ends = {claim.work_id: ("COMPLETED" if status is WorkStatus.DONE else "FAILED", reason.replace("\x00", ""))}
    await close_requests(connection, ends, _change(claim, status.value))
    if status not in {WorkStatus.DONE, WorkStatus.HELD}:
        await skip_blocked(connection, _change(claim, "work it needs did not succeed"))
    return await released(connection, claim.work_id, share_pack_id)


async def _is_superseded(connection: asyncpg.Connection, claim: Claim) -> bool:
    is_superseded: bool = await connection.fetchval(
        f"SELECT {SUPERSEDED} FROM reconciler.work WHERE work_id = $1",  # noqa: S608 - a constant of this program
        claim.work_id,
    )
    return is_superseded


async def _give_way(connection: asyncpg.Connection, claim: Claim, share_pack_id: UUID) -> Sequence[UUID]:
    """Give the lease back. What a newer plan has replaced ends by that, and what waited for it waits for the newer."""
    await give_back(connection, share_pack_id)
    await end_superseded(connection, [share_pack_id], _change(claim, "superseded by a newer plan"))
    return await released(connection, claim.work_id, share_pack_id)


async def _finish_pack(
    connection: asyncpg.Connection, share_pack_id: UUID, claim: Claim, status: WorkStatus, reason: str
) -> None:
    """Not for work that a newer plan has replaced: then the newer one says how far the pack got."""
    end = _end(claim, status, reason)
    await write_progress(connection, {share_pack_id: end}, _change(claim, end.words))
    if status is WorkStatus.DONE and claim.order.config is None:
        await delete_packs(connection, [share_pack_id], _change(claim, "removed from Git"))


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
        case WorkStatus.NEEDS_ATTENTION:
            return Progress(PackStatus.FAILED, "Needs attention", reason)
        case WorkStatus.SKIPPED:
            return Progress(PackStatus.FAILED, "Not attempted", reason)
        case WorkStatus.WAITING | WorkStatus.RUNNING:
            raise ValueError(f"{status} is no end")
        case _:
            assert_never(status)


def _change(claim: Claim, reason: str) -> Change:
    return Change(claim.actor, reason, claim.plan_id, claim.commit, review=claim.order.review)
