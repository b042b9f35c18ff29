"""Taking work: who may have it now, and in words why not. How it ends is `work`'s to record."""

import json
from collections.abc import Sequence
from itertools import groupby
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

#: The lease is locked before the work, here and everywhere: the other way round, two workers wait for each other. Each
#: is looked up by itself, whatever the planner takes the tables for.
_CLAIM: Final = f"""
    WITH free AS MATERIALIZED (
        SELECT lease.share_pack_id, asked.work_id
        FROM unnest($1::uuid[]) AS asked (work_id) CROSS JOIN LATERAL (
            SELECT share_pack_id FROM reconciler.leases
            WHERE share_pack_id = (SELECT share_pack_id FROM reconciler.work WHERE work.work_id = asked.work_id)
              AND expires_at <= clock_timestamp()
              AND NOT EXISTS (SELECT FROM reconciler.alembic_version WHERE version_num > $4)
            LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS lease
    ), candidate AS MATERIALIZED (
        SELECT candidate.work_id FROM free CROSS JOIN LATERAL (
            SELECT work_id FROM reconciler.work
            WHERE work.work_id = free.work_id AND work.share_pack_id = free.share_pack_id
              AND status IN ('waiting', 'running') AND not_before <= clock_timestamp()
              AND coalesce(pack_order -> 'v', '1') <= to_jsonb($5::int)
              AND {NEEDS_MET} AND NOT {SUPERSEDED} AND NOT {PAUSED}
            LIMIT 1 FOR UPDATE OF work
        ) AS candidate
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
        RETURNING leases.share_pack_id, fence
    )
    SELECT taken.work_id, taken.share_pack_id, taken.plan_id, taken.pack_order, taken.attempts, taken.setbacks,
           taken.unexplained, taken.vanished, lease.fence, plans.commit_id, plans.actor
    FROM taken JOIN lease USING (share_pack_id) JOIN reconciler.plans USING (plan_id)
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


async def claim(
    connection: asyncpg.Connection, worker: str, work_ids: Sequence[UUID], lease: float
) -> Sequence[Claimed]:
    """In the order of `work_ids`, all different."""
    rows = await connection.fetch(_CLAIM, list(work_ids), worker, lease, newest_revision(), VERSION)
    taken = {row["work_id"]: _claim(row, worker) for row in rows}
    for plan_id, of_plan in groupby(sorted(rows, key=_plan_of), _plan_of):
        same = list(of_plan)
        change = Change(same[0]["actor"], "superseded by a newer plan", plan_id, same[0]["commit_id"] or "")
        await end_superseded(connection, [row["share_pack_id"] for row in same], change)
    return [taken.get(work_id) or await _why_not(connection, worker, work_id) for work_id in work_ids]


def _plan_of(row: asyncpg.Record) -> UUID:
    plan_id: UUID = row["plan_id"]
    return plan_id


def _claim(row: asyncpg.Record, worker: str) -> Claim:
    return Claim(
        work_id=row["work_id"],
        order=order_from_json(json.loads(row["pack_order"])),
        plan_id=row["plan_id"],
        commit=row["commit_id"] or "",
        actor=row["actor"],
        worker=worker,
        fence=row["fence"],
        attempts=row["attempts"],
        setbacks=row["setbacks"],
        unexplained=row["unexplained"],
        vanished=row["vanished"],
    )


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
