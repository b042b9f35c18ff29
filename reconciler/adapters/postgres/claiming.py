"""Taking work: who may have it now, and in words why not. How it ends is `work`'s to record."""

import json
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.conditions import NEEDS_MET, PAUSED, SUPERSEDED
from reconciler.adapters.postgres.migrate import newest_revision, require_known
from reconciler.adapters.postgres.orders import VERSION, order_from_json, pack_from_json
from reconciler.adapters.postgres.release import end_superseded
from reconciler.adapters.postgres.submit import lock_orders
from reconciler.adapters.postgres.versions import Change
from reconciler.ports.ledger import Claim, Claimed, Holder, NothingToClaim, TooNewError

#: The lease is locked before the work, here and everywhere: the other way round, two workers wait for each other.
_CLAIM: Final = f"""
    WITH free AS MATERIALIZED (
        SELECT leases.share_pack_id FROM reconciler.leases
        WHERE share_pack_id = (SELECT share_pack_id FROM reconciler.work WHERE work_id = $1)
          AND expires_at <= clock_timestamp()
          AND NOT EXISTS (SELECT FROM reconciler.alembic_version WHERE version_num > $4)
        FOR UPDATE SKIP LOCKED
    ), candidate AS MATERIALIZED (
        SELECT work.work_id FROM reconciler.work JOIN free USING (share_pack_id)
        WHERE work_id = $1 AND status IN ('waiting', 'running') AND not_before <= clock_timestamp()
          AND coalesce(pack_order -> 'v', '1') <= to_jsonb($5::int)
          AND {NEEDS_MET} AND NOT {SUPERSEDED} AND NOT {PAUSED}
        FOR UPDATE OF work
    ), taken AS (
        UPDATE reconciler.work SET
            status = 'running', attempts = attempts + 1, reason = '',
            -- Still running, though the lease is free: its worker was not heard of again.
            vanished = vanished + CASE status WHEN 'running' THEN 1 ELSE 0 END
        FROM candidate WHERE work.work_id = candidate.work_id
        RETURNING work.*
    ), lease AS (
        UPDATE reconciler.leases SET
            fence = fence + 1, holder = $2, work_id = taken.work_id, acquired_at = clock_timestamp(),
            expires_at = clock_timestamp() + make_interval(secs => $3)
        FROM taken WHERE leases.share_pack_id = taken.share_pack_id
        RETURNING fence
    )
    SELECT taken.share_pack_id, taken.plan_id, taken.pack_order, taken.attempts, taken.setbacks, taken.unexplained,
           taken.vanished, lease.fence, plans.commit_id, plans.actor
    FROM taken CROSS JOIN lease JOIN reconciler.plans USING (plan_id)
"""  # noqa: S608 - constants of this program

_UNFINISHED: Final = f"""
    SELECT work.share_pack_id, pack_order -> 'pack' AS pack, {SUPERSEDED} AS is_superseded,
           coalesce(pack_order -> 'v', '1') > to_jsonb($2::int) AS is_too_new,
           (SELECT version_num FROM reconciler.alembic_version) AS revision,
           live.holder, coalesce(live.acquired_at, clock_timestamp()) AS since, live.expires_at AS until,
           CASE WHEN {NEEDS_MET} AND greatest(not_before, pauses.until) > clock_timestamp()
                THEN extract(epoch FROM greatest(not_before, pauses.until) - clock_timestamp()) END AS due_in
    FROM reconciler.work
    LEFT JOIN reconciler.leases AS live
        ON live.share_pack_id = work.share_pack_id AND live.expires_at > clock_timestamp()
    LEFT JOIN reconciler.pauses USING (workspace_url)
    WHERE work.work_id = $1 AND status IN ('waiting', 'running')
"""  # noqa: S608 - constants of this program


async def claim(connection: asyncpg.Connection, worker: str, work_id: UUID, lease: float) -> Claimed:
    taken = await connection.fetchrow(_CLAIM, work_id, worker, lease, newest_revision(), VERSION)
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
        setbacks=taken["setbacks"],
        unexplained=taken["unexplained"],
        vanished=taken["vanished"],
    )
    change = Change(claimed.actor, "superseded by a newer plan", claimed.plan_id, claimed.commit)
    await end_superseded(connection, [taken["share_pack_id"]], change)
    return claimed


async def _why_not(connection: asyncpg.Connection, worker: str, work_id: UUID) -> NothingToClaim:
    """Also ends it when a newer plan has taken its place since a worker left it unfinished."""
    row = await connection.fetchrow(_UNFINISHED, work_id, VERSION)
    if row is None:
        return NothingToClaim(is_finished=True)
    require_known(row["revision"])
    if row["is_too_new"]:
        pack = pack_from_json(json.loads(row["pack"]))
        raise TooNewError(f"the work of {pack} was submitted by a newer version of sharepack; upgrade sharepack here")
    if row["is_superseded"]:
        await lock_orders(connection)
        change = Change(worker, "superseded by a newer plan")
        if await end_superseded(connection, [row["share_pack_id"]], change):
            return NothingToClaim(is_finished=True)
    if row["holder"] is not None:
        return NothingToClaim(held_by=Holder(row["holder"], row["since"], row["until"]))
    return NothingToClaim(due_in=None if row["due_in"] is None else max(float(row["due_in"]), 0.0))
