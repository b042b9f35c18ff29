"""What plans saw that is worth telling until the next look, kept between the plan that saw it and who tells it. Only
the last look of a pack counts, so these rows have no history; but a drift knows since when it has been there."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.plan import Degraded
from reconciler.core.sighting import Sighting

#: Looks that change something are written one at a time: each touches rows in an order of its own. "sharseen" in ASCII.
_LOCK: Final = 0x736861727365656E

#: A look that saw what the one before saw takes no lock and writes nothing.
_OBSERVED: Final = """
    WITH seen AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset($2::jsonb) AS seen (
            share_pack_id uuid, workspace_url text, kind text, name text, degraded jsonb, drift text[],
            drifted_by text, token_ends_at bigint
        )
    ), news AS MATERIALIZED (
        SELECT seen.* FROM seen LEFT JOIN reconciler.observations AS old USING (workspace_url, kind, name)
        WHERE (old.share_pack_id, old.degraded, old.drift, old.drifted_by, old.token_ends_at)
            IS DISTINCT FROM (seen.share_pack_id, seen.degraded, seen.drift, seen.drifted_by, seen.token_ends_at)
    ), well AS MATERIALIZED (
        SELECT share_pack_id, workspace_url, kind, name FROM reconciler.observations
        WHERE share_pack_id = ANY ($1::text[]::uuid[])
          AND (workspace_url, kind, name) NOT IN (SELECT workspace_url, kind, name FROM seen)
    ), turn AS MATERIALIZED (
        SELECT pg_advisory_xact_lock($3) WHERE EXISTS (SELECT FROM news) OR EXISTS (SELECT FROM well)
    ), gone AS (
        DELETE FROM reconciler.observations AS old USING turn CROSS JOIN well
        WHERE (old.workspace_url, old.kind, old.name) = (well.workspace_url, well.kind, well.name)
          -- Another pack's by now, it is that pack's to tell.
          AND old.share_pack_id = well.share_pack_id
    )
    INSERT INTO reconciler.observations AS old (
        workspace_url, kind, name, share_pack_id, degraded, drift, drift_since, drifted_by, token_ends_at
    )
    SELECT workspace_url, kind, name, share_pack_id, degraded, drift,
           CASE WHEN drift <> '{}' THEN statement_timestamp() END, drifted_by, token_ends_at
    FROM turn CROSS JOIN news
    ON CONFLICT (workspace_url, kind, name) DO UPDATE SET
        share_pack_id = excluded.share_pack_id,
        degraded = excluded.degraded,
        drift = excluded.drift,
        drift_since = CASE WHEN excluded.drift <> '{}' THEN coalesce(old.drift_since, excluded.drift_since) END,
        drifted_by = excluded.drifted_by,
        token_ends_at = excluded.token_ends_at,
        observed_at = excluded.observed_at
"""


async def observed(
    connection: asyncpg.Connection, looks: Sequence[tuple[PackId, Mapping[Key, Sighting]]]
) -> Sequence[None]:
    """One statement, whatever there is. A resource that another pack declares now is that pack's to tell."""
    rows = [
        _row(pack, key, sightings[key])
        for pack, sightings in looks
        for key in sorted(sightings)
        if sightings[key].is_notable
    ]
    packs = [str(pack_ids(pack).share_pack) for pack, _ in looks]
    await connection.execute(_OBSERVED, packs, json.dumps(rows), _LOCK)
    return [None] * len(looks)


async def sightings(connection: asyncpg.Connection) -> Mapping[PackId, Mapping[Key, Sighting]]:
    """Of packs on record. A plan may have seen one that nobody has submitted yet, or that has gone since."""
    rows = await connection.fetch(
        """
        SELECT observations.*, business_line, project_name
        FROM reconciler.observations
        JOIN reconciler.pack_names USING (share_pack_id)
        JOIN deltashare.share_packs USING (share_pack_id)
        WHERE share_packs.is_current AND NOT share_packs.is_deleted
        ORDER BY observations.workspace_url, kind, name
        """
    )
    found: dict[PackId, dict[Key, Sighting]] = defaultdict(dict)
    for row in rows:
        pack = PackId.of(row["business_line"], row["project_name"])
        found[pack][Key(Kind(row["kind"]), row["name"], row["workspace_url"])] = Sighting(
            degraded=tuple(_degraded(item) for item in json.loads(row["degraded"])),
            drift=tuple(row["drift"]),
            drifted_by=row["drifted_by"],
            token_ends_at=row["token_ends_at"],
            drift_since=row["drift_since"],
        )
    return dict(found)


def _row(pack: PackId, key: Key, sighting: Sighting) -> Mapping[str, object]:
    return {
        "share_pack_id": str(pack_ids(pack).share_pack),
        "workspace_url": key.workspace,
        "kind": key.kind.value,
        "name": key.name,
        "degraded": [
            {"object": item.object_name, "owner": item.owner, "missing": item.missing} for item in sighting.degraded
        ],
        "drift": list(sighting.drift),
        "drifted_by": sighting.drifted_by,
        "token_ends_at": sighting.token_ends_at,
    }


def _degraded(item: Mapping[str, Any]) -> Degraded:
    return Degraded(item["object"], item["owner"], item["missing"])
