"""Versions of many resources in one write: as many statements as for one, and each with its own cause."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.packs import delete_packs
from reconciler.adapters.postgres.resources import Found, write_resources
from reconciler.adapters.postgres.tables import SHARE_PACKS, SHARES
from reconciler.adapters.postgres.versions import Cause, Change, read_current, revised, write_versions
from reconciler.core.key import PackId, share_key
from reconciler.core.share import Share
from reconciler.ports.ledger import NameTakenError
from tests.adapters.postgres.samples import ANALYST, ANALYST_KEY, PACK, SALES, SALES_KEY, WORKSPACE, a_plan, an_order

OWNER = pack_ids(PACK).share_pack
CHANGE = Change("ann", "imported")
REVENUE_KEY = share_key("revenue", WORKSPACE)
REVENUE = replace(SALES, name="revenue")


@pytest.fixture
async def statements(connection: asyncpg.Connection) -> AsyncIterator[list[str]]:
    """What is sent from here on. asyncpg asks for the types of columns once, and tells of a statement in the next turn
    of the event loop."""
    sent: list[str] = []
    await write_resources(connection, {OWNER: [Found(share_key("first", WORKSPACE), Share("first"))]}, CHANGE)
    await read_current(connection, SHARE_PACKS, [uuid4()])
    await asyncio.sleep(0)
    with connection.query_logger(lambda record: sent.append(record.query)):
        yield sent


def shares(count: int, comment: str) -> list[Found]:
    made = [Share(f"s{number}", comment=comment) for number in range(count)]
    return [Found(share_key(share.name, WORKSPACE), share) for share in made]


@pytest.mark.parametrize("count", [1, 100, 1000])
async def test_any_number_of_resources_takes_two_statements(
    connection: asyncpg.Connection, statements: list[str], count: int
) -> None:
    for comment in ("first", "second"):
        await write_resources(connection, {OWNER: shares(count, comment)}, CHANGE)
    gone = [replace(item, resource=None) for item in shares(count, "")]
    await write_resources(connection, {OWNER: gone}, CHANGE)
    await asyncio.sleep(0)
    assert len(statements) == 6
    written = await connection.fetch(
        "SELECT version, count(*) FROM deltashare.shares WHERE share_name <> 'first' GROUP BY version ORDER BY version"
    )
    assert [tuple(row) for row in written] == [(1, count), (2, count), (3, count)]
    audited = await connection.fetchval("SELECT count(*) FROM deltashare.audit_trail WHERE entity_type = 'share'")
    assert audited == 3 * count + 1


@pytest.mark.parametrize("count", [1, 100, 1000])
async def test_any_number_of_rows_takes_one_statement(
    connection: asyncpg.Connection, statements: list[str], count: int
) -> None:
    ids = [uuid4() for _ in range(count)]
    columns = {"share_pack_id": OWNER, "workspace_url": WORKSPACE, "protect": False}
    first = [revised(SHARES, each, None, {**columns, "share_name": f"x{each}"}) for each in ids]
    assert set(await write_versions(connection, SHARES, first, CHANGE)) == set(ids)
    rows = await read_current(connection, SHARES, ids)
    second = [revised(SHARES, each, row, {"comment": "changed"}) for each, row in rows.items()]
    assert set((await write_versions(connection, SHARES, second, CHANGE)).values()) == {2}
    await asyncio.sleep(0)
    assert len(statements) == 3


async def test_each_has_its_own_cause(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    await ledger.submit(a_plan(), [an_order()])
    operation_id = uuid4()
    found = [
        Found(SALES_KEY, SALES, cause=Cause("share created", operation_id)),
        Found(ANALYST_KEY, ANALYST, cause=Cause("recipient created")),
        Found(REVENUE_KEY, REVENUE),
    ]
    await write_resources(connection, {OWNER: found}, CHANGE)
    told = {key: (await ledger.history(key))[0].change_reason for key in (SALES_KEY, ANALYST_KEY, REVENUE_KEY)}
    assert told == {SALES_KEY: "share created", ANALYST_KEY: "recipient created", REVENUE_KEY: "imported"}
    rows = await connection.fetch(
        """
        SELECT change_reason, operation_id FROM deltashare.audit_trail
        WHERE entity_type IN ('share', 'recipient') ORDER BY change_reason
        """
    )
    assert [tuple(row) for row in rows] == [
        ("imported", None),
        ("recipient created", None),
        ("share created", operation_id),
    ]


async def test_what_is_said_of_one_name_is_written_in_order(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.submit(a_plan(), [an_order()])
    filled = replace(SALES, comment="filled")
    found = [
        Found(SALES_KEY, SALES),
        Found(SALES_KEY, filled),
        Found(REVENUE_KEY, replace(filled, name="revenue"), "sales"),
        Found(SALES_KEY, SALES),
    ]
    await write_resources(connection, {OWNER: found}, CHANGE)
    renamed = [(version.key, version.version) for version in await ledger.history(REVENUE_KEY)]
    assert renamed == [(SALES_KEY, 1), (SALES_KEY, 2), (REVENUE_KEY, 3)]
    current = [version for version in await ledger.history(SALES_KEY) if version.effective_to is None]
    assert [(version.key, version.version) for version in current] == [(REVENUE_KEY, 3), (SALES_KEY, 1)]


async def test_one_name_that_is_taken_stops_all(connection: asyncpg.Connection) -> None:
    await write_resources(connection, {OWNER: [Found(SALES_KEY, SALES), Found(REVENUE_KEY, REVENUE)]}, CHANGE)
    found = [*shares(3, "new"), Found(REVENUE_KEY, REVENUE, "sales")]
    with pytest.raises(NameTakenError, match="both are on record"):
        await write_resources(connection, {OWNER: found}, CHANGE)
    assert await connection.fetchval("SELECT count(*) FROM deltashare.shares") == 2


async def test_packs_go_together(ledger: PostgresLedger, connection: asyncpg.Connection, statements: list[str]) -> None:
    packs = [PackId.of("Line", f"Project {number}") for number in range(30)]
    await ledger.submit(a_plan(), [an_order(pack) for pack in packs])
    ids = [pack_ids(pack).share_pack for pack in packs]
    await delete_packs(connection, ids, CHANGE)
    await asyncio.sleep(0)
    assert len(statements) == 2
    assert all(row["is_deleted"] for row in (await read_current(connection, SHARE_PACKS, ids)).values())
