"""The queries printed in the workflow guide, word for word but for the ids, on tables that hold something."""

import asyncpg
import pytest

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.ports.ledger import WorkStatus
from tests.adapters.postgres.samples import OTHER_PACK, PACK, claimed, work_order

SCHEMA = "SELECT * FROM information_schema.schemata WHERE schema_name = 'deltashare';"
TABLE_COUNT = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'deltashare';"
TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'deltashare' ORDER BY table_name;
"""
CURRENT_TENANTS = """
SELECT * FROM deltashare.tenants
WHERE is_current = true AND is_deleted = false;
"""
TENANTS_AT = """
SELECT * FROM deltashare.tenants
WHERE effective_from <= '2024-01-01' AND effective_to > '2024-01-01';
"""
TENANT_HISTORY = """
SELECT * FROM deltashare.tenants
WHERE tenant_id = 'uuid-here'
ORDER BY version;
"""
SHARE_PACK = """
SELECT * FROM deltashare.share_packs
WHERE share_pack_id = 'uuid-here' AND is_current = true;
"""
SHARE_PACKS = """
SELECT share_pack_id, share_pack_name, share_pack_status
FROM deltashare.share_packs
WHERE is_current = true
ORDER BY effective_from DESC
LIMIT 10;
"""
RECENT = """
SELECT share_pack_id, share_pack_name, share_pack_status, effective_from
FROM deltashare.share_packs
WHERE is_current = true
ORDER BY effective_from DESC
LIMIT 10;
"""
FAILED = """
SELECT share_pack_id, share_pack_name, error_message
FROM deltashare.share_packs
WHERE is_current = true AND share_pack_status = 'FAILED';
"""
SHARE_PACK_HISTORY = """
SELECT version, share_pack_status, effective_from, created_by, change_reason
FROM deltashare.share_packs
WHERE share_pack_id = 'uuid-here'
ORDER BY version;
"""

SIXTEEN = [
    "ad_groups", "audit_trail", "databricks_objects", "job_metrics", "notifications", "pipelines", "project_costs",
    "projects", "recipients", "requests", "share_packs", "shares", "sync_jobs", "tenant_regions", "tenants", "users",
]  # fmt: skip


@pytest.fixture
async def filled(ledger: PostgresLedger, connection: asyncpg.Connection) -> asyncpg.Connection:
    """One pack applied, one failed."""
    await ledger.finish(await claimed(ledger, work_order(PACK)), WorkStatus.DONE)
    await ledger.finish(await claimed(ledger, work_order(OTHER_PACK)), WorkStatus.FAILED, "no such table")
    return connection


async def test_the_schema_and_its_sixteen_tables(filled: asyncpg.Connection) -> None:
    assert len(await filled.fetch(SCHEMA)) == 1
    assert await filled.fetchval(TABLE_COUNT) == 16
    assert [row["table_name"] for row in await filled.fetch(TABLES)] == SIXTEEN


async def test_tenants_now_then_and_ever(filled: asyncpg.Connection) -> None:
    tenant_id = str(pack_ids(PACK).tenant)
    assert [row["business_line"] for row in await filled.fetch(CURRENT_TENANTS)] == ["Sales Operations"]
    assert await filled.fetch(TENANTS_AT) == []
    now = TENANTS_AT.replace("2024-01-01", "2999-01-01")
    assert [row["business_line"] for row in await filled.fetch(now)] == ["Sales Operations"]
    history = await filled.fetch(TENANT_HISTORY.replace("uuid-here", tenant_id))
    assert [row["version"] for row in history] == [1]


async def test_share_packs_recent_failed_and_one(filled: asyncpg.Connection) -> None:
    share_pack_id = pack_ids(OTHER_PACK).share_pack
    [row] = await filled.fetch(SHARE_PACK.replace("uuid-here", str(share_pack_id)))
    assert (row["strategy"], row["requested_by"]) == ("NEW", "john.doe@jll.com")
    for query in (SHARE_PACKS, RECENT):
        rows = await filled.fetch(query)
        assert [row["share_pack_status"] for row in rows] == ["FAILED", "COMPLETED"]
        assert all(row["share_pack_name"].startswith("SharePack_john.doe@jll.com_") for row in rows)
    [failed] = await filled.fetch(FAILED)
    assert (failed["share_pack_id"], failed["error_message"]) == (share_pack_id, "no such table")


async def test_the_history_of_a_share_pack(filled: asyncpg.Connection) -> None:
    query = SHARE_PACK_HISTORY.replace("uuid-here", str(pack_ids(PACK).share_pack))
    rows = await filled.fetch(query)
    assert [(row["version"], row["share_pack_status"]) for row in rows] == [(1, "IN_PROGRESS"), (2, "COMPLETED")]


async def test_every_versioned_table_has_the_columns_of_the_guide(filled: asyncpg.Connection) -> None:
    ids = {
        "tenants": "tenant_id", "tenant_regions": "tenant_region_id", "projects": "project_id",
        "requests": "request_id", "share_packs": "share_pack_id", "recipients": "recipient_id", "shares": "share_id",
        "pipelines": "pipeline_id", "users": "user_id", "ad_groups": "group_id", "databricks_objects": "object_id",
    }  # fmt: skip
    for table, entity in ids.items():
        rows = await filled.fetch(
            """
            SELECT column_name, udt_name, character_maximum_length FROM information_schema.columns
            WHERE table_schema = 'deltashare' AND table_name = $1
            """,
            table,
        )
        columns = {row["column_name"]: (row["udt_name"], row["character_maximum_length"]) for row in rows}
        expected = {
            "record_id": ("uuid", None),
            entity: ("uuid", None),
            "effective_from": ("timestamptz", None),
            "effective_to": ("timestamptz", None),
            "is_current": ("bool", None),
            "is_deleted": ("bool", None),
            "version": ("int4", None),
            "created_by": ("varchar", 255),
            "change_reason": ("varchar", 500),
        }
        assert columns.items() >= expected.items()
