"""Counts how often a field was put back after somebody changed it by hand, and gives up when it was too often: from
then on the field is contested. The count is forgotten when the contest ends."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.holds import audit_placed, end, lock_holds
from reconciler.adapters.postgres.lease import hold
from reconciler.adapters.postgres.versions import bounded
from reconciler.core.holds import CONTEST_LASTS, CONTEST_WINDOW, CONTESTED_AFTER
from reconciler.core.key import Key
from reconciler.ports.ledger import Claim

_WITHIN: Final = f"times within {CONTEST_WINDOW / 3600:.0f} hours"


async def corrected(
    connection: asyncpg.Connection, claim: Claim, key: Key, actors: Mapping[str, str], declared: str
) -> None:
    """`actors`: by field. Raises FenceLostError."""
    share_pack_id = await hold(connection, claim)
    if not actors:
        return
    await lock_holds(connection)
    actors = {field.replace("\x00", ""): actor.replace("\x00", "") for field, actor in sorted(actors.items())}
    by = bounded(claim.actor, 255)
    await end(connection, await _outdated(connection, key, list(actors), declared), by)
    await _count(connection, share_pack_id, key, actors)
    await _contest(connection, share_pack_id, key, actors, declared, by)


async def _outdated(connection: asyncpg.Connection, key: Key, fields: list[str], declared: str) -> list[UUID]:
    """Contests that have run out, and those about something else than what the pack wants now."""
    rows = await connection.fetch(
        """
        SELECT hold_id FROM reconciler.holds
        WHERE hold = 'contested' AND ended_at IS NULL AND workspace_url = $1 AND kind = $2 AND name = $3
          AND field = ANY ($4::text[]) AND (declared <> $5 OR until <= statement_timestamp())
        """,
        key.workspace,
        key.kind.value,
        key.name,
        fields,
        declared,
    )
    return [row["hold_id"] for row in rows]


async def _count(connection: asyncpg.Connection, share_pack_id: UUID, key: Key, actors: Mapping[str, str]) -> None:
    """What is too old to count goes, whatever it is about, so that the table does not grow."""
    await connection.execute(
        """
        WITH aged AS (
            DELETE FROM reconciler.corrections WHERE corrected_at <= statement_timestamp() - make_interval(secs => $7)
        )
        INSERT INTO reconciler.corrections (share_pack_id, workspace_url, kind, name, field, actor)
        SELECT $1, $2, $3, $4, field, actor FROM unnest($5::text[], $6::text[]) AS put_back (field, actor)
        """,
        share_pack_id,
        key.workspace,
        key.kind.value,
        key.name,
        list(actors),
        list(actors.values()),
        CONTEST_WINDOW,
    )


async def _contest(
    connection: asyncpg.Connection, share_pack_id: UUID, key: Key, actors: Mapping[str, str], declared: str, by: str
) -> None:
    """All corrections that are still there are within the window. A contest that is in force stays as it is."""
    placed = await connection.fetch(
        """
        INSERT INTO reconciler.holds AS placed (
            share_pack_id, hold, placed_by, reason, until, workspace_url, kind, name, field, actor, declared
        )
        SELECT $1, 'contested', $8, concat_ws(' ', 'put back', count(*), $9::text),
               statement_timestamp() + make_interval(secs => $11), $2, $3, $4, field, put_back.actor, $7
        FROM reconciler.corrections
        JOIN unnest($5::text[], $6::text[]) AS put_back (field, actor) USING (field)
        WHERE workspace_url = $2 AND kind = $3 AND name = $4
        GROUP BY field, put_back.actor HAVING count(*) >= $10
        ON CONFLICT DO NOTHING
        RETURNING placed.*, to_jsonb(placed) AS whole
        """,
        share_pack_id,
        key.workspace,
        key.kind.value,
        key.name,
        list(actors),
        list(actors.values()),
        declared,
        by,
        _WITHIN,
        CONTESTED_AFTER,
        CONTEST_LASTS,
    )
    await audit_placed(connection, placed)
