"""Makes a record old: all that is in force was written often before, and much else was, and is gone. What is in force,
and what waits, stays as it is."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from reconciler.adapters.postgres.tables import VERSIONED, Table

#: All that is never deleted from.
GROWING: Final = (
    *(table.name for table in VERSIONED),
    "audit_trail",
    "happenings",
    "holds",
    "operations",
    "plans",
    "shown_plans",
    "uploads",
    "work",
)

#: Older versions, a minute long, before the first there is of what exists.
_OLDER: Final = """
    INSERT INTO deltashare.{name} ({id}, {listed}, version, effective_from, effective_to, is_current, created_by)
    SELECT {id}, {listed}, v, began - ($1::int - v + 1) * interval '1 minute',
           began - ($1::int - v) * interval '1 minute', false, created_by
    FROM deltashare.{name} CROSS JOIN LATERAL (
        SELECT min(effective_from) AS began FROM deltashare.{name} AS every WHERE every.{id} = {name}.{id}
    ) AS first CROSS JOIN generate_series(1, $1::int) AS v
    WHERE is_current AND NOT is_deleted
"""
_LATER: Final = """
    UPDATE deltashare.{name} SET version = version + $1
    WHERE {id} IN (SELECT {id} FROM deltashare.{name} WHERE is_current AND NOT is_deleted)
"""

#: Others, which are gone.
_GONE: Final = """
    INSERT INTO deltashare.{name} ({id}, {listed}, is_deleted, created_by)
    SELECT md5({id}::text || n)::uuid, {gone}, true, created_by
    FROM deltashare.{name} CROSS JOIN generate_series($1::int + 1, $2::int) AS n WHERE is_current AND NOT is_deleted
"""

#: What a copy has instead; else it is as the first rows are.
_LOGS: Final = {
    "deltashare.audit_trail": {"audit_id": "gen_random_uuid()", "entity_id": "md5(entity_id::text || n)::uuid"},
    "reconciler.happenings": {"number": "number - 1000000 * n", "record_id": "gen_random_uuid()"},
    "reconciler.holds": {
        "hold_id": "gen_random_uuid()",
        "ended_at": "coalesce(ended_at, until)",
        "ended_by": "coalesce(ended_by, 'x')",
    },
    "reconciler.plans": {"plan_id": "md5(plan_id::text || n)::uuid"},
    "reconciler.work": {
        "work_id": "md5(work_id::text || n)::uuid",
        "plan_id": "md5(plan_id::text || n)::uuid",
        "number": "number - 1000000 * n",
        "status": "'done'",
        "finished_at": "coalesce(finished_at, created_at)",
        "needs": "'{}'",
    },
    "reconciler.operations": {
        "operation_id": "gen_random_uuid()",
        "work_id": "md5(work_id::text || n)::uuid",
        "number": "number - 1000000 * n",
        "outcome": "'done'",
    },
    "reconciler.shown_plans": {"number": "number - 1000000 * n", "pull_request": "pull_request + n"},
    "reconciler.uploads": {
        "upload_id": "gen_random_uuid()",
        "number": "number - 1000000 * n",
        "status": "'submitted'",
        "content": "NULL",
    },
}


async def age(connection: asyncpg.Connection, young: int, old: int) -> None:
    """Everything came to be `young` times before, and does `old` times from here on."""
    await connection.execute("SET session_replication_role = replica")
    for name, changes in _LOGS.items():
        await _copy(connection, name, changes, young, old)
    for table in VERSIONED:
        await _age(connection, table, young, old)
    await connection.execute("RESET session_replication_role")
    await connection.execute("VACUUM ANALYZE")


async def _age(connection: asyncpg.Connection, table: Table, young: int, old: int) -> None:
    columns = [*table.columns, *table.origin]
    # Names are unique among what exists; what is gone had other ones.
    gone = [f"{column} || n" if column.endswith("_name") else column for column in columns]
    names = {"name": table.name, "id": table.id, "listed": ", ".join(columns), "gone": ", ".join(gone)}
    await connection.execute(_LATER.format(**names), old - young)
    await connection.execute(_OLDER.format(**names), old - young)
    if young == 0:
        # Once: what is gone has a current row too, and whoever asks for all packs is told of it.
        await connection.execute(_GONE.format(**names), 0, 20)


async def _copy(connection: asyncpg.Connection, name: str, changes: dict[str, str], young: int, old: int) -> None:
    schema, table = name.split(".")
    columns = await _columns(connection, schema, table)
    copied = ", ".join(changes.get(column, column) for column in columns)
    original = "number > 0" if "number" in columns else "true"
    await connection.execute(
        f"INSERT INTO {name} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE "
        f"SELECT {copied} FROM (SELECT * FROM {name} WHERE {original} LIMIT 10) AS first "
        f"CROSS JOIN generate_series($1::int + 1, $2::int) AS n",
        young,
        old,
    )


async def _columns(connection: asyncpg.Connection, schema: str, table: str) -> Sequence[str]:
    rows = await connection.fetch(
        """
        SELECT column_name FROM information_schema.columns
        WHERE table_schema = $1 AND table_name = $2 AND is_generated = 'NEVER' ORDER BY ordinal_position
        """,
        schema,
        table,
    )
    return [row["column_name"] for row in rows]
