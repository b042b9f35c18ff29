"""Of all daemons on one database one leads: whose session holds an advisory lock. The server ends a session that is not
heard of, so a leader that is stopped or cut off loses the lead by itself; whether it still leads, it must ask."""

import asyncio
from contextlib import suppress
from typing import Final

import asyncpg

from reconciler.adapters.postgres.connection import parsing, place

#: Any number that all versions of this program agree on: "sharelea" in ASCII.
LOCK: Final = 0x73686172656C6561
#: Seconds after which a leader that has not asked loses the lead.
IDLE: Final = 15.0
#: Seconds until an attempt to connect, or a statement, has failed.
TIMEOUT: Final = 3.0
#: In pg_stat_activity.
APPLICATION: Final = "sharepack daemon: leadership"

_FAILURES: Final = (
    OSError,
    EOFError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class PostgresLeadership:
    """Implements `ports.leadership.Leadership`, on a connection of its own. Safe to share between the tasks of one
    event loop; `resign` at the end."""

    def __init__(self, dsn: str, *, idle: float = IDLE) -> None:
        self._dsn = dsn
        self._idle = idle
        self._connection: asyncpg.Connection | None = None
        self._leads = False
        self._one_at_a_time = asyncio.Lock()

    def __repr__(self) -> str:
        return f"PostgresLeadership({place(self._dsn)!r})"

    async def holds(self) -> bool:
        """False also when the database cannot be reached; a lost connection is made again by the next call. Raises
        LedgerError when the connection string cannot be read."""
        async with self._one_at_a_time:
            try:
                return await self._ask()
            except _FAILURES:
                self._hang_up()
                return False

    async def resign(self) -> None:
        async with self._one_at_a_time:
            connection = self._connection
            if connection is None:
                return
            try:
                with suppress(*_FAILURES):
                    # Closing would end the lock as well, but only when the server has noticed.
                    await connection.execute("SELECT pg_advisory_unlock_all()", timeout=TIMEOUT)
                    await connection.close(timeout=TIMEOUT)
            finally:
                self._hang_up()

    async def _ask(self) -> bool:
        if self._connection is None:
            self._connection = await self._connect()
        if self._leads:
            # The lock lives as long as the session does, and this keeps the session from being idle.
            await self._connection.execute("SELECT 1", timeout=TIMEOUT)
        else:
            question = "SELECT pg_try_advisory_lock($1)"
            self._leads = await self._connection.fetchval(question, LOCK, timeout=TIMEOUT)
        return self._leads

    async def _connect(self) -> asyncpg.Connection:
        settings = {"application_name": APPLICATION, "idle_session_timeout": f"{self._idle * 1000:.0f}"}
        with parsing(self._dsn):
            return await asyncpg.connect(self._dsn, timeout=TIMEOUT, server_settings=settings)

    def _hang_up(self) -> None:
        connection, self._connection, self._leads = self._connection, None, False
        if connection is not None:
            connection.terminate()
