"""Versions of packs, tenants and projects as rows of history, the last two as they are, and keys a pack ever had."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.portal_pool import storable
from reconciler.adapters.postgres.tables import PROJECTS, SCD2_COLUMNS, SHARE_PACKS, TENANTS, VERSIONED, Table
from reconciler.core.key import Key, Kind, PackId
from reconciler.ports.archive import RowVersion, Tenancy

_LOGS: Final = ("job_metrics", "project_costs", "sync_jobs", "notifications", "audit_trail")

#: Who wrote a version says which commit made them do it; rows themselves have a commit only where it is what they say.
_VERSIONS: Final = """
    SELECT to_jsonb(rows) AS row, rows.version, rows.effective_from, rows.effective_to, rows.is_current,
           rows.is_deleted, rows.created_by, rows.change_reason, audited.commit_id AS commit
    FROM deltashare.{name} AS rows
    LEFT JOIN deltashare.audit_trail AS audited
        ON audited.entity_type = '{entity}' AND audited.entity_id = rows.{id} AND audited.entity_version = rows.version
    WHERE rows.{id} = $1 ORDER BY rows.version
"""

_TENANTS: Final = """
    SELECT tenant_id AS id, business_line AS name, business_line, effective_from, to_jsonb(tenants) AS row
    FROM deltashare.tenants
    WHERE is_current AND NOT is_deleted AND ($1::text[] IS NULL OR business_line_key = ANY ($1))
    ORDER BY business_line_key COLLATE "C"
"""

_PROJECTS: Final = """
    SELECT project_id AS id, project_name AS name, business_line, projects.effective_from, to_jsonb(projects) AS row
    FROM deltashare.projects JOIN deltashare.tenants USING (tenant_id)
    WHERE projects.is_current AND NOT projects.is_deleted AND tenants.is_current
      AND ($1::text[] IS NULL OR business_line_key = ANY ($1)) AND ($2::text = '' OR business_line_key = $2)
    ORDER BY business_line_key COLLATE "C", project_key COLLATE "C"
"""

_KEYS: Final = """
    SELECT 'recipient' AS kind, lower(recipient_name) AS name, workspace_url
    FROM deltashare.recipients WHERE share_pack_id = $1
    UNION
    SELECT 'share', lower(share_name), workspace_url FROM deltashare.shares WHERE share_pack_id = $1
"""


async def pack_versions(connection: asyncpg.Connection, share_pack_id: UUID) -> Sequence[RowVersion]:
    return await _versions(connection, SHARE_PACKS, share_pack_id)


async def tenancy_versions(connection: asyncpg.Connection, tenancy_id: UUID) -> Sequence[RowVersion]:
    return await _versions(connection, TENANTS, tenancy_id) or await _versions(connection, PROJECTS, tenancy_id)


async def tenants(connection: asyncpg.Connection, lines: frozenset[str] | None) -> Sequence[Tenancy]:
    rows = await connection.fetch(_TENANTS, None if lines is None else sorted(lines))
    return [_tenancy(TENANTS, row) for row in rows]


async def projects(
    connection: asyncpg.Connection, lines: frozenset[str] | None, business_line: str
) -> Sequence[Tenancy]:
    line = " ".join(storable(business_line).split()).casefold()
    rows = await connection.fetch(_PROJECTS, None if lines is None else sorted(lines), line)
    return [_tenancy(PROJECTS, row) for row in rows]


async def pack_keys(connection: asyncpg.Connection, pack: PackId) -> Sequence[Key]:
    rows = await connection.fetch(_KEYS, pack_ids(pack).share_pack)
    return sorted(Key(Kind(row["kind"]), row["name"], row["workspace_url"]) for row in rows)


async def tables(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'deltashare' AND tablename = ANY ($1::text[])",
        [*(table.name for table in VERSIONED), *_LOGS],
    )
    return count


async def _versions(connection: asyncpg.Connection, table: Table, entity_id: UUID) -> Sequence[RowVersion]:
    return [_version(table, row) for row in await connection.fetch(_statement(table), entity_id)]


@cache
def _statement(table: Table) -> str:
    """Every name in it comes from the frozen descriptions in `tables`."""
    return _VERSIONS.format(name=table.name, id=table.id, entity=table.entity)


def _version(table: Table, row: asyncpg.Record) -> RowVersion:
    return RowVersion(
        version=row["version"],
        effective_from=row["effective_from"],
        effective_to=None if row["is_current"] else row["effective_to"],
        is_deleted=row["is_deleted"],
        created_by=row["created_by"],
        change_reason=row["change_reason"],
        commit=row["commit"] or "",
        values=_values(table, row),
    )


def _tenancy(table: Table, row: asyncpg.Record) -> Tenancy:
    return Tenancy(row["id"], row["name"], row["business_line"], row["effective_from"], _values(table, row))


def _values(table: Table, row: asyncpg.Record) -> dict[str, object]:
    ids = {table.id, "tenant_id", "project_id", "share_pack_id", "plan_id"}
    whole = json.loads(row["row"])
    return {name: value for name, value in whole.items() if name not in ids and name not in SCD2_COLUMNS}
