"""Versions of recipients and shares: found by name, written for the pack that declares them now, any number of them at
once. A rename continues the versions of the old name; a name that others bore before never gets their ids."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import resource_id
from reconciler.adapters.postgres.rows import NAME_COLUMN, from_columns, table_of, to_columns
from reconciler.adapters.postgres.tables import Table
from reconciler.adapters.postgres.versions import Cause, Change, Row, revised, write_versions
from reconciler.core.key import Key, Kind, normal_name
from reconciler.core.resource import Resource, key_of
from reconciler.ports.ledger import NameTakenError

#: Each name is looked up by itself, whatever the planner takes the table for; what is gone only where nothing is there:
#: then no older version is looked at, however many there are of the name. How many have borne a name is counted only
#: where nobody does now.
_FIND: Final = """
    SELECT own.row AS own, renamed.row AS renamed, CASE
        WHEN own.row IS NOT NULL THEN 0
        ELSE (
            SELECT count(DISTINCT {id}) FROM deltashare.{table}
            WHERE workspace_url = asked.workspace_url AND lower({name}) = asked.name
        )
    END AS bearers
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS asked (workspace_url, name, old_name, place)
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (
                SELECT to_jsonb(held) FROM deltashare.{table} AS held
                WHERE is_current AND NOT is_deleted AND held.workspace_url = asked.workspace_url
                  AND lower({name}) = asked.name
            ), (
                SELECT to_jsonb(held) FROM deltashare.{table} AS held
                WHERE is_current AND is_deleted AND held.workspace_url = asked.workspace_url
                  AND lower({name}) = asked.name
                ORDER BY effective_from DESC LIMIT 1
            )
        ) AS row
    ) AS own
    LEFT JOIN LATERAL (
        SELECT to_jsonb(held) AS row FROM deltashare.{table} AS held
        WHERE is_current AND NOT is_deleted AND held.workspace_url = asked.workspace_url
          AND lower({name}) = asked.old_name
        LIMIT 1
    ) AS renamed ON true
    ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a resource, and by which call."""

    key: Key
    #: None: it is gone.
    resource: Resource | None
    #: The name it had before; empty when it was not renamed.
    renamed_from: str = ""
    #: None: that of the whole write.
    cause: Cause | None = None

    @property
    def keys(self) -> frozenset[Key]:
        """That its row depends on."""
        old_name = normal_name(self.renamed_from)
        return frozenset({self.key, replace(self.key, name=old_name)} if old_name else {self.key})


@dataclass(frozen=True, slots=True)
class _Rows:
    #: The current row of the name, even if deleted; None also when whoever bore it was renamed since.
    own: dict[str, Any] | None
    #: The current row of the old name; None when there is none, or it is deleted, or nothing is renamed.
    renamed: dict[str, Any] | None
    #: How many have borne the name; counted only where `own` is None.
    bearers: int


async def write_resources(
    connection: asyncpg.Connection, found: Mapping[UUID, Sequence[Found]], change: Change
) -> None:
    """`found`: by pack. Two statements for each kind, however many there are; what is said of one name more than once
    is written in that order. A name that was recorded before, even if deleted since, continues its versions; a renamed
    one those of the old name while they are current. Raises NameTakenError."""
    owned = [(share_pack_id, item) for share_pack_id, items in found.items() for item in items]
    for _, item in owned:
        if item.resource is not None and key_of(item.resource, item.key.workspace) != item.key:
            raise ValueError(f"{item.key}: the resource is called {item.resource.name}")
    for together in _independent(owned):
        for kind in Kind:
            await _write(connection, kind, [(owner, item) for owner, item in together if item.key.kind is kind], change)


async def write_resource(
    connection: asyncpg.Connection,
    key: Key,
    resource: Resource | None,
    share_pack_id: UUID,
    change: Change,
    renamed_from: str = "",
) -> None:
    await write_resources(connection, {share_pack_id: [Found(key, resource, renamed_from)]}, change)


async def require_free_name(connection: asyncpg.Connection, key: Key, renamed_from: str) -> None:
    """Raises NameTakenError when the record could not follow the rename."""
    asked = Found(key, None, renamed_from)
    [rows] = await _find(connection, key.kind, [asked])
    _continued(rows, asked)


def _independent(owned: Iterable[tuple[UUID, Found]]) -> Iterator[Sequence[tuple[UUID, Found]]]:
    """In order; within one batch, no row depends on another."""
    together: list[tuple[UUID, Found]] = []
    taken: set[Key] = set()
    for owner, item in owned:
        if not taken.isdisjoint(item.keys):
            yield together
            together, taken = [], set()
        together.append((owner, item))
        taken |= item.keys
    yield together


async def _write(
    connection: asyncpg.Connection, kind: Kind, owned: Sequence[tuple[UUID, Found]], change: Change
) -> None:
    if not owned:
        return
    table = table_of(kind)
    rows = await _find(connection, kind, [item for _, item in owned])
    revisions, causes = [], {}
    for (share_pack_id, item), each in zip(owned, rows, strict=True):
        revision = _revision(table, item, each, share_pack_id)
        if revision is not None:
            revisions.append(revision)
            if item.cause is not None:
                causes[UUID(str(revision[table.id]))] = item.cause
    await write_versions(connection, table, revisions, replace(change, causes=causes))


def _revision(table: Table, item: Found, rows: _Rows, share_pack_id: UUID) -> Row | None:
    """None: nothing is there that could go."""
    key = item.key
    if item.resource is None:
        return None if rows.own is None else {**rows.own, "is_deleted": True}
    row = _continued(rows, item)
    entity_id = resource_id(key, rows.bearers) if row is None else UUID(str(row[table.id]))
    described = _described(key.kind, row, item.resource)
    return revised(table, entity_id, row, {**described, "workspace_url": key.workspace, "share_pack_id": share_pack_id})


def _continued(rows: _Rows, item: Found) -> Row | None:
    if rows.renamed is None:
        return rows.own
    key = item.key
    if rows.own is not None and not rows.own["is_deleted"]:
        raise NameTakenError(
            f"{key.kind}/{normal_name(item.renamed_from)} cannot become {key}: both are on record as different "
            f"{key.kind}s; choose another name, or remove or release {key} first"
        )
    return rows.renamed


def _described(kind: Kind, row: Row | None, resource: Resource) -> Row:
    """Nothing when the row says it already, if in the words of an older version of this program."""
    return {} if row is not None and from_columns(kind, row) == resource else to_columns(resource)


async def _find(connection: asyncpg.Connection, kind: Kind, found: Sequence[Found]) -> Sequence[_Rows]:
    """In the order of `found`."""
    rows = await connection.fetch(
        _statement(kind),
        [item.key.workspace for item in found],
        [item.key.name for item in found],
        [_old_name(item) for item in found],
    )
    return [_Rows(_decoded(row["own"]), _decoded(row["renamed"]), row["bearers"]) for row in rows]


def _decoded(row: str | None) -> dict[str, Any] | None:
    return None if row is None else json.loads(row)


def _old_name(item: Found) -> str | None:
    name = normal_name(item.renamed_from)
    return None if name in {"", item.key.name} else name


@cache
def _statement(kind: Kind) -> str:
    """Every name in it comes from the frozen descriptions in `tables`."""
    table = table_of(kind)
    return _FIND.format(table=table.name, id=table.id, name=NAME_COLUMN[kind])
