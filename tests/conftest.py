"""A real PostgreSQL for every test that asks for one: `database_url` is a fresh, empty database of its own.

One server a test run, shared by all pytest-xdist workers; it is stopped by the last of them that leaves.
"""

import asyncio
import gc
import os
import uuid
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from hypothesis import settings

from reconciler.adapters.embedded import running
from tests.alone import alone_on
from tests.faults.summary import pytest_terminal_summary  # noqa: F401 - a hook
from tests.forked import Forking, serving

if TYPE_CHECKING:
    from tests.lent import Lender

# How long an example takes says how busy the machine is. Under CI Hypothesis has a profile of its own, which is so too.
if not os.environ.get("CI"):
    settings.register_profile("desk", deadline=None)
    settings.load_profile("desk")


#: What takes longest, or starts processes of its own, comes first and stays with one process of the test run: the
#: others take from the end of its list, and in the end none is left alone with a long one.
_FIRST = (
    "tests/faults/",
    "tests/chaos/",
    "tests/journeys/test_canary.py",
    "tests/journeys/test_simulated_day.py",
    "tests/journeys/test_other_process.py",
    "tests/journeys/test_daemon_process.py",
    "tests/journeys/test_handed_in_together.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected and imported stays until the end; it is not looked through for garbage, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        # Little of what a test makes is left in circles.
        gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.fixture(scope="session")
def postgres_dsn_admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database `postgres` of the server of this test run, as its superuser. Not durable, so that it is fast."""
    own = tmp_path_factory.getbasetemp()
    # A worker has a directory of its own in that of the run; pytest removes those of old runs.
    of_the_run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with running(of_the_run / "database server", durable=False) as server:
        yield server.dsn


@pytest.fixture(scope="session")
def forking() -> Iterator[Forking]:
    """Processes of `sharepack` that need not import anything. Some test starts each long-running command really."""
    with serving() as running_server:
        yield running_server


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test makes the program keep is not found by the next run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest_asyncio.fixture(scope="session")
async def event_loop_of_all() -> asyncio.AbstractEventLoop:
    """That of all tests of a worker, so that connections can outlive a test. Nothing else does."""
    return asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def _alone_on_the_loop(event_loop_of_all: asyncio.AbstractEventLoop) -> Iterator[None]:
    with alone_on(event_loop_of_all):
        yield


@pytest.fixture
def database_url(fresh_database_url: str) -> str:
    """Of a database for one test. Where many tests use one, a folder has them use `migrated_database_url`."""
    return fresh_database_url


@pytest.fixture
def fresh_database_url(postgres_dsn_admin: str) -> Iterator[str]:
    """The DSN (for asyncpg, no password) of an empty database that nobody else uses; dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    _run(_execute(postgres_dsn_admin, f"CREATE DATABASE {name}"))
    yield _with_database(postgres_dsn_admin, name)
    _run(_execute(postgres_dsn_admin, f"DROP DATABASE {name} WITH (FORCE)"))


@dataclass
class _Migrated:
    """One connection for all the tests of a worker: a new one costs five times as much as emptying the tables."""

    dsn: str
    runner: asyncio.Runner
    connection: Any = None

    def empty(self) -> None:
        import asyncpg  # noqa: PLC0415 - as below

        try:
            self.runner.run(self.connection.execute(_EMPTY))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # There are tests that end all connections there are.
            self.connect()
            self.runner.run(self.connection.execute(_EMPTY))

    def connect(self) -> None:
        import asyncpg  # noqa: PLC0415 - as below

        self.connection = self.runner.run(asyncpg.connect(self.dsn))
        self.runner.run(self.connection.execute(_MAY_EMPTY))


@pytest.fixture(scope="session")
def _migrated_database(postgres_dsn_admin: str) -> Iterator[_Migrated]:
    from reconciler.adapters.postgres.migrate import migrate  # noqa: PLC0415 - as below

    name = f"migrated_{uuid.uuid4().hex}"
    _run(_execute(postgres_dsn_admin, f"CREATE DATABASE {name}"))
    dsn = _with_database(postgres_dsn_admin, name)
    _run(migrate(dsn))
    _run(_execute(dsn, _REMEMBER))
    _run(_execute(dsn, f"ALTER DATABASE {name} SET {PLANNED_ONCE}"))
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        migrated = _Migrated(dsn, runner)
        migrated.connect()
        yield migrated
        runner.run(migrated.connection.close())
    _run(_execute(postgres_dsn_admin, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def migrated_database_url(_migrated_database: _Migrated) -> str:
    """The DSN of a database with the tables of the ledger, all empty, that nobody else uses.

    It is one and the same for the tests of a worker: emptying it takes some ms, copying one more than half a second.
    """
    _migrated_database.empty()
    return _migrated_database.dsn


@pytest_asyncio.fixture(scope="session")
async def _lender(_migrated_database: _Migrated) -> AsyncIterator["Lender"]:
    from tests.lent import Lender  # noqa: PLC0415 - as below

    lender = await Lender.open(f"{_migrated_database.dsn}&application_name={_KEPT}")
    yield lender
    await lender.close()


@pytest.fixture
def lender(_lender: "Lender", migrated_database_url: str) -> "Lender":
    """Of connections to the database of `migrated_database_url` that were there before."""
    return _lender


#: Otherwise a session plans a statement anew each of the first five times, which costs more than carrying it out. Tests
#: that ask how statements are planned leave that to the server.
PLANNED_ONCE = "plan_cache_mode = force_generic_plan"
#: Some tests say that the tables are of another revision. A function keeps the plans of its statements.
_REMEMBER = """
    CREATE TABLE public.revision_of_the_tables AS SELECT version_num FROM reconciler.alembic_version;
    DO $$
    BEGIN
        EXECUTE (
            SELECT 'CREATE FUNCTION public.empty_the_tables() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN '
                   || string_agg(format('DELETE FROM %I.%I;', schemaname, tablename), ' ') || ' END $body$'
            FROM pg_tables WHERE schemaname IN ('deltashare', 'reconciler') AND tablename <> 'alembic_version'
        );
    END $$;
"""
#: How connections are named that outlive a test.
_KEPT = "kept between tests"
#: The tables refuse deletion; triggers are off for a replica. Changing that would forget the plans.
_MAY_EMPTY = "SET session_replication_role = replica"
_EMPTY = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (application_name <> '{_KEPT}' OR state <> 'idle');
    SELECT public.empty_the_tables();
    UPDATE reconciler.alembic_version SET version_num = (SELECT version_num FROM public.revision_of_the_tables);
"""


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
