"""The two doorbells on real servers: Azurite, and the PostgreSQL of the tests."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from azure.storage.queue.aio import QueueClient

from reconciler.adapters.azure_queue.client import API_VERSION
from reconciler.adapters.azure_queue.doorbell import AzureQueueDoorbell
from reconciler.adapters.postgres.doorbell import CHANNEL, PostgresDoorbell
from reconciler.ports.doorbell import Doorbell
from tests.azurite import Azurite, running


class Place(Protocol):
    """Where doorbells hang: several opened at one place hear each other. The test leaves it, which closes them."""

    async def open(self) -> Doorbell: ...

    async def say(self, text: str) -> None:
        """Puts a text there that no doorbell has written."""


@dataclass(frozen=True, slots=True)
class AzurePlace:
    connection_string: str
    queue_name: str
    opened: list[Doorbell] = field(default_factory=list)

    async def open(self, *, visibility: float = 60, poll: float = 0.05) -> AzureQueueDoorbell:
        doorbell = await AzureQueueDoorbell.open(
            self.connection_string, self.queue_name, visibility=visibility, poll=poll
        )
        self.opened.append(doorbell)
        return doorbell

    async def leave(self) -> None:
        for doorbell in self.opened:
            await doorbell.close()

    async def say(self, text: str) -> None:
        async with self.client() as queue:
            await queue.send_message(text)

    async def poison(self) -> list[str]:
        """The texts in the poison queue."""
        async with self.client("-poison") as queue:
            return [message.content for message in await queue.peek_messages(max_messages=32)]

    def client(self, suffix: str = "") -> QueueClient:
        return QueueClient.from_connection_string(
            self.connection_string, self.queue_name + suffix, api_version=API_VERSION, retry_total=0
        )


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    dsn: str
    opened: list[Doorbell] = field(default_factory=list)

    async def open(self) -> PostgresDoorbell:
        doorbell = await PostgresDoorbell.open(self.dsn)
        self.opened.append(doorbell)
        return doorbell

    async def leave(self) -> None:
        for doorbell in self.opened:
            await doorbell.close()

    async def say(self, text: str) -> None:
        await self.execute("SELECT pg_notify($1, $2)", CHANNEL, text)

    async def execute(self, statement: str, *values: object) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A connection string for an Azurite of this test process."""
    with running(tmp_path_factory.mktemp("azurite with a space")) as connection_string:
        yield connection_string


@pytest.fixture
async def azure(azurite: str) -> AsyncIterator[AzurePlace]:
    place = AzurePlace(azurite, f"q-{uuid.uuid4().hex}")
    yield place
    await place.leave()


@pytest.fixture
async def postgres(migrated_database_url: str) -> AsyncIterator[PostgresPlace]:
    place = PostgresPlace(migrated_database_url)
    yield place
    await place.leave()


@pytest.fixture(params=["azure", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def own_azurite(tmp_path: Path) -> Iterator[Azurite]:
    """A server that the test may stop, kill and start again."""
    server = Azurite(tmp_path / "azurite")
    server.start()
    yield server
    server.kill()
