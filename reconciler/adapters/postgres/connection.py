"""Connections and transactions, and what their failures are called. A failure names the host and the database, never
the connection string: that holds the password."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Final, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from reconciler.adapters.postgres.versions import VersionConflictError
from reconciler.ports.ledger import LedgerError

T = TypeVar("T")

CONNECT_SECONDS: Final = 10
STATEMENT_SECONDS: Final = 60
#: Seconds that the server waits for the next statement of a transaction; the whole of it may take four times as long.
#: A process that stalls within a transaction holds locks that everybody waits for, until the server gives it up.
IDLE_SECONDS: Final = 15.0
#: Two writers of one row: one of them starts again. More than a few times in a row means something else is wrong.
TRIES: Final = 8
#: Seconds that the first of these pauses lasts at the most; each may last twice as long as the one before.
FIRST_PAUSE: Final = 0.002

#: The arrays that statements are given, with the numbers that PostgreSQL itself gives types (src/include/catalog). Of
#: arrays of text the driver knows.
_ARRAYS: Final = tuple(
    {
        "oid": oid,
        "ns": "pg_catalog",
        "name": f"_{of}",
        "kind": b"b",
        "basetype": None,
        "elemtype": element,
        "elemtype_name": of,
        "elemdelim": ",",
        "range_subtype": None,
        "attrtypoids": None,
        "attrnames": None,
    }
    for oid, of, element in ((2951, "uuid", 2950), (1016, "int8", 20))
)

_STALLED: Final = (
    asyncpg.IdleInTransactionSessionTimeoutError,
    # Drivers older than the setting do not know its failure.
    getattr(asyncpg, "TransactionTimeoutError", asyncpg.IdleInTransactionSessionTimeoutError),
)
#: What beginning a transaction on a connection that is no more can raise.
_DEAD: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    *_STALLED,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)

_REASONS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "the user or the password was not accepted; check domain_db_connection_string",
    ),
    (asyncpg.InvalidCatalogNameError, "there is no such database; create it first (CREATE DATABASE …)"),
    (asyncpg.TooManyConnectionsError, "the server accepts no more connections; try again later or raise its limit"),
    (asyncpg.CannotConnectNowError, "the server is starting or stopping; try again in a moment"),
    (asyncpg.DataError, "a value cannot be stored; look for control characters in the pack"),
    (TimeoutError, "no answer in time; check host, port and firewall"),
    (OSError, "no connection; check that the server runs and that host and port are right"),
    (
        (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError),
        "the connection was lost; try again when the server is back",
    ),
    (
        _STALLED,
        "a transaction took too long and was given up; try again when the server or this process is less busy",
    ),
)


def place(dsn: str) -> str:
    """The database in words, without user, password or options."""
    try:
        parts = urlsplit(dsn)
        if "@" in parts.path + parts.query + parts.fragment:
            # A password with an unquoted delimiter: any part may be a piece of it.
            return "the configured database"
        host = parts.hostname or "".join(parse_qs(parts.query).get("host", [])) or "localhost"
    except ValueError:
        return "the configured database"
    name = unquote(parts.path.lstrip("/"))
    return f"database {name} on {host}" if name else f"the default database on {host}"


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Whatever goes wrong with the database becomes a LedgerError that a person can act on."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise LedgerError(f"{where}: {error.args[0]}; grant it to the user the program connects as") from error
    except VersionConflictError as error:
        raise LedgerError(f"{where}: {error}, {TRIES} times in a row; try again") from error
    except (asyncpg.PostgresError, OSError) as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise LedgerError(f"{where}: {reason}") from error
    except asyncpg.InternalClientError as error:
        raise LedgerError(f"{where}: the connection was lost; try again when the server is back") from error
    except asyncpg.InterfaceError as error:
        # A dead connection has the class of wrong use of the API; only the text differs.
        if not ("closed" in str(error) or "closing" in str(error)):
            raise
        raise LedgerError(f"{where}: the connection was lost; try again when the server is back") from error


def _reason(error: Exception) -> str | None:
    return next((words for kinds, words in _REASONS if isinstance(error, kinds)), None)


@contextmanager
def parsing(dsn: str) -> Iterator[None]:
    """What asyncpg says of a connection string that it cannot read can repeat parts of it."""
    try:
        yield
    except ValueError:
        raise LedgerError(
            f"{place(dsn)}: the connection string is not understood; write "
            "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters as %XX"
        ) from None


async def connect(dsn: str) -> asyncpg.Connection:
    with parsing(dsn):
        return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)


async def open_pool(dsn: str, *, min_size: int, max_size: int, idle: float = IDLE_SECONDS) -> asyncpg.Pool:
    with parsing(dsn):
        return await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={"idle_in_transaction_session_timeout": f"{idle * 1000:.0f}"},
            init=partial(_bound, longest=4 * idle),
            # Nothing here outlives its transaction, so there is nothing to reset: a round trip less each time.
            reset=_keep,
        )


async def _bound(connection: asyncpg.Connection, longest: float) -> None:
    """Between preparing a statement and running it, the server does not count a session as idle."""
    _tell_of_arrays(connection)
    if connection.get_server_version().major >= 17:
        await connection.execute(f"SET transaction_timeout = {longest * 1000:.0f}")


def _tell_of_arrays(connection: asyncpg.Connection) -> None:
    """Otherwise the driver asks the server about each of them, on each connection: that costs it more than all else of
    a short session. A driver that cannot be told goes on asking."""
    with suppress(AttributeError):
        connection._protocol.get_settings().register_data_types(_ARRAYS)


async def _keep(_connection: asyncpg.Connection) -> None:
    return None


async def transact(pool: asyncpg.Pool, where: str, body: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run `body` in one transaction; again from the start when another writer was faster. `body` touches nothing but
    the connection."""
    with failures(where):
        for turn in range(TRIES - 1):
            try:
                async with _transaction(pool) as connection:
                    return await body(connection)
            except (VersionConflictError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                # Those who met each time would meet again: each waits for a time of its own, longer every time.
                await asyncio.sleep(random.uniform(0, FIRST_PAUSE * 2**turn))  # noqa: S311 - it only spreads tries
        async with _transaction(pool) as connection:
            return await body(connection)


@asynccontextmanager
async def _transaction(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    async with AsyncExitStack() as stack:
        # All connections of the pool may have died; the one after the last of them is new.
        for _ in range(pool.get_max_size() + 1):
            connection = await stack.enter_async_context(pool.acquire())
            try:
                await stack.enter_async_context(connection.transaction())
            except _DEAD:
                # It died while nobody used it, as all do when the server restarts.
                with suppress(asyncpg.InterfaceError):
                    connection.terminate()
                await stack.aclose()
            else:
                yield connection
                return
        raise LedgerError("no connection lives long enough to begin a transaction; try again when the server is well")
