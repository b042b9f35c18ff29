"""What the database must look like when all is quiet, asked with SQL of this test."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import asyncpg

#: Tables of schema deltashare that keep versions, with what identifies a row's subject.
VERSIONED: Final[Mapping[str, str]] = {
    "tenants": "tenant_id",
    "tenant_regions": "tenant_region_id",
    "projects": "project_id",
    "requests": "request_id",
    "share_packs": "share_pack_id",
    "recipients": "recipient_id",
    "shares": "share_id",
    "pipelines": "pipeline_id",
    "users": "user_id",
    "ad_groups": "group_id",
    "databricks_objects": "object_id",
}
_BROKEN_HISTORY: Final = """
    SELECT {id}::text AS subject FROM (
        SELECT {id}, version, is_current, effective_from, effective_to,
            row_number() OVER w AS number, lead(effective_from) OVER w AS next_from
        FROM deltashare.{table} WINDOW w AS (PARTITION BY {id} ORDER BY version)
    ) AS v
    WHERE version <> number OR is_current <> (next_from IS NULL) OR effective_from >= effective_to
        OR effective_to <> coalesce(next_from, 'infinity')
    GROUP BY 1
"""
#: Description of what must not be there → a query that finds it, one text a row.
_MUST_BE_EMPTY: Final[Mapping[str, str]] = {
    "an open operation": """
        SELECT format('%s/%s %s %s', o.kind, o.name, o.call ->> 'call', o.outcome) FROM reconciler.operations o
        WHERE outcome IN ('begun', 'unknown')""",
    "unfinished work": """
        SELECT format('%s %s %s: %s', work_id, status, pack_order -> 'pack', reason) FROM reconciler.work
        WHERE status IN ('waiting', 'running')""",
    "a live lease": "SELECT format('%s until %s', holder, expires_at) FROM reconciler.leases WHERE expires_at > now()",
    "a recipient recorded twice": """
        SELECT recipient_name FROM deltashare.recipients WHERE is_current AND NOT is_deleted
        GROUP BY workspace_url, recipient_name HAVING count(*) > 1""",
    "a share recorded twice": """
        SELECT share_name FROM deltashare.shares WHERE is_current AND NOT is_deleted
        GROUP BY workspace_url, share_name HAVING count(*) > 1""",
    "two versions that say the same": """
        SELECT share_name FROM (
            SELECT share_name, ARRAY[share_pack_id::text, comment, data_objects::text, recipients::text, share_name,
                                     owner, storage_root, protect::text, is_deleted::text, commit_id] AS said,
                lag(ARRAY[share_pack_id::text, comment, data_objects::text, recipients::text, share_name,
                          owner, storage_root, protect::text, is_deleted::text, commit_id])
                    OVER (PARTITION BY share_id ORDER BY version) AS before
            FROM deltashare.shares) AS v WHERE said IS NOT DISTINCT FROM before""",
}


async def broken_rules(dsn: str) -> AsyncIterator[str]:
    """One line each."""
    connection = await asyncpg.connect(dsn)
    try:
        for table, name in VERSIONED.items():
            for row in await connection.fetch(_BROKEN_HISTORY.format(table=table, id=name)):
                yield f"history of {table} {row['subject']} has a gap, an overlap, or not one current row"
        for what, query in _MUST_BE_EMPTY.items():
            for row in await connection.fetch(query):
                yield f"{what}: {row[0]}"
    finally:
        await connection.close()


async def recorded_keys(dsn: str) -> set[str]:
    """`share/NAME` and `recipient/NAME` that the current rows say are there."""
    rows = await _fetch(
        dsn,
        """SELECT 'recipient/' || recipient_name FROM deltashare.recipients WHERE is_current AND NOT is_deleted
           UNION SELECT 'share/' || share_name FROM deltashare.shares WHERE is_current AND NOT is_deleted""",
    )
    return {row[0] for row in rows}


async def packs_not_completed(dsn: str) -> list[str]:
    rows = await _fetch(
        dsn,
        """SELECT format('%s is %s: %s', file_path, share_pack_status, error_message) FROM deltashare.share_packs
           WHERE is_current AND NOT is_deleted AND share_pack_status <> 'COMPLETED'""",
    )
    return [row[0] for row in rows]


async def contested(dsn: str) -> set[tuple[str, str]]:
    """Key and field."""
    rows = await _fetch(
        dsn,
        """SELECT kind || '/' || name, field FROM reconciler.holds
           WHERE hold = 'contested' AND ended_at IS NULL AND until > now()""",
    )
    return {(row[0], row[1]) for row in rows}


async def open_creations(dsn: str) -> set[str]:
    """`share/NAME` and `recipient/NAME` of which nobody knows whether they were made."""
    rows = await _fetch(
        dsn,
        """SELECT kind || '/' || name FROM reconciler.operations
           WHERE outcome IN ('begun', 'unknown') AND call ->> 'call' IN ('CreateShare', 'CreateRecipient')""",
    )
    return {row[0] for row in rows}


#: A row for each resource of which the last look showed something; the look after the last apply may still be to come.
LAST_LOOK = "reconciler.observations"


async def row_counts(dsn: str) -> Mapping[str, int]:
    """Rows of every table of ours."""
    tables = await _fetch(
        dsn,
        """SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
           WHERE schemaname IN ('deltashare', 'reconciler') ORDER BY 1""",
    )
    return {row[0]: (await _fetch(dsn, f"SELECT count(*) FROM {row[0]}"))[0][0] for row in tables}


async def _fetch(dsn: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def forget(dsn: str) -> None:
    """Empties every table of ours, for the next run in the same database. They refuse deletion, save for a replica."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica")
        for table in await row_counts(dsn):
            if not table.endswith(".alembic_version"):
                await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()
