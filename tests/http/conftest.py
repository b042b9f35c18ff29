"""The fixtures of journeys, and a server over them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.http.api import Api, served
from tests.journeys.conftest import database_url, journey, sandbox_url, sdk, workspace
from tests.journeys.journey import Journey

__all__ = ["database_url", "journey", "sandbox_url", "sdk", "workspace"]


@pytest.fixture(autouse=True)
def _no_env_file(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


class _Hurried:
    """`asyncio`, as the server has it: otherwise each test waits 0.2 s for it to see that it is to stop."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@pytest.fixture(autouse=True)
def _stops_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.server.asyncio", _Hurried())


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
