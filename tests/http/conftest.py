"""The fixtures of journeys, and a server over them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.http.api import Api, served
from tests.journeys.conftest import database_url, journey, sandbox_url, sdk, workspace
from tests.journeys.journey import Journey

__all__ = ["database_url", "journey", "sandbox_url", "sdk", "workspace"]


@pytest.fixture(autouse=True)
def _no_env_file(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


@pytest_asyncio.fixture
async def api(journey: Journey) -> AsyncIterator[Api]:
    """Closed: `let_in` makes a key. Nothing is worked on."""
    journey.commit("An empty folder of packs")
    async with served(journey) as running:
        yield running


@pytest_asyncio.fixture
async def working_api(journey: Journey) -> AsyncIterator[Api]:
    """With workers."""
    journey.commit("An empty folder of packs")
    async with served(journey, works=True) as running:
        yield running
