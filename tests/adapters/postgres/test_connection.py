"""Failures of the database: in words that say where and what to do, and never with a secret."""

import asyncio
import traceback
from urllib.parse import quote, urlsplit
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.postgres.connection import open_pool, place
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.share import Share
from reconciler.ports.ledger import LedgerError
from tests.adapters.postgres.samples import PACK, SALES_KEY, a_plan, an_order, wanted, work_order

SECRET = "S3cr3tPassw0rd"


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        (f"postgresql://me:{SECRET}@db.example.com:5432/packs?sslmode=require", "database packs on db.example.com"),
        ("postgresql://me@/packs?host=/tmp/with%20space", "database packs on /tmp/with space"),
        ("postgresql://db.example.com", "the default database on db.example.com"),
        (f"postgresql://me:{SECRET}@[::1/packs", "the configured database"),
        (f"postgresql://me:a/{SECRET}@host/packs", "the configured database"),
        (f"postgresql://me:a#{SECRET}@host/packs", "the configured database"),
        (f"postgresql://me:a?{SECRET}@host/packs", "the configured database"),
        (f"postgresql://me:a@{SECRET}@host/packs", "database packs on host"),
    ],
)
def test_a_database_is_named_by_host_and_name(dsn: str, expected: str) -> None:
    assert place(dsn) == expected


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1).map(lambda text: f"{text}Zq9{text}")
)
def test_no_password_is_ever_part_of_a_place(password: str) -> None:
    for written in (password, quote(password, safe="")):
        assert "Zq9" not in place(f"postgresql://me:{written}@host/packs")


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        (f"postgresql://me:{SECRET}@127.0.0.1:1/packs", "database packs on 127.0.0.1: no connection"),
        (f"mysql://me:{SECRET}@127.0.0.1/packs", "the connection string is not understood"),
        (f"postgresql://me:{SECRET}@127.0.0.1:port/packs", "the connection string is not understood"),
        (f"postgresql://me:1/{SECRET}@127.0.0.1/packs", "the configured database: "),
        (f"postgresql://me:{SECRET}@127.0.0.1:1/packs?sslmode=maybe", "the connection string is not understood"),
    ],
)
async def test_a_database_that_cannot_be_opened_is_named_without_its_secrets(dsn: str, words: str) -> None:
    with pytest.raises(LedgerError) as raised:
        await PostgresLedger.open(dsn)
    assert words in str(raised.value)
    assert SECRET not in "".join(traceback.format_exception(raised.value))


async def test_a_missing_database_is_told(database_url: str) -> None:
    dsn = urlsplit(database_url)._replace(path="/no_such_database").geturl()
    with pytest.raises(LedgerError, match=r"database no_such_database on .*: there is no such database; create it"):
        await PostgresLedger.open(dsn)


async def test_a_missing_user_is_told(database_url: str) -> None:
    with pytest.raises(LedgerError, match="the user or the password was not accepted"):
        await PostgresLedger.open(database_url.replace("postgres@", f"nobody:{SECRET}@", 1))


async def test_the_ledger_survives_a_restart_of_its_connections(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    work = await ledger.submit(a_plan(), [work_order()])
    await asyncio.gather(*(ledger.due() for _ in range(10)))
    await connection.fetch(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """
    )
    assert await asyncio.gather(*(ledger.due() for _ in range(10))) == [[work[PACK]]] * 10


async def test_a_connection_lost_in_the_middle_is_told(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    lock = connection.transaction()
    await lock.start()
    await connection.execute("LOCK TABLE reconciler.plans")

    async def cut() -> None:
        while not await connection.fetch(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
            """
        ):
            pass

    cutting = asyncio.create_task(cut())
    with pytest.raises(LedgerError, match="the connection was lost; try again when the server is back"):
        await ledger.submit(a_plan(), [work_order()])
    await cutting
    await lock.rollback()
    assert await ledger.due() == []


async def test_what_postgresql_cannot_store_is_told_and_nothing_is_written(ledger: PostgresLedger) -> None:
    order = an_order(PACK, wanted(SALES_KEY, Share("sales", comment="a\x00b")), config={"comment": "a\x00b"})
    with pytest.raises(LedgerError, match="look for control characters"):
        await ledger.submit(a_plan(), [order])
    assert await ledger.all_packs() == []


def test_the_ledger_prints_as_its_place(ledger: PostgresLedger) -> None:
    assert repr(ledger).startswith("PostgresLedger('database migrated_")


async def test_the_server_is_not_asked_what_an_array_is(migrated_database_url: str) -> None:
    """Which costs it more than connecting does."""
    identifier = UUID("6f1c6a52-5f0e-4c43-9d0c-1f6f3d8c9a11")
    pool = await open_pool(migrated_database_url, min_size=1, max_size=1)
    async with pool, pool.acquire() as connection:
        given = await connection.fetchrow("SELECT $1::uuid[] AS uuids, $2::bigint[] AS numbers", [identifier], [2**40])
        empty = await connection.fetchrow("SELECT $1::uuid[] AS uuids, $2::bigint[] AS numbers", [], [None])
        asked = await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'type[i]nfo'")
        numbers = await connection.fetchrow("SELECT 'uuid[]'::regtype::oid, 'bigint[]'::regtype::oid")
        # What it does not know, it asks.
        assert await connection.fetchval("SELECT $1::date[]", []) == []
        then = await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'type[i]nfo'")
    assert tuple(given) == ([identifier], [2**40])
    assert tuple(empty) == ([], [None])
    assert tuple(numbers) == (2951, 1016)
    assert (asked, then) == (0, 1)
