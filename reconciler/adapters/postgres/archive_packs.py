"""Pages of packs, by business line and project. A page begins after the last pack of the one before, whatever has come
or gone meanwhile."""

import base64
import binascii
import json
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.portal_pool import storable
from reconciler.adapters.postgres.reading import pack_state
from reconciler.ports.archive import Filter, Page
from reconciler.ports.ledger import PackState

#: Keys of business line and project; empty before the first pack.
Place: TypeAlias = tuple[str, str]

#: Current rows, and what is waited for. Letter case is folded by who writes the keys; they sort by their bytes, so that
#: a page ends at the same pack on every server.
_STATES: Final = """
    SELECT share_packs.*, business_line, project_name, first.effective_from AS created_at, waiting.reason,
           tenants.business_line_key COLLATE "C" AS line_key,
           projects.project_key COLLATE "C" AS project_key
    FROM deltashare.share_packs
    JOIN deltashare.tenants ON tenants.tenant_id = share_packs.tenant_id AND tenants.is_current
    JOIN deltashare.projects ON projects.project_id = share_packs.project_id AND projects.is_current
    CROSS JOIN LATERAL (
        SELECT effective_from FROM deltashare.share_packs AS every
        WHERE every.share_pack_id = share_packs.share_pack_id AND every.version = 1 LIMIT 1
    ) AS first
    LEFT JOIN reconciler.work AS waiting
        ON waiting.share_pack_id = share_packs.share_pack_id AND waiting.status = 'waiting' AND waiting.reason <> ''
    WHERE share_packs.is_current
"""

_FOUND: Final = f"""
    WITH found AS (
        SELECT * FROM ({_STATES}) AS states
        WHERE NOT is_deleted
          AND ($1::text[] IS NULL OR line_key = ANY ($1))
          AND ($2::text = '' OR line_key = $2)
          AND ($3::text = '' OR share_pack_status = $3)
          AND ($4::text = '' OR lower(workspace_url) = lower($4))
          AND ($5::text = '' OR strpos(
              lower(concat_ws(E'\\n', share_pack_name, business_line, project_name, file_path, requested_by)), lower($5)
          ) > 0)
    )
"""  # noqa: S608 - constants of this program

_PAGE: Final = f"""
    {_FOUND}
    SELECT * FROM found WHERE (line_key, project_key) > ($6::text COLLATE "C", $7::text COLLATE "C")
    ORDER BY line_key, project_key LIMIT $8
"""  # noqa: S608 - as above

_COUNT: Final = f"{_FOUND} SELECT count(*) FROM found"  # noqa: S608 - as above


def place(after: str) -> Place:
    """Raises ValueError for what no page gave."""
    if not after:
        return "", ""
    try:
        found = json.loads(base64.urlsafe_b64decode(after.encode("ascii")))
    except (binascii.Error, UnicodeError, json.JSONDecodeError, RecursionError):
        found = None
    match found:
        case [str(line), str(project)] if storable(line + project) == line + project:
            return line, project
        case _:
            raise ValueError(f"no page of packs ends at {after!r}; give back `next` of the page before, or nothing")


async def page(connection: asyncpg.Connection, narrowed: Filter, after: Place, limit: int) -> Page:
    wanted = (
        None if narrowed.lines is None else sorted(narrowed.lines),
        " ".join(storable(narrowed.business_line).split()).casefold(),
        "" if narrowed.status is None else narrowed.status.value,
        storable(narrowed.workspace).rstrip("/"),
        storable(narrowed.text).strip(),
    )
    rows = await connection.fetch(_PAGE, *wanted, *after, limit + 1)
    shown = rows[:limit]
    return Page(
        packs=[pack_state(row) for row in shown],
        next=_cursor(shown[-1]) if len(rows) > limit and shown else None,
        total=await connection.fetchval(_COUNT, *wanted),
    )


async def pack(connection: asyncpg.Connection, share_pack_id: UUID) -> PackState | None:
    row = await connection.fetchrow(f"{_STATES} AND share_packs.share_pack_id = $1", share_pack_id)
    return None if row is None else pack_state(row)


def _cursor(row: asyncpg.Record) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["line_key"], row["project_key"]]).encode()).decode()
