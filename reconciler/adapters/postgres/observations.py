"""Shared objects that nobody gets to read, kept between the plan that saw them and the status that tells them. Only the
last look of a pack counts, so these rows have no history."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.plan import Degraded


async def observed(connection: asyncpg.Connection, pack: PackId, degraded: Mapping[Key, Sequence[Degraded]]) -> None:
    """One statement, whatever there is. A resource that another pack declares now is that pack's to tell."""
    await connection.execute(
        """
        WITH seen AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset($2::jsonb)
                AS seen (workspace_url text, kind text, name text, degraded jsonb)
        ), well AS (
            DELETE FROM reconciler.observations AS old
            WHERE share_pack_id = $1
              AND (workspace_url, kind, name) NOT IN (SELECT workspace_url, kind, name FROM seen)
        )
        INSERT INTO reconciler.observations AS old (workspace_url, kind, name, share_pack_id, degraded)
        -- Two plans at once lock the rows in one order.
        SELECT workspace_url, kind, name, $1, degraded FROM seen ORDER BY workspace_url, kind, name
        ON CONFLICT (workspace_url, kind, name) DO UPDATE SET
            share_pack_id = excluded.share_pack_id, degraded = excluded.degraded, observed_at = excluded.observed_at
        """,
        pack_ids(pack).share_pack,
        json.dumps([_row(key, degraded[key]) for key in sorted(degraded) if degraded[key]]),
    )


async def degraded(connection: asyncpg.Connection) -> Mapping[PackId, Mapping[Key, tuple[Degraded, ...]]]:
    """Of packs on record. A plan may have seen one that nobody has submitted yet, or that has gone since."""
    rows = await connection.fetch(
        """
        SELECT observations.workspace_url, kind, name, degraded, business_line, project_name
        FROM reconciler.observations
        JOIN reconciler.pack_names USING (share_pack_id)
        JOIN deltashare.share_packs USING (share_pack_id)
        WHERE share_packs.is_current AND NOT share_packs.is_deleted
        ORDER BY observations.workspace_url, kind, name
        """
    )
    found: dict[PackId, dict[Key, tuple[Degraded, ...]]] = defaultdict(dict)
    for row in rows:
        pack = PackId.of(row["business_line"], row["project_name"])
        key = Key(Kind(row["kind"]), row["name"], row["workspace_url"])
        found[pack][key] = tuple(_degraded(item) for item in json.loads(row["degraded"]))
    return dict(found)


def _row(key: Key, degraded: Sequence[Degraded]) -> Mapping[str, object]:
    items = [{"object": item.object_name, "owner": item.owner, "missing": item.missing} for item in degraded]
    return {"workspace_url": key.workspace, "kind": key.kind.value, "name": key.name, "degraded": items}


def _degraded(item: Mapping[str, Any]) -> Degraded:
    return Degraded(item["object"], item["owner"], item["missing"])
