"""How claimed work ends: it is put back, or done with. What is done before is recorded by `operations`, taking it is
`claiming`'s."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.conditions import SUPERSEDED
from reconciler.adapters.postgres.due import released
from reconciler.adapters.postgres.lease import give_back
from reconciler.adapters.postgres.operations import Advance, change_of, conclude
from reconciler.adapters.postgres.packs import PROVISIONED, Progress, delete_packs, write_progress
from reconciler.adapters.postgres.release import close_requests, end_superseded, skip_blocked
from reconciler.adapters.postgres.submit import lock_orders
from reconciler.adapters.postgres.versions import Cause
from reconciler.core.recorded import PackStatus
from reconciler.core.retry import Failure
from reconciler.ports.ledger import Claim, Outcome, WorkStatus

#: The lease is given back with it.
_FINISH: Final = f"""
    WITH given_back AS (
        UPDATE reconciler.leases SET expires_at = '-infinity', holder = '' WHERE share_pack_id = ANY ($5::uuid[])
    )
    UPDATE reconciler.work SET status = ended.status, reason = ended.reason, failure = ended.failure,
                               finished_at = statement_timestamp()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS ended (work_id, status, reason, failure)
    WHERE work.work_id = ended.work_id RETURNING work.work_id, NOT {SUPERSEDED} AS is_newest
"""  # noqa: S608 - a constant of this program


@dataclass(frozen=True, slots=True)
class End:
    """How claimed work ends."""

    claim: Claim
    status: WorkStatus
    reason: str = ""
    failure: Failure = Failure.NONE
    outcomes: Mapping[UUID, Outcome] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Nothing has to be skipped for it."""
        return self.status in {WorkStatus.DONE, WorkStatus.HELD}


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
    [share_pack_id] = (await conclude(connection, [Advance(claim, outcomes)])).values()
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


async def finish(connection: asyncpg.Connection, ends: Sequence[End]) -> Sequence[Sequence[UUID]]:
    """For each, what became due by it. Several of them must be `is_good`, and the `origin` of their claims the same."""
    for end in ends:
        if not end.status.is_final:
            raise ValueError(f"{end.status} is no end; use postpone to try again later")
    packs = await conclude(connection, [Advance(end.claim, end.outcomes) for end in ends])
    # Two ends at once would each see the other's work unfinished, and nobody would release what needs both.
    await lock_orders(connection)
    first = ends[0].claim
    if ends[0].status is WorkStatus.SKIPPED and await _is_superseded(connection, first):
        return [await _give_way(connection, first, packs[first.work_id])]
    newest = await _end_work(connection, ends, packs.values())
    await _finish_packs(connection, {packs[end.claim.work_id]: end for end in ends if end.claim.work_id in newest})
    requests = {end.claim.work_id: (_request_status(end), end.reason.replace("\x00", "")) for end in ends}
    causes = {end.claim.work_id: Cause(end.status.value) for end in ends}
    await close_requests(connection, requests, change_of(first, "", causes))
    if not ends[0].is_good:
        await skip_blocked(connection, change_of(first, "work it needs did not succeed"))
    due = await released(connection, {end.claim.work_id: packs[end.claim.work_id] for end in ends})
    return [due[end.claim.work_id] for end in ends]


def _request_status(end: End) -> str:
    return "COMPLETED" if end.status is WorkStatus.DONE else "FAILED"


async def _end_work(
    connection: asyncpg.Connection, ends: Sequence[End], share_pack_ids: Collection[UUID]
) -> frozenset[UUID]:
    """Those that no newer plan has replaced: of the others, the newer work says how far the pack got."""
    rows = await connection.fetch(
        _FINISH,
        [end.claim.work_id for end in ends],
        [end.status.value for end in ends],
        [end.reason.replace("\x00", "") for end in ends],
        [end.failure.value for end in ends],
        list(share_pack_ids),
    )
    return frozenset(row["work_id"] for row in rows if row["is_newest"])


async def _is_superseded(connection: asyncpg.Connection, claim: Claim) -> bool:
    is_superseded: bool = await connection.fetchval(
        f"SELECT {SUPERSEDED} FROM reconciler.work WHERE work_id = $1",  # noqa: S608 - a constant of this program
        claim.work_id,
    )
    return is_superseded


async def _give_way(connection: asyncpg.Connection, claim: Claim, share_pack_id: UUID) -> Sequence[UUID]:
    """Give the lease back. What a newer plan has replaced ends by that, and what waited for it waits for the newer."""
    await give_back(connection, share_pack_id)
    await end_superseded(connection, [share_pack_id], change_of(claim, "superseded by a newer plan"))
    return (await released(connection, {claim.work_id: share_pack_id}))[claim.work_id]


async def _finish_packs(connection: asyncpg.Connection, ends: Mapping[UUID, End]) -> None:
    """`ends`: by pack."""
    if not ends:
        return
    progress = {pack: _progress(end) for pack, end in ends.items()}
    causes = {pack: Cause(each.words) for pack, each in progress.items()}
    claim = next(iter(ends.values())).claim
    await write_progress(connection, progress, change_of(claim, "", causes))
    gone = [pack for pack, end in ends.items() if end.status is WorkStatus.DONE and end.claim.order.config is None]
    await delete_packs(connection, gone, change_of(claim, "removed from Git"))


def _progress(end: End) -> Progress:
    reason = end.reason
    match end.status:
        case WorkStatus.DONE:
            return Progress(PackStatus.COMPLETED, PROVISIONED, applied_commit=end.claim.commit)
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
            raise ValueError(f"{end.status} is no end")
        case _:
            assert_never(end.status)
