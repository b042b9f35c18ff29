"""Who could read what: versions of shares in force at a time, found by object and by recipient, and those before them
for as long as they said the same. It costs as much as the answer is long, not as the history."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

import asyncpg

from reconciler.adapters.postgres.portal_pool import storable
from reconciler.adapters.postgres.rows import from_columns
from reconciler.core.key import Key, Kind, PackId, normal_name, recipient_key, share_key
from reconciler.core.managed import Managed
from reconciler.core.reads import ShareVersion
from reconciler.core.recipient import Recipient
from reconciler.core.resource_encoding import decode_objects
from reconciler.core.share import Share, SharedObject

#: Conditions that the indexes of shares are made for; the words must be theirs.
_HOLDS: Final = "reconciler.names_in(data_objects) && $2"
_GRANTS: Final = "reconciler.names_in(recipients) && $3"
_NOW: Final = "is_current AND NOT is_deleted"
#: What is asked about by name is found by name alone. Of versions that had begun, or were open, at some time there are
#: very many, which the planner takes for few; so the time is asked in words that no index knows.
_OPEN_THEN: Final = f"{_NOW} AND greatest(effective_from, $1) = $1"
_CLOSED: Final = "NOT is_current AND NOT is_deleted"
_CLOSED_SINCE: Final = f"{_CLOSED} AND greatest(effective_from, $1) = $1 AND effective_to > $1"
#: Who asks about everything is helped by the index of spans.
_ANY_CLOSED_SINCE: Final = f"{_CLOSED} AND tstzrange(effective_from, effective_to) @> $1"

#: What of a version was asked about. Without any, nobody reads anything by it.
_NARROWED: Final = """
    CROSS JOIN LATERAL (
        SELECT (
            SELECT jsonb_agg(item) FROM jsonb_array_elements(shares.data_objects) AS item
            WHERE $2::text[] IS NULL OR lower(item ->> 'name') = ANY ($2)
        ) AS items, (
            SELECT jsonb_agg(reader) FROM jsonb_array_elements(shares.recipients) AS reader
            WHERE $3::text[] IS NULL OR lower(reader #>> '{}') = ANY ($3)
        ) AS readers
    ) AS narrowed
    WHERE narrowed.items IS NOT NULL AND narrowed.readers IS NOT NULL
      AND ($4::text[] IS NULL OR shares.share_pack_id IN (SELECT share_pack_id FROM visible))
"""

_COLUMNS: Final = """
    shares.share_id, shares.version, shares.share_pack_id, shares.workspace_url, shares.share_name,
    shares.effective_from, shares.effective_to, shares.is_current, shares.commit_id, shares.created_by,
    narrowed.items, narrowed.readers
"""

#: From the versions in force back to those before them, a version of each share at a time. Rows are looked up one by
#: one (LIMIT keeps it so), for the planner cannot know how few they are.
_VERSIONS: Final = """
    WITH RECURSIVE visible AS MATERIALIZED (
        SELECT share_pack_id, business_line, project_name
        FROM deltashare.share_packs
        JOIN deltashare.tenants USING (tenant_id)
        JOIN deltashare.projects USING (project_id)
        WHERE share_packs.is_current AND tenants.is_current AND projects.is_current
          AND ($4::text[] IS NULL OR business_line_key = ANY ($4))
    ), back AS (
        SELECT {columns} FROM ({in_force}) AS shares {narrowed}
        UNION ALL
        SELECT {columns}
        FROM back CROSS JOIN LATERAL (
            SELECT * FROM deltashare.shares AS earlier
            WHERE earlier.share_id = back.share_id AND earlier.version = back.version - 1 AND NOT earlier.is_deleted
            LIMIT 1
        ) AS shares {narrowed}
    )
    SELECT back.*, business_line, project_name, pull_requests, approved_by
    FROM back JOIN visible USING (share_pack_id)
    LEFT JOIN LATERAL (
        SELECT pull_requests, approved_by FROM deltashare.audit_trail
        WHERE entity_type = 'share' AND entity_id = back.share_id AND entity_version = back.version LIMIT 1
    ) AS audited ON true
    ORDER BY share_id, version
"""

_RECIPIENTS: Final = """
    SELECT to_jsonb(recipients) AS row, workspace_url FROM deltashare.recipients
    WHERE lower(recipient_name) = ANY ($1::text[]) AND NOT is_deleted
      AND CASE WHEN $2::timestamptz IS NULL THEN is_current ELSE effective_from <= $2 AND effective_to > $2 END
"""

#: The first of each pack, found in the index, whatever comes after it.
_BEGINS: Final = """
    SELECT min(first.effective_from)
    FROM deltashare.share_packs JOIN deltashare.tenants USING (tenant_id)
    CROSS JOIN LATERAL (
        SELECT shares.effective_from FROM deltashare.shares
        WHERE shares.share_pack_id = share_packs.share_pack_id ORDER BY shares.effective_from LIMIT 1
    ) AS first
    WHERE share_packs.is_current AND tenants.is_current AND ($1::text[] IS NULL OR business_line_key = ANY ($1))
"""


async def share_versions(
    connection: asyncpg.Connection,
    at: datetime | None,
    recipient: str,
    object_name: str,
    lines: frozenset[str] | None,
) -> Sequence[ShareVersion]:
    names = names_asked(object_name)
    readers = [normal_name(storable(recipient))] if recipient.strip() else None
    rows = await connection.fetch(
        statement(is_past=at is not None, by_object=names is not None, by_recipient=readers is not None),
        at,
        names,
        readers,
        None if lines is None else sorted(lines),
    )
    reading = _Reading()
    return [reading.version(row) for row in rows]


async def begins_at(connection: asyncpg.Connection, lines: frozenset[str] | None) -> datetime | None:
    first: datetime | None = await connection.fetchval(_BEGINS, None if lines is None else sorted(lines))
    return first


async def recipients_at(
    connection: asyncpg.Connection, names: Collection[str], at: datetime | None
) -> Mapping[Key, Recipient]:
    found: dict[Key, Recipient] = {}
    for row in await connection.fetch(_RECIPIENTS, sorted({normal_name(storable(name)) for name in names}), at):
        resource = from_columns(Kind.RECIPIENT, json.loads(row["row"]))
        if isinstance(resource, Recipient):
            found[recipient_key(resource.name, row["workspace_url"])] = resource
    return found


def names_asked(object_name: str) -> list[str] | None:
    """`c.s.t` is read through `c.s` too. None: nothing was asked for."""
    name = normal_name(storable(object_name))
    return sorted({name, ".".join(name.split(".")[:2])}) if name else None


@cache
def statement(*, is_past: bool, by_object: bool, by_recipient: bool) -> str:
    """Parameters: the time (NULL: now), names of objects, names of recipients, business lines (each NULL: any)."""
    asked = [condition for condition, is_asked in ((_HOLDS, by_object), (_GRANTS, by_recipient)) if is_asked]
    closed_since = _CLOSED_SINCE if asked else _ANY_CLOSED_SINCE
    spans = (_OPEN_THEN, closed_since) if is_past else (f"{_NOW} AND $1::timestamptz IS NULL",)
    in_force = " UNION ALL ".join(
        f"SELECT * FROM deltashare.shares WHERE {' AND '.join((span, *asked))}"  # noqa: S608 - constants of this module
        for span in spans
    )
    return _VERSIONS.format(columns=_COLUMNS, in_force=in_force, narrowed=_NARROWED)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Versions of a share mostly say the same of what was asked about: each text is read once."""

    objects: dict[str, Managed[frozenset[SharedObject]]] = field(default_factory=dict)
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    packs: dict[tuple[str, str], PackId] = field(default_factory=dict)

    def version(self, row: asyncpg.Record) -> ShareVersion:
        items, readers, names = row["items"], row["readers"], (row["business_line"], row["project_name"])
        if items not in self.objects:
            self.objects[items] = decode_objects(json.loads(items))
        if readers not in self.readers:
            self.readers[readers] = frozenset(json.loads(readers))
        if names not in self.packs:
            self.packs[names] = PackId.of(*names)
        return ShareVersion(
            key=share_key(row["share_name"], row["workspace_url"]),
            share=Share(row["share_name"], objects=self.objects[items], recipients=self.readers[readers]),
            pack=self.packs[names],
            since=row["effective_from"],
            until=None if row["is_current"] else row["effective_to"],
            commit=row["commit_id"] or "",
            created_by=row["created_by"],
            pull_requests=row["pull_requests"] or "",
            approved_by=row["approved_by"] or "",
        )
