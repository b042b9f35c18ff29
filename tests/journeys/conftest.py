"""A journey: repository, sandbox and database of a test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from pydantic import SecretStr

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.sandbox import ControlClient, Sandbox, Seed
from tests.journeys.journey import Journey, git
from tests.lent import Lender

TOKEN = "dapi-sandbox-admin"


@pytest.fixture
def database_url(migrated_database_url: str) -> str:
    """Making a database for each journey would cost more than most journeys."""
    return migrated_database_url


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as url:
        yield url


@pytest.fixture
def workspace(sandbox_url: str) -> Iterator[str]:
    control = ControlClient(sandbox_url)
    control.reset()
    yield sandbox_url
    control.reset()


@pytest.fixture
def sdk(workspace: str) -> Any:
    """The unmodified SDK, for asking the sandbox what it holds."""
    return WorkspaceClient(config=Config(host=workspace, token=TOKEN, retry_timeout_seconds=5))


@pytest_asyncio.fixture
async def journey(tmp_path: Path, workspace: str, database_url: str, lender: Lender) -> AsyncIterator[Journey]:
    repository = tmp_path / "packs repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "sharepacks").mkdir()
    (repository / "sharepacks" / "README.md").write_text("Packs.\n")
    ledger = lender.ledger()
    platform = DatabricksPlatform({"token": SecretStr(TOKEN)}, trusted_hosts=[workspace])
    doorbell = await PostgresDoorbell.open(database_url)
    source = pack_source(repository / "sharepacks")
    yield Journey(repository, workspace, database_url, ledger, platform, doorbell, source, lender)
    await doorbell.close()
    await platform.close()
    await ledger.close()
