"""Plans as they were submitted, read back a pack at a time: what a document says of other packs is never given out."""

import json
from typing import Final

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.portal_pool import PortalPool
from reconciler.core.key import PackId
from reconciler.ports.kept_plans import KeptPlan

_NEWEST: Final = """
    SELECT plan_id, coalesce(commit_id, '') AS commit_id, actor, plans.created_at, part.value AS pack
    FROM (
        SELECT plan_id FROM reconciler.work WHERE share_pack_id = $1 ORDER BY number DESC LIMIT 1
    ) AS newest
    JOIN reconciler.plans USING (plan_id)
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(document -> 'packs') WHEN 'array' THEN document -> 'packs' ELSE '[]' END
    ) AS part
"""


class PostgresKeptPlans:
    """Implements `ports.kept_plans.KeptPlans`."""

    def __init__(self, connections: PortalPool) -> None:
        self._connections = connections

    async def newest(self, pack: PackId) -> KeptPlan | None:
        return await self._connections.run(_newest, pack)


async def _newest(connection: asyncpg.Connection, pack: PackId) -> KeptPlan | None:
    for row in await connection.fetch(_NEWEST, pack_ids(pack).share_pack):
        part = json.loads(row["pack"])
        named = part.get("id", {})
        if PackId.of(named.get("business_line", ""), named.get("project_name", "")) == pack:
            return KeptPlan(row["plan_id"], row["commit_id"], row["actor"], row["created_at"], part)
    return None
