"""The doorbell on PostgreSQL NOTIFY. It decides how to stay connected and how many rings to remember; the rows of the
work table say what there is to do.

A message is a notification on one channel whose payload is the id of a work row as text, so SQL can ring as well:
`SELECT pg_notify('reconciler_work', id::text)`. Promised: a ring that returned reaches every doorbell that listens at
that moment, once. Not promised: anything to one that does not listen just then; it finds the work with its next sweep.
There is nothing to keep, settle or park, because a notification is gone once heard and the row stays.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg

from reconciler.ports.doorbell import DoorbellUnavailableError, Ring

_T = TypeVar("_T")

CHANNEL = "reconciler_work"

#: Rings returned by one answer at most.
BATCH = 10
#: Different rings remembered between answers. More are dropped: with that many waiting nobody is idle, and the sweep
#: rings for what is left.
MAX_PENDING = 10_000

#: Seconds until a statement or an attempt to connect has failed.
TIMEOUT = 3.0
#: Seconds between attempts to connect: the first, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
#: Seconds between looks at a quiet connection. A peer that vanished without a word is noticed only so.
_PROBE = 30.0

_FAILURES = (
    OSError,
    EOFError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class PostgresDoorbell:
    """Use `open`. One connection of its own; safe to share between the tasks of one event loop."""

    def __init__(self, dsn: str, channel: str) -> None:
        self._dsn = dsn
        self._channel = channel
        self._connection: asyncpg.Connection | None = None
        self._one_statement = asyncio.Lock()
        self._connected = asyncio.Event()
        self._lost = asyncio.Event()
        self._pending: dict[UUID, None] = {}
        self._woken = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"PostgresDoorbell({self._channel!r})"

    @classmethod
    async def open(cls, dsn: str, channel: str = CHANNEL) -> "PostgresDoorbell":
        """Raises DoorbellUnavailableError; a connection lost later is made again by itself."""
        doorbell = cls(dsn, channel)
        await _attempt("listen", doorbell._connect)
        doorbell._watcher = asyncio.create_task(doorbell._stay_connected(), name=f"listen on {channel}")
        return doorbell

    async def ring(self, work_ids: Sequence[UUID]) -> None:
        ids = [str(work_id) for work_id in dict.fromkeys(work_ids)]
        if not ids:
            return
        connection = await self._usable("ring")
        notify = "SELECT count(pg_notify($1, id)) FROM unnest($2::text[]) AS id"
        async with self._one_statement:
            await _attempt("ring", lambda: connection.execute(notify, self._channel, ids, timeout=TIMEOUT))

    async def answer(self, wait: float, most: int = BATCH) -> Sequence[Ring]:
        """Raises DoorbellUnavailableError when the connection is lost and did not come back within `wait`."""
        if self._closed:
            raise _unavailable("answer", "the doorbell is closed")
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._something_pending()
        if not (self._pending or self._connected.is_set() or self._closed):
            raise _unavailable("answer", "the connection is lost and being made again")
        return [Ring(work_id) for work_id in self._take(max(1, min(most, BATCH)))]

    async def keep(self, ring: Ring) -> Ring:
        return ring

    async def settle(self, ring: Ring) -> None:
        """Hearing it has settled it."""

    async def park(self, ring: Ring, reason: str) -> None:
        """The work row keeps payload and reason."""

    async def check(self) -> None:
        """Notifies itself on a channel that nobody else knows, over the connection that rings and listens: behind a
        pooler that lends connections for a statement, it could ring and would never hear."""
        connection = await self._usable("check")
        async with self._one_statement:
            await _attempt("hear itself", lambda: _there_and_back(connection))

    async def close(self) -> None:
        """Ends waiting answers. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._woken.set()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        if self._connection is not None:
            await _hang_up(self._connection)

    async def _usable(self, intent: str) -> asyncpg.Connection:
        """Waits a moment for a connection that is just being made again."""
        if self._closed:
            raise _unavailable(intent, "the doorbell is closed")
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await self._connected.wait()
        if self._connection is None or not self._connected.is_set():
            raise _unavailable(intent, "the connection is lost and being made again")
        return self._connection

    async def _something_pending(self) -> None:
        while not self._pending and not self._closed:
            self._woken.clear()
            await self._woken.wait()

    def _take(self, most: int) -> list[UUID]:
        taken = list(islice(self._pending, most))
        for work_id in taken:
            del self._pending[work_id]
        return taken

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        """Several rings for one work item before anybody answers are one ring."""
        work_id = _work_id(payload)
        if work_id is not None and len(self._pending) < MAX_PENDING:
            self._pending[work_id] = None
            self._woken.set()

    async def _connect(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=TIMEOUT, command_timeout=TIMEOUT)
        try:
            await connection.add_listener(self._channel, self._heard)
        except BaseException:
            connection.terminate()
            raise
        connection.add_termination_listener(self._ended)
        self._connection = connection
        self._lost.clear()
        self._connected.set()
        if connection.is_closed():
            self._ended(connection)

    def _ended(self, connection: object) -> None:
        if connection is self._connection:
            self._connected.clear()
            self._lost.set()

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._until_lost()
            try:
                await self._connect()
                pause = _FIRST_PAUSE
            except _FAILURES:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _until_lost(self) -> None:
        while not self._lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_PROBE):
                    await self._lost.wait()
            if not self._lost.is_set():
                await self._probe()

    async def _probe(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            async with self._one_statement:
                await connection.execute("SELECT 1", timeout=TIMEOUT)
        except _FAILURES:
            connection.terminate()
            self._ended(connection)


async def _there_and_back(connection: asyncpg.Connection) -> None:
    channel, heard = f"reconciler_check_{uuid4().hex}", asyncio.Event()

    def hear(*_: object) -> None:
        heard.set()

    await connection.add_listener(channel, hear)
    try:
        await connection.execute("SELECT pg_notify($1, '')", channel, timeout=TIMEOUT)
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await heard.wait()
    finally:
        await connection.remove_listener(channel, hear)
    if not heard.is_set():
        reason = f"nothing came back within {TIMEOUT:g} s. A pooler in between must keep sessions together"
        raise _unavailable("hear itself", reason)


def _work_id(payload: object) -> UUID | None:
    """None for what others say on the channel; there is nowhere to put it aside and nothing lost with it."""
    try:
        return UUID(payload) if isinstance(payload, str) and len(payload) == 36 else None
    except ValueError:
        return None


async def _attempt(intent: str, call: Callable[[], Awaitable[_T]]) -> _T:
    try:
        return await call()
    except ValueError:
        failure: Exception = ValueError(
            "The PostgreSQL connection string cannot be read: postgresql://user@host/database"
        )
    except _FAILURES as error:
        failure = _unavailable(intent, " ".join(filter(None, (type(error).__name__, getattr(error, "sqlstate", None)))))
    # Outside of the handlers: the driver's exception, which may repeat the connection string, is not attached.
    raise failure


def _unavailable(intent: str, reason: str) -> DoorbellUnavailableError:
    return DoorbellUnavailableError(f"PostgreSQL notifications: cannot {intent}: {reason}")


async def _hang_up(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=TIMEOUT)
    except _FAILURES:
        connection.terminate()
