"""The one way a version comes to be: the old one is closed and the new one opened in one statement, for any number of
rows of a table, if every row still has the version the writer has seen. What to write is the caller's business.

A row is a JSON object of column values with the id of its entity and, as `version`, the version it replaces (0: there
is none yet). That is the shape `to_jsonb(row)` gives, so that a row read can be changed and written back.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.tables import REQUESTS, Table
from reconciler.core.review import Review

Row: TypeAlias = Mapping[str, object]

_ACTOR_LENGTH: Final = 255
_REASON_LENGTH: Final = 500


class VersionConflictError(Exception):
    """Another writer was faster; nothing was written. Read again and decide again."""


@dataclass(frozen=True, slots=True)
class Cause:
    reason: str
    #: The API call behind it, if there was one.
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes something and why; but for `reviews` and `causes`, the same for all rows of one write."""

    actor: str
    reason: str
    plan_id: UUID | None = None
    #: Empty when it came from uncommitted files.
    commit: str = ""
    #: The API call behind it, if there was one.
    operation_id: UUID | None = None
    review: Review = field(default_factory=Review)
    #: By entity, of those that have another one.
    reviews: Mapping[UUID, Review] = field(default_factory=dict)
    causes: Mapping[UUID, Cause] = field(default_factory=dict)


async def write_versions(
    connection: asyncpg.Connection, table: Table, rows: Sequence[Row], change: Change
) -> Mapping[UUID, int]:
    """The new version of every entity that changed; rows equal to what is current are left alone.

    Raises VersionConflictError when any row has moved on, or was created, since the caller read it.
    """
    if not rows:
        return {}
    given = [{**row, "is_deleted": bool(row.get("is_deleted", False))} for row in rows]
    try:
        written = await connection.fetch(
            _statement(table),
            json.dumps(given, default=str),
            bounded(change.actor, _ACTOR_LENGTH),
            bounded(change.reason, _REASON_LENGTH),
            change.plan_id,
            change.commit or None,
            change.operation_id,
            json.dumps(_told(table, rows, change)),
        )
    except asyncpg.UniqueViolationError as error:
        raise VersionConflictError(
            f"{table.name}: another writer created it first ({error.constraint_name})"
        ) from error
    lost = [row["id"] for row in written if row["expected"] != row["found"]]
    if lost:
        raise VersionConflictError(f"{table.name}: {len(lost)} of {len(rows)} rows have moved on, first {lost[0]}")
    return {row["id"]: row["opened"] for row in written if row["opened"] is not None}


def review_columns(review: Review) -> Row:
    return {"pull_requests": review.pull_requests_text, "approved_by": review.approved_by_text}


def _told(table: Table, rows: Sequence[Row], change: Change) -> Sequence[Row]:
    """What is told of a row by itself: who stands behind it, and its cause, where it has one of its own."""
    told = [(UUID(str(row[table.id])), _behind(table, row, change)) for row in rows]
    return [
        {"entity": str(entity), **behind, **_caused(change.causes.get(entity))}
        for entity, behind in told
        if entity in change.causes or any(behind.values())
    ]


def _behind(table: Table, row: Row, change: Change) -> Row:
    """A request says so itself, whoever ends it."""
    if table is REQUESTS:
        return {name: row.get(name, "") for name in review_columns(change.review)}
    return review_columns(change.reviews.get(UUID(str(row[table.id])), change.review))


def _caused(cause: Cause | None) -> Row:
    if cause is None:
        return {}
    operation_id = None if cause.operation_id is None else str(cause.operation_id)
    return {"reason": bounded(cause.reason, _REASON_LENGTH), "operation_id": operation_id}


def bounded(text: str, length: int) -> str:
    """Text that fits its column; PostgreSQL has no NUL in text."""
    clean = text.replace("\x00", "")
    return clean if len(clean) <= length else clean[: length - 1] + "…"


#: `held` locks the current rows in the order of their ids, looked up one by one whatever the planner takes the table
#: for (LATERAL keeps it so). When another writer was first, a row is looked at again after the wait, is no longer
#: current, and `lost` sees it missing. The audit row of an update tells the columns that changed, of any other
#: operation all of them: `unchanged` are the names that are not told.
_WRITE: Final = """
        WITH wanted AS MATERIALIZED (
            SELECT * FROM jsonb_populate_recordset(NULL::deltashare.{name}, $1::jsonb)
        ), behind AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset($7::jsonb)
                AS behind (entity uuid, pull_requests text, approved_by text, reason text, operation_id uuid)
        ), held AS MATERIALIZED (
            SELECT held.* FROM (SELECT {id} FROM wanted ORDER BY {id}) AS each CROSS JOIN LATERAL (
                SELECT * FROM deltashare.{name} AS held
                WHERE held.{id} = each.{id} AND held.is_current LIMIT 1 FOR UPDATE
            ) AS held
        ), lost AS MATERIALIZED (
            SELECT {id} FROM wanted LEFT JOIN held USING ({id})
            WHERE wanted.version IS DISTINCT FROM coalesce(held.version, 0)
        ), changed AS MATERIALIZED (
            SELECT wanted.*, held.record_id AS replaced FROM wanted LEFT JOIN held USING ({id})
            WHERE NOT EXISTS (SELECT FROM lost) AND CASE
                WHEN held.version IS NULL THEN NOT wanted.is_deleted
                ELSE ({held}) IS DISTINCT FROM ({wanted}) OR ({first_commit} AND NOT wanted.is_deleted)
            END
        ), closed AS (
            UPDATE deltashare.{name} AS old SET
                is_current = false,
                -- A clock that was set back must not make a span negative.
                effective_to = greatest(statement_timestamp(), old.effective_from + interval '1 microsecond')
            WHERE old.record_id = ANY (ARRAY(SELECT replaced FROM changed)) AND old.is_current
            RETURNING old.{id}, old.version, old.effective_to
        ), opened AS (
            INSERT INTO deltashare.{name} (
                {id}, {listed}{origin}, is_deleted, version, effective_from, created_by, change_reason
            )
            SELECT {id}, {given}{origin_values}, is_deleted, coalesce(closed.version, 0) + 1,
                   coalesce(closed.effective_to, statement_timestamp()), $2, coalesce(behind.reason, $3)
            FROM changed LEFT JOIN closed USING ({id}) LEFT JOIN behind ON behind.entity = {id}
            RETURNING *
        ), audited AS (
            INSERT INTO deltashare.audit_trail (
                entity_type, entity_id, entity_version, operation, old_values, new_values,
                actor, change_reason, plan_id, commit_id, operation_id, pull_requests, approved_by, recorded_at
            )
            SELECT '{entity}', {id}, opened.version, told.operation,
                   CASE WHEN told.operation IN ('UPDATE', 'DELETE')
                        THEN jsonb_build_object({before}) - told.unchanged END,
                   CASE WHEN told.operation <> 'DELETE' THEN jsonb_build_object({after}) - told.unchanged END,
                   $2, opened.change_reason, $4, $5, coalesce(behind.operation_id, $6),
                   coalesce(behind.pull_requests, ''), coalesce(behind.approved_by, ''), opened.effective_from
            FROM opened LEFT JOIN held USING ({id}) LEFT JOIN behind ON behind.entity = {id}
            CROSS JOIN LATERAL (
                SELECT CASE WHEN held.version IS NULL THEN 'CREATE'
                            WHEN opened.is_deleted AND NOT held.is_deleted THEN 'DELETE'
                            WHEN held.is_deleted AND NOT opened.is_deleted THEN 'RESTORE'
                            ELSE 'UPDATE' END AS operation,
                       CASE WHEN opened.is_deleted = held.is_deleted
                            THEN ARRAY[{unchanged}] ELSE '{{}}' END AS unchanged
                OFFSET 0
            ) AS told
        )
        SELECT {id} AS id, wanted.version AS expected, coalesce(held.version, 0) AS found,
               opened.version AS opened
        FROM wanted LEFT JOIN held USING ({id}) LEFT JOIN opened USING ({id})
    """


@cache
def _statement(table: Table) -> str:
    """Every name in it comes from the frozen descriptions in `tables`."""
    columns = ("is_deleted", *table.columns)
    told = (table.id, *table.columns, *table.origin)
    return _WRITE.format(
        name=table.name,
        id=table.id,
        entity=table.entity,
        listed=", ".join(table.columns),
        given=", ".join(f"changed.{column}" for column in table.columns),
        origin="".join(f", {column}" for column in table.origin),
        origin_values="".join(f", ${4 if column == 'plan_id' else 5}" for column in table.origin),
        held=", ".join(f"held.{column}" for column in columns),
        wanted=", ".join(f"wanted.{column}" for column in columns),
        first_commit="held.commit_id IS NULL AND $5::text IS NOT NULL" if "commit_id" in table.origin else "false",
        before=", ".join(f"'{column}', held.{column}" for column in told),
        after=", ".join(f"'{column}', opened.{column}" for column in told),
        unchanged=", ".join(
            f"CASE WHEN held.{column} IS NOT DISTINCT FROM opened.{column} THEN '{column}' END" for column in told
        ),
    )


async def read_current(connection: asyncpg.Connection, table: Table, ids: Collection[UUID]) -> Mapping[UUID, Row]:
    """The current rows of these entities, deleted ones included, in the shape `write_versions` takes."""
    if not ids:
        return {}
    found = await connection.fetch(
        f"""
        SELECT {table.id} AS id, to_jsonb(current) AS row FROM deltashare.{table.name} AS current
        WHERE is_current AND {table.id} = ANY($1::uuid[])
        """,  # noqa: S608 - as above
        list(ids),
    )
    return {row["id"]: json.loads(row["row"]) for row in found}


def revised(table: Table, entity_id: UUID, row: Row | None, values: Row, *, is_deleted: bool = False) -> Row:
    """The row that replaces `row` (None: the first one), with `values` changed."""
    return {table.id: entity_id, "version": 0, **(row or {}), **values, "is_deleted": is_deleted}
