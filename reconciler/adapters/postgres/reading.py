"""Reads the history: the recorded state that plans are made from, pack states, the versions of one name. The number of
statements does not depend on how much is read."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.rows import NAME_COLUMN, from_columns, table_of
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.pack import Strategy
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.resource import key_of
from reconciler.ports import ledger

#: Names of the packs of rows `found`, looked up one by one: how few rows they are, the planner often cannot know, and
#: would rather read what all packs are called (LIMIT keeps it from that). What `reconciler.pack_names` tells.
_NAMED: Final = """
    CROSS JOIN LATERAL (
        SELECT tenant_id, project_id FROM deltashare.share_packs
        WHERE share_packs.share_pack_id = found.share_pack_id AND share_packs.is_current LIMIT 1
    ) AS owner CROSS JOIN LATERAL (
        SELECT business_line FROM deltashare.tenants
        WHERE tenants.tenant_id = owner.tenant_id AND tenants.is_current LIMIT 1
    ) AS tenant CROSS JOIN LATERAL (
        SELECT project_name FROM deltashare.projects
        WHERE projects.project_id = owner.project_id AND projects.is_current LIMIT 1
    ) AS project
"""

#: A row that is asked for by its name and by its pack is told once.
_CURRENT: Final = f"""
    WITH asked AS (
        SELECT record_id FROM unnest($1::text[], $2::text[]) AS key (workspace_url, name) CROSS JOIN LATERAL (
            SELECT record_id FROM deltashare.{{table}} AS named
            WHERE named.workspace_url = key.workspace_url AND lower(named.{{name}}) = key.name
              AND is_current AND NOT is_deleted LIMIT 1
        ) AS named
        UNION
        SELECT record_id FROM deltashare.{{table}}
        WHERE is_current AND NOT is_deleted AND share_pack_id = ANY ($3::uuid[])
    )
    SELECT to_jsonb(found) AS row, version, effective_from, commit_id, workspace_url, business_line, project_name
    FROM asked CROSS JOIN LATERAL (
        SELECT * FROM deltashare.{{table}} AS found WHERE found.record_id = asked.record_id LIMIT 1
    ) AS found {_NAMED}
"""  # noqa: S608 - constants of this program

_HISTORY: Final = f"""
    SELECT to_jsonb(found) AS row, version, effective_from, effective_to, is_current, is_deleted, commit_id,
           plan_id, workspace_url, created_by, change_reason, business_line, project_name,
           coalesce(pull_requests, '') AS pull_requests, coalesce(approved_by, '') AS approved_by
    FROM deltashare.{{table}} AS found {_NAMED}
    LEFT JOIN LATERAL (
        SELECT pull_requests, approved_by FROM deltashare.audit_trail
        WHERE entity_type = '{{entity}}' AND entity_id = found.{{id}} AND entity_version = found.version LIMIT 1
    ) AS audited ON true
    WHERE {{id}} IN (
        SELECT {{id}} FROM deltashare.{{table}} WHERE lower({{name}}) = $1 AND (workspace_url = $2 OR $2 = '')
    )
    ORDER BY effective_from, workspace_url, version
"""  # noqa: S608 - as above


@cache
def _statement(template: str, kind: Kind) -> str:
    """Every name in it comes from the frozen descriptions in `tables`."""
    table = table_of(kind)
    return template.format(table=table.name, id=table.id, entity=table.entity, name=NAME_COLUMN[kind])


async def recorded(connection: asyncpg.Connection, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
    # First, so that work submitted meanwhile makes what is planned from this outdated, and not the other way round.
    rows = await pack_rows(connection, packs)
    resources: dict[Key, Recorded] = {}
    for kind in Kind:
        resources |= await _current(connection, kind, [key for key in keys if key.kind is kind], packs)
    return RecordedState(
        resources=resources,
        open_intents=await _open_intents(connection, {*keys, *resources}, packs),
        packs=rows,
    )


async def recorded_for_each(
    connection: asyncpg.Connection, asked: Sequence[tuple[Collection[Key], Collection[PackId]]]
) -> Sequence[RecordedState]:
    """Asked of several, it is read once."""
    found = await recorded(
        connection, {key for keys, _ in asked for key in keys}, {pack for _, packs in asked for pack in packs}
    )
    return [found] if len(asked) == 1 else [_part(found, keys, packs) for keys, packs in asked]


def _part(found: RecordedState, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
    """What `recorded` tells of these."""
    resources = {key: row for key, row in found.resources.items() if key in keys or row.pack in packs}
    intents = found.open_intents.items()
    return RecordedState(
        resources=resources,
        open_intents={key: pack for key, pack in intents if key in keys or key in resources or pack in packs},
        packs={pack: row for pack, row in found.packs.items() if pack in packs},
    )


async def all_packs(connection: asyncpg.Connection) -> Sequence[PackId]:
    """A pack may be removed from a plan that was made before a worker had made something for it: what it owns, or may
    own, keeps it in sight."""
    rows = await connection.fetch(
        f"""
        WITH found AS (
            SELECT share_pack_id FROM deltashare.share_packs WHERE is_current AND NOT is_deleted
            UNION SELECT share_pack_id FROM deltashare.recipients WHERE is_current AND NOT is_deleted
            UNION SELECT share_pack_id FROM deltashare.shares WHERE is_current AND NOT is_deleted
            UNION SELECT share_pack_id FROM reconciler.operations WHERE outcome IN ('begun', 'unknown')
        )
        SELECT business_line, project_name FROM found {_NAMED}
        """  # noqa: S608 - a constant
    )
    return sorted(_pack(row) for row in rows)


async def pack_states(connection: asyncpg.Connection, pack: PackId | None) -> "Sequence[ledger.PackState]":
    """Work that waits for another try shows why, without a version for each try."""
    rows = await connection.fetch(
        f"""
        SELECT found.*, business_line, project_name, first.effective_from AS created_at, waiting.reason
        FROM deltashare.share_packs AS found {_NAMED}
        CROSS JOIN LATERAL (
            SELECT effective_from FROM deltashare.share_packs AS first
            WHERE first.share_pack_id = found.share_pack_id AND version = 1 LIMIT 1
        ) AS first
        LEFT JOIN reconciler.work AS waiting
            ON waiting.share_pack_id = found.share_pack_id AND waiting.status = 'waiting' AND waiting.reason <> ''
        WHERE found.is_current {"" if pack is None else "AND found.share_pack_id = $1"}
        """,  # noqa: S608 - constants
        *(() if pack is None else (pack_ids(pack).share_pack,)),
    )
    return sorted((pack_state(row) for row in rows), key=lambda state: state.pack)


async def history(connection: asyncpg.Connection, key: Key) -> "Sequence[ledger.KeyVersion]":
    rows = await connection.fetch(_statement(_HISTORY, key.kind), key.name, key.workspace)
    return [_key_version(key.kind, row) for row in rows]


async def find_recipients(connection: asyncpg.Connection, name: str) -> Sequence[Key]:
    rows = await connection.fetch(
        """
        SELECT workspace_url FROM deltashare.recipients
        WHERE lower(recipient_name) = $1 AND is_current AND NOT is_deleted ORDER BY workspace_url
        """,
        name,
    )
    return [Key(Kind.RECIPIENT, name, row["workspace_url"]) for row in rows]


async def _current(
    connection: asyncpg.Connection, kind: Kind, keys: Sequence[Key], packs: Iterable[PackId]
) -> Mapping[Key, Recorded]:
    rows = await connection.fetch(
        _statement(_CURRENT, kind),
        [key.workspace for key in keys],
        [key.name for key in keys],
        [pack_ids(pack).share_pack for pack in packs],
    )
    found = {}
    for row in rows:
        resource = from_columns(kind, json.loads(row["row"]))
        found[key_of(resource, row["workspace_url"])] = Recorded(
            resource=resource,
            pack=_pack(row),
            version=row["version"],
            commit=row["commit_id"] or "",
            since=row["effective_from"],
        )
    return found


async def _open_intents(
    connection: asyncpg.Connection, keys: Collection[Key], packs: Iterable[PackId]
) -> Mapping[Key, PackId]:
    rows = await connection.fetch(
        f"""
        WITH found AS (
            SELECT workspace_url, kind, name, share_pack_id, begun_at FROM reconciler.operations
            JOIN unnest($1::text[], $2::text[], $3::text[]) AS key (workspace_url, kind, name)
                USING (workspace_url, kind, name)
            WHERE outcome IN ('begun', 'unknown')
            UNION
            SELECT workspace_url, kind, name, share_pack_id, begun_at FROM reconciler.operations
            WHERE outcome IN ('begun', 'unknown') AND share_pack_id = ANY ($4::uuid[])
        )
        SELECT workspace_url, kind, name, business_line, project_name
        FROM found {_NAMED} ORDER BY begun_at
        """,  # noqa: S608 - a constant
        [key.workspace for key in keys],
        [key.kind.value for key in keys],
        [key.name for key in keys],
        [pack_ids(pack).share_pack for pack in packs],
    )
    return {Key(Kind(row["kind"]), row["name"], row["workspace_url"]): _pack(row) for row in rows}


async def pack_rows(connection: asyncpg.Connection, packs: Iterable[PackId]) -> Mapping[PackId, RecordedPack]:
    rows = await connection.fetch(
        f"""
        SELECT share_pack_id, business_line, project_name, file_path, workspace_url, share_pack_status, commit_id,
               applied_commit_id, config_digest, is_deleted,
               (SELECT max(number) FROM reconciler.work WHERE work.share_pack_id = found.share_pack_id) AS generation
        FROM deltashare.share_packs AS found {_NAMED}
        WHERE is_current AND share_pack_id = ANY ($1::uuid[])
        """,  # noqa: S608 - a constant
        [pack_ids(pack).share_pack for pack in packs],
    )
    return {_pack(row): _recorded_pack(row) for row in rows}


def _recorded_pack(row: asyncpg.Record) -> RecordedPack:
    return RecordedPack(
        id=_pack(row),
        share_pack_id=str(row["share_pack_id"]),
        path=row["file_path"],
        workspace=row["workspace_url"],
        status=PackStatus(row["share_pack_status"]),
        commit=row["commit_id"] or "",
        config_digest=row["config_digest"],
        is_deleted=row["is_deleted"],
        generation=row["generation"] or 0,
        applied_commit=row["applied_commit_id"] or "",
    )


def pack_state(row: asyncpg.Record) -> "ledger.PackState":
    """Of a row of share_packs with names, `created_at`, and as `reason` why it waits for another try."""
    waiting = row["reason"]
    return ledger.PackState(
        pack=_pack(row),
        share_pack_id=row["share_pack_id"],
        share_pack_name=row["share_pack_name"],
        status=PackStatus(row["share_pack_status"]),
        strategy=Strategy(row["strategy"]),
        path=row["file_path"],
        workspace=row["workspace_url"],
        requested_by=row["requested_by"],
        commit=row["commit_id"] or "",
        applied_commit=row["applied_commit_id"] or "",
        provisioning_status=f"Waiting to try again: {waiting}" if waiting else row["provisioning_status"],
        error_message=row["error_message"],
        created_at=row["created_at"],
        last_updated=row["effective_from"],
        is_deleted=row["is_deleted"],
    )


def _key_version(kind: Kind, row: asyncpg.Record) -> "ledger.KeyVersion":
    resource = from_columns(kind, json.loads(row["row"]))
    return ledger.KeyVersion(
        key=key_of(resource, row["workspace_url"]),
        version=row["version"],
        effective_from=row["effective_from"],
        effective_to=None if row["is_current"] else row["effective_to"],
        resource=None if row["is_deleted"] else resource,
        pack=_pack(row),
        created_by=row["created_by"],
        change_reason=row["change_reason"],
        commit=row["commit_id"] or "",
        plan_id=row["plan_id"],
        pull_requests=row["pull_requests"],
        approved_by=row["approved_by"],
    )


def _pack(row: asyncpg.Record) -> PackId:
    return PackId.of(row["business_line"], row["project_name"])
