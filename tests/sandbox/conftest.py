"""One sandbox a module, emptied before each test, with plain and SDK clients for its people."""

from collections.abc import Callable, Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from reconciler.sandbox import ControlClient, Sandbox, Seed
from tests.sandbox.plain import ADMIN, Plain

Connect = Callable[[str], WorkspaceClient]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as address:
        yield address


@pytest.fixture(autouse=True)
def control(url: str) -> ControlClient:
    client = ControlClient(url)
    client.reset()
    return client


@pytest.fixture
def plain(url: str) -> Plain:
    return Plain(url)


@pytest.fixture(scope="module")
def connect(url: str) -> Connect:
    """Gives the SDK client that signs in with a token, one a module."""
    clients: dict[str, WorkspaceClient] = {}

    def client(token: str) -> WorkspaceClient:
        if token not in clients:
            config = Config(host=url, token=token, retry_timeout_seconds=5, http_timeout_seconds=10)
            clients[token] = WorkspaceClient(config=config)
        return clients[token]

    return client


@pytest.fixture
def workspace(connect: Connect) -> WorkspaceClient:
    return connect(ADMIN)
