"""Versions of one recipient or share: found by name, written for the pack that declares it now. A rename continues the
versions of the old name; a name that others bore before never gets their ids."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import resource_id
from reconciler.adapters.postgres.rows import NAME_COLUMN, from_columns, table_of, to_columns
from reconciler.adapters.postgres.versions import Change, Row, revised, write_versions
from reconciler.core.key import Key, Kind, normal_name
from reconciler.core.resource import Resource, key_of
from reconciler.ports.ledger import NameTakenError

_FIND: Final = """
    WITH own AS MATERIALIZED (
        SELECT to_jsonb(held) AS row FROM deltashare.{table} AS held
        WHERE is_current AND workspace_url = $1 AND lower({name}) = $2
        ORDER BY is_deleted, effective_from DESC LIMIT 1
    ), renamed AS (
        SELECT to_jsonb(held) AS row FROM deltashare.{table} AS held
        WHERE is_current AND NOT is_deleted AND workspace_url = $1 AND lower({name}) = $3
    )
    SELECT (SELECT row FROM own) AS own, (SELECT row FROM renamed) AS renamed, CASE
        WHEN EXISTS (SELECT FROM own) THEN 0
        ELSE (SELECT count(DISTINCT {id}) FROM deltashare.{table} WHERE workspace_url = $1 AND lower({name}) = $2)
    END AS bearers
"""


@dataclass(frozen=True, slots=True)
class _Found:
    #: The current row of the name, even if deleted; None also when whoever bore it was renamed since.
    own: dict[str, Any] | None
    #: The current row of the old name; None when there is none, or it is deleted, or nothing is renamed.
    renamed: dict[str, Any] | None
    #: How many have borne the name; counted only where `own` is None.
    bearers: int


async def write_resource(
    connection: asyncpg.Connection,
    key: Key,
    resource: Resource | None,
    share_pack_id: UUID,
    change: Change,
    renamed_from: str = "",
) -> None:
    """None: it is gone. A name that was recorded before, even if deleted since, continues its versions; with
    `renamed_from`, those of the old name are continued while they are current. Raises NameTakenError."""
    if resource is not None and key_of(resource, key.workspace) != key:
        raise ValueError(f"{key}: the resource is called {resource.name}")
    table = table_of(key.kind)
    found = await _find(connection, key, renamed_from)
    if resource is None:
        if found.own is not None:
            await write_versions(connection, table, [{**found.own, "is_deleted": True}], change)
        return
    row = _continued(found, key, renamed_from)
    entity_id = resource_id(key, found.bearers) if row is None else UUID(str(row[table.id]))
    columns = {**_described(key.kind, row, resource), "workspace_url": key.workspace, "share_pack_id": share_pack_id}
    await write_versions(connection, table, [revised(table, entity_id, row, columns)], change)


async def require_free_name(connection: asyncpg.Connection, key: Key, renamed_from: str) -> None:
    """Raises NameTakenError when the record could not follow the rename."""
    _continued(await _find(connection, key, renamed_from), key, renamed_from)


def _continued(found: _Found, key: Key, renamed_from: str) -> Row | None:
    if found.renamed is None:
        return found.own
    if found.own is not None and not found.own["is_deleted"]:
        raise NameTakenError(
            f"{key.kind}/{normal_name(renamed_from)} cannot become {key}: both are on record as different {key.kind}s; "
            f"choose another name, or remove or release {key} first"
        )
    return found.renamed


def _described(kind: Kind, row: Row | None, resource: Resource) -> Row:
    """Nothing when the row says it already, if in the words of an older version of this program."""
    return {} if row is not None and from_columns(kind, row) == resource else to_columns(resource)


async def _find(connection: asyncpg.Connection, key: Key, renamed_from: str) -> _Found:
    old_name = normal_name(renamed_from)
    row = await connection.fetchrow(
        _statement(key.kind), key.workspace, key.name, None if old_name in {"", key.name} else old_name
    )
    own, renamed = (None if row[name] is None else json.loads(row[name]) for name in ("own", "renamed"))
    return _Found(own, renamed, row["bearers"])


@cache
def _statement(kind: Kind) -> str:
    """Every name in it comes from the frozen descriptions in `tables`."""
    table = table_of(kind)
    return _FIND.format(table=table.name, id=table.id, name=NAME_COLUMN[kind])
