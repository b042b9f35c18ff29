"""Brings a database to the schema this program needs. Alembic decides which migrations are missing and writes their
SQL; asyncpg runs it, in one transaction, under a lock that all starting processes share."""

from functools import cache
from pathlib import Path
from typing import Final

import asyncpg

from reconciler.adapters.postgres.connection import connect, failures, place
from reconciler.ports.ledger import LedgerError, TooNewError

OLDEST_SERVER: Final = 14
#: Any number that all versions of this program agree on: "sharepac" in ASCII.
_LOCK: Final = 0x7368617265706163
_PACKAGE: Final = Path(__file__).parents[2]


async def migrate(dsn: str) -> None:
    """One query when there is nothing to do. Raises LedgerError."""
    where = place(dsn)
    with failures(where):
        connection = await connect(dsn)
        try:
            await _bring_up_to_date(connection, where)
        finally:
            await connection.close()


async def _bring_up_to_date(connection: asyncpg.Connection, where: str) -> None:
    server = connection.get_server_version()
    if server.major < OLDEST_SERVER:
        raise LedgerError(f"{where}: PostgreSQL {server.major} is too old; version {OLDEST_SERVER} or newer is needed")
    found = await _current(connection, where)
    if found == newest_revision():
        return
    try:
        await _migrate(connection, where)
    except asyncpg.InsufficientPrivilegeError as error:
        if found is None:
            raise
        raise LedgerError(
            f"{where}: its schema is at revision {found}, {newest_revision()} is needed, and this user may not change "
            f"it ({error.args[0]}); first start this version as the user that owns the tables: the daemon, or an apply"
        ) from error


async def _migrate(connection: asyncpg.Connection, where: str) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT to_regnamespace('reconciler')") is None:
            await connection.execute("CREATE SCHEMA reconciler")
        current = await _current(connection, where)
        if current != newest_revision():
            await connection.execute(_missing(current))


async def _current(connection: asyncpg.Connection, where: str) -> str | None:
    """The revision the database is at; None when it has never been migrated."""
    if await connection.fetchval("SELECT to_regclass('reconciler.alembic_version')") is None:
        return None
    current: str | None = await connection.fetchval("SELECT version_num FROM reconciler.alembic_version")
    if current is not None:
        require_known(current, where)
    return current


def require_known(revision: str, where: str = "the database") -> None:
    """Raises TooNewError when a newer version of this program has changed the schema: what this one writes may mean
    something else by now."""
    if revision > newest_revision():
        raise TooNewError(
            f"{where}: its schema is at revision {revision}, this program knows only {newest_revision()}; "
            "upgrade sharepack, or use the version that migrated the database"
        )


@cache
def newest_revision() -> str:
    """Read from the file names, which begin with the revision: importing Alembic takes longer than everything else.
    Read once: the files of a newer version may come to stand there while this one runs."""
    return max(path.stem.partition("_")[0] for path in (migrations_folder() / "versions").glob("[0-9]*.py"))


def migrations_folder() -> Path:
    """Inside the package when installed from a wheel, beside it in a checkout."""
    packaged = _PACKAGE / "_schema" / "migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "schema" / "migrations"


def _missing(current: str | None) -> str:
    from reconciler.adapters.postgres.alembic_sql import migration_sql  # noqa: PLC0415 - 0.2 s, once in a database's life

    return migration_sql(migrations_folder(), current)
