"""A queue that fails fails quickly, in our words, and without the connection string."""

import asyncio
import logging
import socket
import time
import traceback
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from reconciler.adapters.azure_queue.doorbell import AzureQueueDoorbell
from reconciler.ports.doorbell import DoorbellUnavailableError
from tests.adapters.doorbell.conftest import AzurePlace
from tests.azurite import ACCOUNT_KEY, Azurite

SECRET = "c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2VlbiEhISEhISEhISEhISE="
SIGNATURE = "sig=notforyoureyes%3D"


def at(port: int, credential: str = f"AccountKey={SECRET}") -> str:
    endpoint = f"http://127.0.0.1:{port}/devstoreaccount1"
    return f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;{credential};QueueEndpoint={endpoint}"


def assert_secret_free(error: BaseException, *secrets: str) -> None:
    """Neither the message nor anything that hangs on the exception, as a log of whole tracebacks shows it."""
    seen: BaseException | None = error
    while seen is not None:
        text = f"{seen!r} {seen!s} {vars(seen)} {seen.args}"
        for secret in (*secrets, SECRET, SIGNATURE, ACCOUNT_KEY):
            assert secret not in text
        seen = seen.__cause__ or seen.__context__
    lines = "".join(traceback.format_exception(error))
    assert not [secret for secret in (*secrets, SECRET, SIGNATURE, ACCOUNT_KEY) if secret in lines]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A server that takes requests and never answers."""
    connections: list[asyncio.StreamWriter] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while await reader.read(65_536):
            pass

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in connections:
        writer.close()
        await writer.wait_closed()
    await server.wait_closed()


@pytest.mark.parametrize("credential", [f"AccountKey={SECRET}", f"SharedAccessSignature=sv=2019-07-07&{SIGNATURE}"])
async def test_a_server_that_is_not_there_is_known_within_two_seconds(closed_port: int, credential: str) -> None:
    started = time.monotonic()
    with pytest.raises(DoorbellUnavailableError, match="cannot create the queue sharepack-processing") as caught:
        await AzureQueueDoorbell.open(at(closed_port, credential))
    assert time.monotonic() - started < 2
    assert_secret_free(caught.value)


async def test_a_server_that_does_not_answer_is_given_up_within_four_seconds(silent_port: int) -> None:
    started = time.monotonic()
    with pytest.raises(DoorbellUnavailableError, match="no answer within 3 s") as caught:
        await AzureQueueDoorbell.open(at(silent_port))
    assert time.monotonic() - started < 4
    assert_secret_free(caught.value)


async def test_a_large_ring_to_a_server_that_is_gone_costs_no_more_than_a_small_one(own_azurite: Azurite) -> None:
    doorbell = await AzureQueueDoorbell.open(own_azurite.connection_string)
    await asyncio.to_thread(own_azurite.kill)
    started = time.monotonic()
    with pytest.raises(DoorbellUnavailableError, match="cannot send a message"):
        await doorbell.ring([uuid4() for _ in range(200)])
    assert time.monotonic() - started < 2
    await doorbell.close()


async def test_a_wrong_key_is_told_with_status_and_code(azure: AzurePlace) -> None:
    with pytest.raises(DoorbellUnavailableError, match="HTTP 403, Auth") as caught:
        await AzureQueueDoorbell.open(azure.connection_string.replace(ACCOUNT_KEY, SECRET), azure.queue_name)
    assert_secret_free(caught.value)


@pytest.mark.parametrize(
    "connection_string",
    [
        "",
        SECRET,
        f"AccountKey={SECRET}",
        f"AccountName=x;AccountKey={SECRET};QueueEndpoint=",
        f"QueueEndpoint=http://127.0.0.1:nonumber/x;AccountName=x;AccountKey={SECRET}",
        f"QueueEndpoint=http://[/x;AccountName=x;AccountKey={SECRET}",
        f"AccountName=a b;AccountKey={SECRET};EndpointSuffix=localhost",
        f"AccountName=x;AccountKey=not-base64-{SECRET}!;QueueEndpoint=http://127.0.0.1:1/x",
    ],
    ids=["empty", "only a key", "no account", "no endpoint", "no port", "no host", "no host name", "no base64"],
)
async def test_a_connection_string_that_cannot_work_is_not_repeated(connection_string: str) -> None:
    with pytest.raises((ValueError, DoorbellUnavailableError)) as caught:
        await AzureQueueDoorbell.open(connection_string)
    assert_secret_free(caught.value, *filter(None, [connection_string]))


@pytest.mark.parametrize("name", ["", "ab", "Upper", "a--b", "-ab", "ab-", "a_b", "a" * 57, "ab\n", "a/b"])
async def test_a_name_that_no_queue_can_have_is_refused(azure: AzurePlace, name: str) -> None:
    with pytest.raises(ValueError, match="is not a queue name"):
        await AzureQueueDoorbell.open(azure.connection_string, name)


async def test_neither_repr_nor_log_shows_the_key(azure: AzurePlace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    doorbell = await azure.open()
    await doorbell.ring([uuid4()])
    (ring,) = await doorbell.answer(5)
    await doorbell.settle(ring)
    assert repr(doorbell) == f"AzureQueueDoorbell('{azure.queue_name}')"
    assert ACCOUNT_KEY not in f"{doorbell!r} {ring!r}"
    assert ACCOUNT_KEY not in caplog.text
    assert [record.name for record in caplog.records if record.name.startswith("azure")] == []


async def test_other_peoples_logging_of_the_sdk_stays_quiet_about_failures(
    closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DoorbellUnavailableError):
        await AzureQueueDoorbell.open(at(closed_port))
    assert [record.name for record in caplog.records if record.name.startswith("azure")] == []
