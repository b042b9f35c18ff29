"""What could be worked on now, in which order, and when the next is due. Whether it can be had is found out by
claiming it."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.conditions import NEEDS_MET, PAUSED, SUPERSEDED

#: What is being done counts as its line's first turn, so that a line that has a worker lets others go first. Sets that
#: are looked up, not joined: how many leases are live, the planner guesses wrongly, and then joins row by row.
_DUE: Final = f"""
    WITH live AS MATERIALIZED (
        SELECT share_pack_id, work_id FROM reconciler.leases WHERE holder <> '' AND expires_at > clock_timestamp()
    ), due AS (
        SELECT work_id, number, narrows, business_line_key COLLATE "C" AS line,
               work_id IN (SELECT work_id FROM live) AS is_held
        FROM reconciler.work
        WHERE status IN ('waiting', 'running') AND not_before <= statement_timestamp()
          AND (work_id IN (SELECT work_id FROM live) OR share_pack_id NOT IN (SELECT share_pack_id FROM live))
          AND {NEEDS_MET} AND NOT {PAUSED}
    ), turns AS (
        SELECT work_id, number, narrows, is_held,
               row_number() OVER (PARTITION BY line, narrows ORDER BY is_held DESC, number) AS turn
        FROM due
    )
    SELECT work_id FROM turns WHERE NOT is_held ORDER BY narrows DESC, turn, number LIMIT $1
"""  # noqa: S608 - constants of this program

#: In the order of time, until one is found that nothing else stands against.
_NEXT: Final = f"""
    WITH later AS MATERIALIZED (
        SELECT number, share_pack_id, needs, greatest(not_before, pauses.until) AS at
        FROM reconciler.work LEFT JOIN reconciler.pauses USING (workspace_url)
        WHERE status = 'waiting' AND greatest(not_before, pauses.until) > clock_timestamp() ORDER BY at
    )
    SELECT extract(epoch FROM at - clock_timestamp()) FROM later AS work
    WHERE {NEEDS_MET} AND NOT {SUPERSEDED} ORDER BY at LIMIT 1
"""  # noqa: S608 - constants of this program

#: Each of the two is found in an index of its own.
_RELEASED: Final = f"""
    SELECT ended.work_id AS ended, work.work_id
    FROM unnest($1::uuid[], $2::uuid[]) AS ended (work_id, share_pack_id) CROSS JOIN LATERAL (
        SELECT * FROM reconciler.work WHERE status = 'waiting' AND needs <> '{{}}' AND needs @> ARRAY[ended.work_id]
        UNION ALL
        SELECT * FROM reconciler.work
        WHERE status = 'waiting' AND work.share_pack_id = ended.share_pack_id AND NOT needs @> ARRAY[ended.work_id]
    ) AS work
    WHERE work.work_id <> ended.work_id AND not_before <= clock_timestamp() AND {NEEDS_MET} AND NOT {PAUSED}
    ORDER BY narrows DESC, number
"""  # noqa: S608 - constants of this program


async def due(connection: asyncpg.Connection, limit: int) -> Sequence[UUID]:
    return [row["work_id"] for row in await connection.fetch(_DUE, limit)]


async def next_due(connection: asyncpg.Connection) -> float | None:
    seconds = await connection.fetchval(_NEXT)
    return None if seconds is None else max(float(seconds), 0.0)


async def released(connection: asyncpg.Connection, ended: Mapping[UUID, UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """By work that has ended, of these packs: what waited for it, and newer work of the same pack, which waited for the
    lease. What waited for several of them is told once."""
    rows = await connection.fetch(_RELEASED, list(ended), list(ended.values()))
    first = {row["work_id"]: row["ended"] for row in reversed(rows)}
    return {
        work_id: [row["work_id"] for row in rows if row["ended"] == work_id == first[row["work_id"]]]
        for work_id in ended
    }
