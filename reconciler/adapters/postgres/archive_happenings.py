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
    """Each with the pack as it was then."""
    if not _NONE_YET <= after <= _GREATEST:
        return ()
    rows = await connection.fetch(
        """
        SELECT number, share_packs.*, business_line, project_name, first.effective_from AS created_at, '' AS reason
        FROM reconciler.happenings
        JOIN deltashare.share_packs USING (record_id)
        JOIN deltashare.tenants ON tenants.tenant_id = share_packs.tenant_id AND tenants.is_current
        JOIN deltashare.projects ON projects.project_id = share_packs.project_id AND projects.is_current
        JOIN deltashare.share_packs AS first
            ON first.share_pack_id = share_packs.share_pack_id AND first.version = 1
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
