"""What outlives a test, connections and the event loop, is as good as new for the next one."""

import asyncio

import asyncpg
import pytest

from reconciler.adapters.postgres.connection import _DEAD, open_pool
from tests.alone import alone_on
from tests.lent import Lender

_STATE = """
    SELECT pg_backend_pid(), current_setting('statement_timeout'), current_setting('search_path'),
           current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_timeout', true),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
           (SELECT count(*) FROM pg_listening_channels())
"""
_SPOIL = """
    SET statement_timeout = 1000; SET search_path = reconciler; SET idle_in_transaction_session_timeout = 7;
    SELECT pg_advisory_lock(1); LISTEN something;
"""


async def test_a_ledger_gets_what_others_had_as_if_it_were_new(lender: Lender, migrated_database_url: str) -> None:
    async with await open_pool(migrated_database_url, min_size=1, max_size=1) as fresh:
        _, *new = await fresh.fetchrow(_STATE)
    first = lender.ledger()
    async with first._pool.acquire() as connection:
        pid, *before = await connection.fetchrow(_STATE)
        await connection.execute(_SPOIL)
        assert tuple(await connection.fetchrow(_STATE))[1:] != tuple(before)
    await first.close()
    second = lender.ledger()
    async with second._pool.acquire() as connection:
        again, *after = await connection.fetchrow(_STATE)
    await second.close()
    assert again == pid
    assert new == before == after


async def test_a_connection_to_look_with_comes_back_as_new(lender: Lender) -> None:
    async with lender.connection() as connection:
        before = tuple(await connection.fetchrow(_STATE))
        await connection.execute(_SPOIL)
    async with lender.connection() as connection:
        assert tuple(await connection.fetchrow(_STATE)) == before


async def test_a_closed_ledger_has_no_connections(lender: Lender) -> None:
    ledger = lender.ledger()
    await ledger.close()
    await ledger.close()
    with pytest.raises(asyncpg.InterfaceError, match="closed"):
        ledger._pool.acquire()


async def test_a_connection_that_is_not_given_back_is_an_error(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lent._PATIENCE", 0.05)
    ledger = lender.ledger()
    async with ledger._pool.acquire():
        with pytest.raises(TimeoutError):
            await ledger.close()


def test_emptying_leaves_alone_who_only_waits(
    lender: Lender, event_loop_of_all: asyncio.AbstractEventLoop, request: pytest.FixtureRequest
) -> None:
    run, migrated = event_loop_of_all.run_until_complete, request.getfixturevalue("_migrated_database")

    async def pid() -> int:
        ledger = lender.ledger()
        async with ledger._pool.acquire() as connection:
            found: int = await connection.fetchval("SELECT pg_backend_pid()")
        await ledger.close()
        return found

    async def forget_a_transaction() -> None:
        ledger = lender.ledger()
        async with ledger._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("LOCK TABLE reconciler.work")
            await asyncio.to_thread(migrated.empty)
            with pytest.raises(_DEAD):
                await connection.execute("SELECT 1")
        await ledger.close()

    before = run(pid())
    migrated.empty()
    assert run(pid()) == before
    run(forget_a_transaction())
    assert run(pid()) != before


def test_a_task_left_behind_is_ended_and_an_error(event_loop_of_all: asyncio.AbstractEventLoop) -> None:
    left: list[asyncio.Task[None]] = []

    async def leave() -> None:
        left.append(asyncio.create_task(asyncio.sleep(3600), name="forgotten"))

    with pytest.raises(AssertionError, match=r"left behind: .*forgotten"), alone_on(event_loop_of_all):
        event_loop_of_all.run_until_complete(leave())
    assert left[0].cancelled()
