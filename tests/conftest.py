"""A real PostgreSQL for every test that asks for one: `database_url` is a fresh, empty database of its own.

One server a test run, shared by all pytest-xdist workers; it is stopped by the last of them that leaves.
"""

import asyncio
import os
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.adapters.embedded import running


@pytest.fixture(scope="session")
def postgres_dsn_admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database `postgres` of the server of this test run, as its superuser. Not durable, so that it is fast."""
    own = tmp_path_factory.getbasetemp()
    # A worker has a directory of its own in that of the run; pytest removes those of old runs.
    of_the_run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with running(of_the_run / "database server", durable=False) as server:
        yield server.dsn


@pytest.fixture
def database_url(postgres_dsn_admin: str) -> Iterator[str]:
    """The DSN (for asyncpg, no password) of an empty database that nobody else uses; dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    _run(_execute(postgres_dsn_admin, f"CREATE DATABASE {name}"))
    yield _with_database(postgres_dsn_admin, name)
    _run(_execute(postgres_dsn_admin, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def migrated_template(postgres_dsn_admin: str) -> Iterator[str]:
    """The name of a database with all migrations, to copy from: that takes a tenth of the time of migrating."""
    from reconciler.adapters.postgres.migrate import migrate  # noqa: PLC0415 - as below

    name = f"template_{uuid.uuid4().hex}"
    _run(_execute(postgres_dsn_admin, f"CREATE DATABASE {name}"))
    _run(migrate(_with_database(postgres_dsn_admin, name)))
    yield name
    _run(_execute(postgres_dsn_admin, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def migrated_database_url(postgres_dsn_admin: str, migrated_template: str) -> Iterator[str]:
    """Like `database_url`, with the tables of the ledger."""
    name = f"test_{uuid.uuid4().hex}"
    _run(_execute(postgres_dsn_admin, f"CREATE DATABASE {name} TEMPLATE {migrated_template}"))
    yield _with_database(postgres_dsn_admin, name)
    _run(_execute(postgres_dsn_admin, f"DROP DATABASE {name} WITH (FORCE)"))


def _with_database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def _execute(dsn: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415 - 0.14 s that tests without a database need not wait for

    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Unlike `asyncio.run`, leaves the event loop of the test alone."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(work)
