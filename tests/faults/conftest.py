"""Lanes to crash workers in, and the zygote that makes the workers."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from reconciler.adapters.postgres.migrate import migrate
from tests.conftest import PLANNED_ONCE
from tests.faults.lane import Lane, sandbox
from tests.faults.processes import Zygote, zygote
from tests.journeys.journey import git

T = TypeVar("T")

#: Cases at the same time in one test: much of a case is waiting for a lease to run out.
LANES: Final = 3


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with zygote(tmp_path_factory.mktemp("zygote") / "errors.log") as running:
        yield running


@pytest.fixture(scope="session")
def lanes(postgres_dsn_admin: str) -> Iterator[list[Lane]]:
    with ExitStack() as stack:
        sandboxes = [stack.enter_context(sandbox()) for _ in range(LANES)]
        databases = _run(_databases(postgres_dsn_admin, LANES))
        made = [Lane(url, dsn, server) for (url, server), dsn in zip(sandboxes, databases, strict=True)]
        yield made
        for lane in made:
            name = urlsplit(lane.database_url).path.strip("/")
            _run(_execute(postgres_dsn_admin, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With a folder for packs and a first commit."""
    folder = tmp_path / "packs repository"
    (folder / "sharepacks").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "sharepacks" / "README.md").write_text("Packs.\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


async def _databases(admin: str, count: int) -> list[str]:
    """With the tables of the ledger. Copying one costs a fifth of making another."""
    names = [f"lane_{uuid.uuid4().hex}" for _ in range(count)]
    dsns = [urlsplit(admin)._replace(path=f"/{name}").geturl() for name in names]
    await _execute(admin, f"CREATE DATABASE {names[0]}")
    await migrate(dsns[0])
    for name in names[1:]:
        await _execute(admin, f"CREATE DATABASE {name} TEMPLATE {names[0]}")
    for name in names:
        await _execute(admin, f"ALTER DATABASE {name} SET {PLANNED_ONCE}")
    return dsns


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Unlike `asyncio.run`, leaves the event loop of a test alone."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)
