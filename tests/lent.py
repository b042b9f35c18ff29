"""Connections that outlive a test: each test has them lent, as good as new, and gives them back.

A new one costs a process of the server, and plans each statement once more: more than most tests do with it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import asyncpg

from reconciler.adapters.postgres.connection import _DEAD, IDLE_SECONDS, _bound, open_pool, place
from reconciler.adapters.postgres.ledger import PostgresLedger

#: Seconds that a statement may take to come to its end after a test.
_PATIENCE: Final = 20.0


class Lender:
    """Open one for each event loop and database."""

    def __init__(self, pool: asyncpg.Pool, plain: asyncpg.Pool, dsn: str) -> None:
        self._pool = pool
        self._plain = plain
        self._where = place(dsn)

    @classmethod
    async def open(cls, dsn: str) -> "Lender":
        own, plain = open_pool(dsn, min_size=1, max_size=10), asyncpg.create_pool(dsn, min_size=0, max_size=4)
        return cls(await own, await plain, dsn)

    def ledger(self) -> PostgresLedger:
        """On tables that are there. Closing it gives the connections back."""
        return PostgresLedger(LentPool(self._pool), self._where)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """One that is not the ledger's, to look at the tables with."""
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._plain.acquire())
            while not await _lives(connection):
                connection = await stack.enter_async_context(self._plain.acquire())
            yield connection

    async def close(self) -> None:
        await self._plain.close()
        await self._pool.close()


class LentPool:
    """As much of a pool as a ledger asks for."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._is_closed = False

    def acquire(self) -> Any:
        if self._is_closed:
            raise asyncpg.InterfaceError("pool is closed")
        return self._pool.acquire()

    def get_max_size(self) -> int:
        size: int = self._pool.get_max_size()
        return size

    async def close(self) -> None:
        """Fails when some connection is still used."""
        if self._is_closed:
            return
        self._is_closed = True
        async with asyncio.timeout(_PATIENCE):
            while self._pool.get_idle_size() < self._pool.get_size():
                await asyncio.sleep(0.01)
        async with AsyncExitStack() as stack:
            for _ in range(self._pool.get_idle_size()):
                await _renew(await stack.enter_async_context(self._pool.acquire()))


async def _renew(connection: asyncpg.Connection) -> None:
    """Settings, locks and whatever else a session may be left with."""
    if await _lives(connection):
        await connection.reset()
        await _bound(connection, longest=4 * IDLE_SECONDS)


async def _lives(connection: asyncpg.Connection) -> bool:
    """There are tests that end all connections there are. Those are made anew when they are asked for."""
    try:
        await connection.execute("SELECT 1")
    except _DEAD:
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
        return False
    return True
