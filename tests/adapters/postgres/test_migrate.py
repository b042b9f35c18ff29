"""Migrating: once, by whoever comes first, never backwards, and with words a person can act on."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from reconciler.adapters.postgres import migrate as migrate_module
from reconciler.adapters.postgres.migrate import migrate, migrations_folder, newest_revision
from reconciler.ports.ledger import LedgerError
from tests.adapters.postgres.older import migrate_to

Fetch = Callable[[str], Awaitable[list[asyncpg.Record]]]

REPOSITORY = Path(__file__).parents[3]


async def test_a_new_database_gets_sixteen_tables(database_url: str, fetch: Fetch) -> None:
    await migrate(database_url)
    [row] = await fetch("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'deltashare'")
    assert row["count"] == 16


async def test_migrating_again_changes_nothing(database_url: str, fetch: Fetch) -> None:
    await migrate(database_url)
    before = await fetch("SELECT oid, xmin FROM pg_class ORDER BY oid")
    await migrate(database_url)
    assert await fetch("SELECT oid, xmin FROM pg_class ORDER BY oid") == before


def test_the_newest_revision_is_what_alembic_calls_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005", "0006"])
async def test_an_older_database_gets_what_it_lacks(database_url: str, fetch: Fetch, revision: str) -> None:
    await migrate_to(database_url, revision)
    await migrate(database_url)
    assert [row["version_num"] for row in await fetch("SELECT version_num FROM reconciler.alembic_version")] == [
        newest_revision()
    ]
    assert await fetch("SELECT 1 FROM pg_class WHERE relname = 'uploads'")


async def test_many_tasks_at_once_migrate_once(database_url: str, fetch: Fetch) -> None:
    await asyncio.gather(*(migrate(database_url) for _ in range(8)))
    rows = await fetch("SELECT version_num FROM reconciler.alembic_version")
    assert [row["version_num"] for row in rows] == [newest_revision()]


PROGRAM = """
import asyncio, sys
from reconciler.adapters.postgres.migrate import migrate
asyncio.run(migrate(sys.argv[1]))
"""


async def test_processes_at_once_migrate_once(database_url: str, fetch: Fetch) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, database_url, cwd=REPOSITORY, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [(await process.communicate())[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    [row] = await fetch("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'deltashare'")
    assert row["count"] == 16


async def test_a_newer_database_is_refused(database_url: str, fetch: Fetch) -> None:
    await migrate(database_url)
    await fetch("UPDATE reconciler.alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match=r"revision 9999, this program knows only 0\d+; upgrade sharepack"):
        await migrate(database_url)


async def test_a_server_that_is_too_old_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate_module, "OLDEST_SERVER", 99)
    with pytest.raises(LedgerError, match=r"PostgreSQL \d+ is too old; version 99 or newer is needed"):
        await migrate(database_url)


async def test_a_user_who_may_not_create_schemas_is_told_so(database_url: str, fetch: Fetch) -> None:
    name = urlsplit(database_url).path.strip("/")
    await fetch(f'CREATE ROLE "reader_{name}" LOGIN')
    try:
        with pytest.raises(LedgerError, match=r"permission denied for database .*; grant it to the user"):
            await migrate(database_url.replace("postgres@", f"reader_{name}@", 1))
    finally:
        await fetch(f'DROP ROLE "reader_{name}"')


async def test_schemas_made_by_an_administrator_are_enough(database_url: str, fetch: Fetch) -> None:
    name = urlsplit(database_url).path.strip("/")
    role = f"owner_{name}"
    await fetch(f'CREATE ROLE "{role}" LOGIN')
    await fetch(f'CREATE SCHEMA deltashare AUTHORIZATION "{role}"')
    await fetch(f'CREATE SCHEMA reconciler AUTHORIZATION "{role}"')
    try:
        await migrate(database_url.replace("postgres@", f"{role}@", 1))
    finally:
        await fetch(f'DROP OWNED BY "{role}"')
        await fetch(f'DROP ROLE "{role}"')


async def test_a_failed_migration_leaves_nothing(
    database_url: str, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = migrate_module._missing
    monkeypatch.setattr(migrate_module, "_missing", lambda current: real(current) + "SELECT 1 / 0;")
    with pytest.raises((LedgerError, asyncpg.PostgresError)):
        await migrate(database_url)
    assert await fetch("SELECT 1 FROM pg_namespace WHERE nspname IN ('deltashare', 'reconciler')") == []


def test_alembic_itself_is_only_asked_for_sql() -> None:
    program = (
        "import io, sys; from alembic import command; from alembic.config import Config; "
        "c = Config(); c.set_main_option('script_location', sys.argv[1]); "
        "c.set_main_option('path_separator', 'os'); command.upgrade(c, 'head')"
    )
    end = subprocess.run(
        [sys.executable, "-c", program, str(migrations_folder())], capture_output=True, text=True, check=False
    )
    assert end.returncode == 1
    assert "applied when the program starts" in end.stderr


@pytest.fixture
def fetch(database_url: str) -> Fetch:
    async def run(statement: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database_url)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return run
