"""Versions of one recipient or share: found by name, written for the pack that declares it now."""

import json
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import resource_id
from reconciler.adapters.postgres.rows import table_of, to_columns
from reconciler.adapters.postgres.versions import Change, Row, revised, write_versions
from reconciler.core.key import Key, Kind
from reconciler.core.resource import Resource, key_of

_CURRENT: Final = {
    Kind.RECIPIENT: """
        SELECT to_jsonb(recipients) FROM deltashare.recipients
        WHERE is_current AND workspace_url = $1 AND lower(recipient_name) = $2
        ORDER BY is_deleted, effective_from DESC LIMIT 1
    """,
    Kind.SHARE: """
        SELECT to_jsonb(shares) FROM deltashare.shares
        WHERE is_current AND workspace_url = $1 AND lower(share_name) = $2
        ORDER BY is_deleted, effective_from DESC LIMIT 1
    """,
}


async def write_resource(
    connection: asyncpg.Connection, key: Key, resource: Resource | None, share_pack_id: UUID, change: Change
) -> None:
    """None: it is gone. A name that was recorded before, even if deleted since, continues its versions."""
    if resource is not None and key_of(resource, key.workspace) != key:
        raise ValueError(f"{key}: the resource is called {resource.name}")
    table = table_of(key.kind)
    row = await _current_row(connection, key)
    if resource is None:
        if row is not None:
            await write_versions(connection, table, [{**row, "is_deleted": True}], change)
        return
    entity_id = resource_id(key) if row is None else UUID(str(row[table.id]))
    columns = {**to_columns(resource), "workspace_url": key.workspace, "share_pack_id": share_pack_id}
    await write_versions(connection, table, [revised(table, entity_id, row, columns)], change)


async def _current_row(connection: asyncpg.Connection, key: Key) -> Row | None:
    row = await connection.fetchval(_CURRENT[key.kind], key.workspace, key.name)
    return None if row is None else json.loads(row)
