"""What became of packs, in the order in which others came to see it (`reconciler.happenings`; its migration says why no
number is ever skipped)."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from reconciler.adapters.postgres.reading import pack_state
from reconciler.ports.archive import Happening

#: Before the first.
_NONE_YET: Final = 1
#: Of the numbers that the database can count.
_GREATEST: Final = 2**63 - 1


async def happenings(
    connection: asyncpg.Connection, after: int, lines: frozenset[str] | None, limit: int
) -> Sequence[Happening]:
    """Each with the pack as it was then. All is looked up one by one, from the first that is asked for on."""
    if not _NONE_YET <= after <= _GREATEST:
        return ()
    rows = await connection.fetch(
        """
        SELECT number, share_packs.*, business_line, project_name, first.effective_from AS created_at, '' AS reason
        FROM reconciler.happenings
        CROSS JOIN LATERAL (
            SELECT * FROM deltashare.share_packs WHERE share_packs.record_id = happenings.record_id LIMIT 1
        ) AS share_packs
        CROSS JOIN LATERAL (
            SELECT business_line, business_line_key FROM deltashare.tenants
            WHERE tenants.tenant_id = share_packs.tenant_id AND tenants.is_current LIMIT 1
        ) AS tenants
        CROSS JOIN LATERAL (
            SELECT project_name FROM deltashare.projects
            WHERE projects.project_id = share_packs.project_id AND projects.is_current LIMIT 1
        ) AS projects
        CROSS JOIN LATERAL (
            SELECT effective_from FROM deltashare.share_packs AS first
            WHERE first.share_pack_id = share_packs.share_pack_id AND first.version = 1 LIMIT 1
        ) AS first
        WHERE number > $1 AND ($2::text[] IS NULL OR business_line_key = ANY ($2))
        ORDER BY number LIMIT $3
        """,
        after,
        None if lines is None else sorted(lines),
        limit,
    )
    return [Happening(row["number"], row["effective_from"], pack_state(row)) for row in rows]


async def newest(connection: asyncpg.Connection) -> int:
    number: int = await connection.fetchval(
        "SELECT coalesce(max(number), $1::bigint) FROM reconciler.happenings", _NONE_YET
    )
    return number
