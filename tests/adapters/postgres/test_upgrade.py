"""A database with rows of the version before the whole model (`data/rows_at_0003.json`, taken from a run of it): they
are all still there, mean what they meant, and are worked on from where that version stopped."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.tenant import Tenant
from reconciler.ports.ledger import Claim, Wanted, WorkStatus
from tests.adapters.postgres.older import migrate_to
from tests.adapters.postgres.samples import (
    ANALYST_KEY,
    COMMIT,
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    SALES_KEY,
    WORKSPACE,
    a_plan,
    an_order,
    claim,
)

ROWS: Mapping[str, list[dict[str, object]]] = json.loads(
    Path(__file__).with_name("data").joinpath("rows_at_0003.json").read_text(encoding="utf-8")
)

#: What newer columns say of these rows, where it follows from what the rows say.
FILLED_IN: Mapping[str, Mapping[str, set[object]]] = {
    "reconciler.work": {"business_line_key": {PACK.business_line_key}, "workspace_url": {WORKSPACE}},
    "reconciler.operations": {"number": set(range(1, 1 + len(ROWS["reconciler.operations"])))},
}

PARTNER_KEY = recipient_key("partner", WORKSPACE)
OLD_KEY = share_key("old", WORKSPACE)
ANALYST = Recipient("analyst", TokenSharing(), email="a@partner.com", allowed_ips=frozenset({"10.0.0.0/8"}), comment="")
PARTNER = Recipient(
    "partner",
    DatabricksSharing("azure:westeurope:6c5f1d6e-3a0d-4c39-8f0b-1d0a5c7e9b11"),
    email="p@partner.com",
)
#: One of the objects stands in the rows with `"type": null`.
SALES = Share(
    "sales",
    comment="Q1",
    objects=frozenset(
        {
            SharedObject("prod.hr", ObjectType.SCHEMA),
            SharedObject("prod.sales.items", UNMANAGED),
            SharedObject("prod.sales.orders", ObjectType.TABLE),
        }
    ),
    recipients=frozenset({"analyst", "partner"}),
)


@pytest.fixture
async def upgraded(database_url: str) -> AsyncIterator[PostgresLedger]:
    await migrate_to(database_url, "0003")
    connection = await asyncpg.connect(database_url)
    for table, rows in ROWS.items():
        # The database counts for itself.
        listed = ", ".join(name for name in rows[0] if name != "number")
        await connection.execute(
            f"INSERT INTO {table} ({listed}) SELECT {listed} FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)",
            json.dumps(rows),
        )
    await connection.close()
    ledger = await PostgresLedger.open(database_url)
    yield ledger
    await ledger.close()


@pytest.fixture
async def connection(upgraded: PostgresLedger, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


async def versions(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM deltashare.audit_trail")
    return count


async def test_every_row_is_kept_as_it_was(connection: asyncpg.Connection) -> None:
    for table, rows in ROWS.items():
        now = [json.loads(row["row"]) for row in await connection.fetch(f"SELECT to_jsonb(t) AS row FROM {table} AS t")]
        kept = [{name: row[name] for name in rows[0]} for row in now]
        assert sorted(kept, key=json.dumps) == sorted(
            ({name: row[name] for name in rows[0]} for row in rows), key=json.dumps
        )
        added = {name for row in now for name, value in row.items() if name not in rows[0] and value}
        assert added <= {"previous_version", *FILLED_IN.get(table, {})}
        for name, value in FILLED_IN.get(table, {}).items():
            assert {row[name] for row in now} == value


async def test_the_recorded_state_is_what_it_was(upgraded: PostgresLedger) -> None:
    state = await upgraded.recorded([OLD_KEY], [PACK])
    assert {key: row.resource for key, row in state.resources.items()} == {
        ANALYST_KEY: ANALYST,
        PARTNER_KEY: PARTNER,
        SALES_KEY: SALES,
    }
    assert state.open_intents == {SALES_KEY: PACK}


async def test_the_history_reads_on(upgraded: PostgresLedger) -> None:
    empty = replace(SALES, objects=frozenset(), recipients=frozenset())
    assert [version.resource for version in await upgraded.history(SALES_KEY)] == [
        empty,
        replace(empty, objects=SALES.objects),
        SALES,
    ]
    assert [version.resource for version in await upgraded.history(OLD_KEY)] == [Share("old"), None]


async def test_work_that_was_left_in_the_middle_is_taken_up(upgraded: PostgresLedger) -> None:
    [work_id] = await upgraded.due()
    held = await claim(upgraded, work_id)
    later = replace(SALES, comment="Q2")
    assert held.order.wanted == (Wanted(SALES_KEY, later), Wanted(ANALYST_KEY, None))
    await upgraded.resolve(held, SALES_KEY, later)
    assert (await upgraded.recorded([SALES_KEY], [])).resources[SALES_KEY].resource == later
    await upgraded.settle(held, OLD_KEY, Share("old"), "as found")
    assert [version.version for version in await upgraded.history(OLD_KEY)] == [1, 2, 3]
    await upgraded.finish(held, WorkStatus.DONE)


async def test_what_is_as_it_was_gets_no_version(upgraded: PostgresLedger, connection: asyncpg.Connection) -> None:
    [work_id] = await upgraded.due()
    held = await claim(upgraded, work_id)
    before = await versions(connection)
    for key, resource in ((ANALYST_KEY, ANALYST), (PARTNER_KEY, PARTNER), (SALES_KEY, SALES)):
        await upgraded.settle(held, key, resource, "as found")
    assert await versions(connection) == before


async def test_a_first_new_field_is_the_only_change_in_its_version(
    upgraded: PostgresLedger, connection: asyncpg.Connection
) -> None:
    [work_id] = await upgraded.due()
    held: Claim = await claim(upgraded, work_id)
    await upgraded.settle(held, ANALYST_KEY, replace(ANALYST, owner="admins"), "as found")
    [row] = await connection.fetch(
        "SELECT * FROM deltashare.audit_trail WHERE entity_type = 'recipient' AND entity_version = 2"
    )
    before, after = (plan["plan_id"] for plan in ROWS["reconciler.plans"])
    assert json.loads(row["old_values"]) == {"owner": None, "plan_id": before, "commit_id": COMMIT}
    assert json.loads(row["new_values"]) == {"owner": "admins", "plan_id": after, "commit_id": NEXT_COMMIT}


async def test_a_tenant_that_lends_nothing_gets_no_version(
    upgraded: PostgresLedger, connection: asyncpg.Connection
) -> None:
    tenant = Tenant("Sales Operations", {}, "owner@jll.com", "contact@jll.com", frozenset({"prod"}))
    await upgraded.submit(a_plan(), [replace(an_order(OTHER_PACK), tenant=tenant)])
    assert await connection.fetchval("SELECT max(version) FROM deltashare.tenants") == 1
