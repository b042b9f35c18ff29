"""Fills a database with as many historic versions as asked for, by one statement for each table, without indexes: they
are made afterwards, as a restore does it. What is in force is the same whatever the size: only what was grows.

Of four versions two are of shares, one is of a recipient, one of a pack, each with its row in the audit trail. A tenth
of the versions of shares and of recipients belongs to LONG of them; the others have SHORT versions each. Those that no
pack has any more end deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.core.key import PackId

PACKS = 500
#: Shares, and as many recipients, that every pack has.
OF_EACH = 2
#: The first so many shares, and recipients, have long histories.
LONG = 10
SHORT = 10
#: When the first versions began, and until when the last ones did.
SINCE = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=1000)
WORKSPACE = "https://adb-1.1.azuredatabricks.net"

_TABLES = ("shares", "recipients", "share_packs", "audit_trail")

#: Version v of resource n, of `count` in all; the last one is open. A share holds one object for five
#: versions, and another one as long as it lives.
_RESOURCES = """
    INSERT INTO deltashare.{table} (
        {id}, share_pack_id, workspace_url, {columns}, commit_id, version, effective_from, effective_to, is_current,
        is_deleted, created_by
    )
    SELECT
        md5('{table}' || n)::uuid, ($1::uuid[])[1 + n % array_length($1::uuid[], 1)], '{workspace}', {values},
        'c' || v, v, since + (v - 1) * step, CASE WHEN v < count THEN since + v * step ELSE 'infinity' END, v = count,
        v = count AND n >= $2, 'bench'
    FROM (
        SELECT n, count, timestamptz '{since}' + n * interval '1 ms' AS since,
               interval '{days} days' / count AS step
        FROM generate_series(0, $3::int - 1) AS n
        CROSS JOIN LATERAL (SELECT CASE WHEN n < {long} THEN $4::int ELSE {short} END AS count) AS counted
    ) AS resources CROSS JOIN LATERAL generate_series(1, count) AS v
"""

_SHARE = """
    'share_' || n, jsonb_build_array(
        jsonb_build_object('name', 'prod.s' || n % 100 || '.t' || n, 'type', 'TABLE'),
        jsonb_build_object('name', 'prod.s' || n % 100 || '.t' || n || '_' || v / 5, 'type', 'TABLE')
    ), jsonb_build_array('recipient_' || n, 'recipient_' || (n + v) % 1000)
"""

#: The one version that there is becomes the last of many.
_PACKS = """
    INSERT INTO deltashare.share_packs (
        share_pack_id, share_pack_name, tenant_id, project_id, requested_by, strategy, file_path, file_format,
        workspace_url, region, config, config_digest, commit_id, share_pack_status, provisioning_status, version,
        effective_from, effective_to, is_current, created_by
    )
    SELECT share_pack_id, share_pack_name, tenant_id, project_id, requested_by, strategy, file_path, file_format,
           workspace_url, region, config, config_digest, commit_id, 'COMPLETED', 'step ' || v, v,
           effective_from - ($1 - v) * interval '10 minutes', effective_from - ($1 - v - 1) * interval '10 minutes',
           false, 'bench'
    FROM deltashare.share_packs CROSS JOIN generate_series(1, $1::int - 1) AS v WHERE is_current
"""

_AUDIT = """
    INSERT INTO deltashare.audit_trail (
        entity_type, entity_id, entity_version, operation, new_values, actor, plan_id, recorded_at
    )
    SELECT '{entity}', {id}, version, 'UPDATE', jsonb_build_object('commit_id', commit_id), created_by,
           md5('plan' || version)::uuid, effective_from
    FROM deltashare.{table} WHERE version < $1 OR NOT is_current
"""


@dataclass(frozen=True, slots=True)
class Filled:
    shares: int
    #: Of those with a long history.
    long_versions: int


def packs() -> Sequence[PackId]:
    return [PackId.of(f"Line {number % 10}", f"Project {number}") for number in range(PACKS)]


async def fill(connection: asyncpg.Connection, versions: int) -> Filled:
    """The packs have been submitted, and nothing else has been written."""
    await connection.execute("SET session_replication_role = replica")
    # One core is enough, and what the indexes are sorted in is there.
    await connection.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 0")
    again = await _drop_indexes(connection)
    ids = [pack_ids(pack).share_pack for pack in packs()]
    shares = await _resources(connection, "shares", ids, versions // 2)
    await _resources(connection, "recipients", ids, versions // 4)
    await _packs(connection, versions // 4 // PACKS)
    for table, id_column in (("shares", "share_id"), ("recipients", "recipient_id"), ("share_packs", "share_pack_id")):
        statement = _AUDIT.format(entity=id_column.removesuffix("_id"), id=id_column, table=table)
        # The newest version of a pack has its row already.
        await connection.execute(statement, 0 if table == "share_packs" else 2**31 - 1, timeout=7200)
    for statement in again:
        await connection.execute(statement, timeout=7200)
    await connection.execute("VACUUM (ANALYZE)", timeout=7200)
    await connection.execute("RESET session_replication_role")
    return shares


async def _resources(connection: asyncpg.Connection, table: str, ids: Sequence[UUID], versions: int) -> Filled:
    long_versions = versions // 10 // LONG
    count = LONG + (versions - LONG * long_versions) // SHORT
    id_column = f"{table.removesuffix('s')}_id"
    is_share = table == "shares"
    statement = _RESOURCES.format(
        table=table,
        id=id_column,
        columns="share_name, data_objects, recipients" if is_share else "recipient_name, type, email",
        values=_SHARE if is_share else "'recipient_' || n, 'D2O', 'v' || v || '@partner.com'",
        workspace=WORKSPACE,
        since=SINCE.isoformat(),
        days=SPAN.days,
        long=LONG,
        short=SHORT,
    )
    await connection.execute(statement, ids, PACKS * OF_EACH, count, long_versions, timeout=7200)
    return Filled(count, long_versions)


async def _packs(connection: asyncpg.Connection, versions: int) -> None:
    await connection.execute(_PACKS, versions, timeout=7200)
    await connection.execute("UPDATE deltashare.share_packs SET version = $1 WHERE is_current", versions)
    await connection.execute(
        "UPDATE deltashare.audit_trail SET entity_version = $1 WHERE entity_type = 'share_pack'", versions
    )


async def _drop_indexes(connection: asyncpg.Connection) -> Sequence[str]:
    """The statements that make them again."""
    constraints = await connection.fetch(
        """
        SELECT conrelid::regclass::text AS "table", conname AS name, pg_get_constraintdef(oid) AS definition
        FROM pg_constraint
        WHERE contype IN ('p', 'u') AND conrelid = ANY (
            SELECT ('deltashare.' || name)::regclass FROM unnest($1::text[]) AS name
        )
        """,
        _TABLES,
    )
    indexes = await connection.fetch(
        """
        SELECT indexname AS name, indexdef AS definition FROM pg_indexes
        WHERE schemaname = 'deltashare' AND tablename = ANY ($1::text[]) AND indexname <> ALL ($2::text[])
        """,
        _TABLES,
        [each["name"] for each in constraints],
    )
    for each in constraints:
        await connection.execute(f"ALTER TABLE {each['table']} DROP CONSTRAINT {each['name']}")
    for each in indexes:
        await connection.execute(f"DROP INDEX deltashare.{each['name']}")
    return [
        *(f"ALTER TABLE {each['table']} ADD CONSTRAINT {each['name']} {each['definition']}" for each in constraints),
        *(each["definition"] for each in indexes),
    ]
