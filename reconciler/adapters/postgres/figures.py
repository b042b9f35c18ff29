"""What there is to watch, counted in one statement from the rows as they are."""

import json
from typing import Final

import asyncpg

from reconciler.adapters.postgres.holds import IN_FORCE
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import Figures

#: A call of a worker that still holds its lease is not unknown, only under way. A full pass of a daemon whose clock is
#: ahead was just now.
_FIGURES: Final = f"""
    WITH on_record AS MATERIALIZED (
        SELECT share_pack_id, share_pack_status FROM deltashare.share_packs WHERE is_current AND NOT is_deleted
    )
    SELECT
        (
            SELECT coalesce(jsonb_object_agg(share_pack_status, packs), '{{}}')
            FROM (SELECT share_pack_status, count(*) AS packs FROM on_record GROUP BY share_pack_status) AS by_status
        ) AS packs,
        unfinished.*,
        (
            SELECT count(*) FROM on_record CROSS JOIN LATERAL (
                SELECT status FROM reconciler.work
                WHERE work.share_pack_id = on_record.share_pack_id ORDER BY number DESC LIMIT 1
            ) AS newest
            WHERE newest.status = 'needs_attention'
        ) AS needing_attention,
        (
            SELECT count(*) FROM reconciler.operations
            WHERE outcome = 'unknown' OR outcome = 'begun' AND NOT EXISTS (
                SELECT FROM reconciler.leases
                WHERE leases.work_id = operations.work_id AND leases.fence = operations.fence
                  AND leases.expires_at > clock_timestamp()
            )
        ) AS unknown_outcomes,
        drifted.*,
        held.*,
        (SELECT count(*) FROM reconciler.pauses WHERE until > statement_timestamp()) AS paused,
        (SELECT count(*) FROM reconciler.distrusts) AS distrusted,
        (
            SELECT greatest(0.0, extract(epoch FROM statement_timestamp() - max(full_pass_at)))::float8
            FROM reconciler.daemons HAVING max(full_pass_at) IS NOT NULL
        ) AS last_full_pass
    FROM (
        SELECT count(*) AS unfinished,
               extract(epoch FROM statement_timestamp() - min(created_at))::float8 AS oldest_unfinished
        FROM reconciler.work WHERE status IN ('waiting', 'running')
    ) AS unfinished CROSS JOIN (
        SELECT count(*) AS drifted,
               extract(epoch FROM statement_timestamp() - min(drift_since))::float8 AS oldest_drift
        FROM reconciler.observations JOIN on_record USING (share_pack_id) WHERE drift_since IS NOT NULL
    ) AS drifted CROSS JOIN (
        SELECT count(*) FILTER (WHERE hold = 'suspended') AS suspended,
               count(*) FILTER (WHERE hold = 'contested') AS contested
        FROM reconciler.holds WHERE {IN_FORCE}
    ) AS held
"""  # noqa: S608 - a constant


async def figures(connection: asyncpg.Connection) -> Figures:
    """Every status is there, with 0 where no pack has it. `contested` counts fields."""
    row = dict(await connection.fetchrow(_FIGURES))
    found = json.loads(row.pop("packs"))
    return Figures(packs={status: found.get(status.value, 0) for status in PackStatus}, **row)
