"""Work that ends without being attempted: superseded by a newer plan, or because something it needs did not succeed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.conditions import SUPERSEDED
from reconciler.adapters.postgres.orders import review_from_json
from reconciler.adapters.postgres.packs import Progress, write_progress
from reconciler.adapters.postgres.tables import REQUESTS
from reconciler.adapters.postgres.versions import Change, read_current, revised, write_versions
from reconciler.core.recorded import PackStatus

#: From what waits to what it waits for, never from all that ever failed. How many are blocked, the planner cannot know:
#: the rows of causes, and of what is skipped, are looked up by their ids.
_SKIP: Final = f"""
    WITH RECURSIVE blocked AS (
        SELECT work.work_id, cause.work_id AS cause
        FROM reconciler.work CROSS JOIN unnest(work.needs) AS need (work_id) CROSS JOIN LATERAL (
            SELECT work_id, status FROM reconciler.work AS needed WHERE needed.work_id = need.work_id LIMIT 1
        ) AS cause
        WHERE work.status = 'waiting' AND work.needs <> '{{}}'
          AND cause.status IN ('failed', 'stale', 'skipped', 'needs_attention')
        UNION
        SELECT work.work_id, blocked.cause
        FROM blocked JOIN reconciler.work ON work.needs @> ARRAY[blocked.work_id]
        WHERE work.status = 'waiting' AND work.needs <> '{{}}'
    ), reasons AS MATERIALIZED (
        SELECT DISTINCT ON (blocked.work_id) blocked.work_id,
               'not attempted: it needs ' || (cause.pack_order #>> '{{pack,business_line}}') || ' / '
               || (cause.pack_order #>> '{{pack,project_name}}') || ', which did not succeed: ' || cause.reason
               AS reason
        FROM blocked CROSS JOIN LATERAL (
            SELECT pack_order, reason, number FROM reconciler.work WHERE work.work_id = blocked.cause LIMIT 1
        ) AS cause
        ORDER BY blocked.work_id, cause.number
    )
    UPDATE reconciler.work SET status = 'skipped', reason = reasons.reason, finished_at = statement_timestamp()
    FROM reasons WHERE work.work_id = reasons.work_id AND work.work_id = ANY (ARRAY(SELECT work_id FROM reasons))
    RETURNING work.work_id, work.share_pack_id, work.reason, work.pack_order -> 'review' AS review,
              NOT {SUPERSEDED} AS is_newest
"""  # noqa: S608 - a constant of this program


async def end_superseded(connection: asyncpg.Connection, share_pack_ids: Sequence[UUID], change: Change) -> bool:
    """End unfinished work of these packs that has a newer row and that nobody is working on. What waited for it waits
    for the newer one, or ends too when that one did not succeed. Whether there was any."""
    pairs = await connection.fetch(
        """
        UPDATE reconciler.work AS older SET
            status = 'skipped', reason = 'superseded by a newer plan', finished_at = statement_timestamp()
        FROM unnest($1::uuid[]) AS asked (share_pack_id) CROSS JOIN LATERAL (
            SELECT work_id, number FROM reconciler.work
            WHERE work.share_pack_id = asked.share_pack_id ORDER BY number DESC LIMIT 1
        ) AS newest
        WHERE older.share_pack_id = asked.share_pack_id AND older.number < newest.number
          AND older.status IN ('waiting', 'running')
          AND NOT EXISTS (
              SELECT FROM reconciler.leases
              WHERE leases.work_id = older.work_id AND leases.expires_at > clock_timestamp()
          )
        RETURNING older.work_id AS older, newest.work_id AS newest
        """,
        list(share_pack_ids),
    )
    if not pairs:
        return False
    await connection.execute(
        """
        UPDATE reconciler.work SET needs = ARRAY(
            SELECT coalesce(replaced.newest, need)
            FROM unnest(needs) AS need
            LEFT JOIN unnest($1::uuid[], $2::uuid[]) AS replaced (older, newest) ON replaced.older = need
        )
        WHERE status = 'waiting' AND needs <> '{}' AND needs && $1::uuid[]
        """,
        [pair["older"] for pair in pairs],
        [pair["newest"] for pair in pairs],
    )
    await close_requests(connection, {pair["older"]: ("SUPERSEDED", "") for pair in pairs}, change)
    await skip_blocked(connection, change)
    return True


async def skip_blocked(connection: asyncpg.Connection, change: Change) -> None:
    """Everything that waits for work that did not succeed, directly or through others, ends with the reason."""
    skipped = await connection.fetch(_SKIP)
    progress = {
        row["share_pack_id"]: Progress(PackStatus.FAILED, "Not attempted", row["reason"])
        for row in skipped
        if row["is_newest"]
    }
    reviews = {row["share_pack_id"]: review_from_json(json.loads(row["review"] or "null")) for row in skipped}
    await write_progress(connection, progress, replace(change, reviews=reviews))
    await close_requests(connection, {row["work_id"]: ("FAILED", row["reason"]) for row in skipped}, change)


async def close_requests(connection: asyncpg.Connection, ends: Mapping[UUID, tuple[str, str]], change: Change) -> None:
    """`ends`: status and error message by request."""
    rows = await read_current(connection, REQUESTS, ends)
    revisions = [
        revised(REQUESTS, entity_id, row, {"request_status": ends[entity_id][0], "error_message": ends[entity_id][1]})
        for entity_id, row in rows.items()
    ]
    await write_versions(connection, REQUESTS, revisions, change)
