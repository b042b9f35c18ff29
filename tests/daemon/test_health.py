"""The health endpoints on a real port, asked over real sockets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from reconciler.daemon import health
from reconciler.daemon.health import Address, Condition, HealthServerError, Part, Readiness, serve_health

SECRET = "a-secret-that-a-client-sent"
WELL = Readiness(Part(), Part(), Part(), Part())
HOST = "127.0.0.1"


class Process:
    """What the endpoints are told."""

    def __init__(self) -> None:
        self.dead_because = ""
        self.readiness: Readiness | Exception = WELL
        self.hangs = False

    async def is_ready(self) -> Readiness:
        if self.hangs:
            await asyncio.sleep(60)
        if isinstance(self.readiness, Exception):
            raise self.readiness
        return self.readiness

    async def metrics(self) -> bytes:
        return b"sharepack_leader 1.0\n"

    def serving(self, port: int = 0) -> AbstractAsyncContextManager[Address]:
        return serve_health(
            HOST, port, is_alive=lambda: self.dead_because, is_ready=self.is_ready, metrics=self.metrics
        )


@pytest.fixture
def process() -> Process:
    return Process()


Ask = Callable[..., Awaitable[tuple[int, str, aiohttp.ClientResponse]]]


@pytest.fixture
async def ask(process: Process) -> AsyncIterator[Ask]:
    async with process.serving() as address, aiohttp.ClientSession() as session:

        async def asked(path: str, method: str = "GET", **more: str) -> tuple[int, str, aiohttp.ClientResponse]:
            async with session.request(method, f"{address}{path}", headers=more) as answer:
                return answer.status, await answer.text(), answer

        yield asked


async def test_it_lives_until_it_does_not(ask: Ask, process: Process) -> None:
    assert (await ask("/livez"))[:2] == (200, "ok\n")
    process.dead_because = "the loop has not ticked for 312 s"
    assert (await ask("/livez"))[:2] == (503, "the loop has not ticked for 312 s\n")


async def test_a_reason_holds_no_secret(ask: Ask, process: Process) -> None:
    process.dead_because = "cannot use postgresql://ann:very-secret@db/x"
    assert "very-secret" not in (await ask("/livez"))[1]
    process.readiness = Readiness(Part(Condition.DOWN, 'says "token": "dapi0123456789abcdef"'), Part(), Part(), Part())
    status, text, _ = await ask("/readyz")
    assert status == 503
    assert "dapi0123456789" not in text
    assert json.loads(text)["status"] == "down"


async def test_ready_lists_each_part(ask: Ask) -> None:
    status, text, answer = await ask("/readyz")
    assert status == 200
    assert answer.content_type == "application/json"
    assert json.loads(text) == {
        "status": "ok",
        "parts": {name: {"status": "ok", "words": ""} for name in ("database", "queue", "git", "databricks")},
    }


@pytest.mark.parametrize("part", ["queue", "git", "databricks"])
@pytest.mark.parametrize("condition", [Condition.DEGRADED, Condition.DOWN])
async def test_work_goes_on_without_queue_git_or_databricks(
    ask: Ask, process: Process, part: str, condition: Condition
) -> None:
    change: dict[str, Any] = {part: Part(condition, "gone since noon")}
    process.readiness = replace(WELL, **change)
    status, text, _ = await ask("/readyz")
    assert status == 200
    said = json.loads(text)
    assert said["status"] == "degraded"
    assert said["parts"][part] == {"status": condition.value, "words": "gone since noon"}


async def test_nothing_goes_on_without_the_database(ask: Ask, process: Process) -> None:
    process.readiness = Readiness(Part(Condition.DOWN, "no connection"), Part(), Part(), Part())
    status, text, _ = await ask("/readyz")
    assert status == 503
    assert json.loads(text)["parts"]["database"] == {"status": "down", "words": "no connection"}
    process.readiness = Readiness(Part(Condition.DEGRADED, "slow"), Part(), Part(), Part())
    assert (await ask("/readyz"))[0] == 200


async def test_who_stops_is_alive_and_not_ready(ask: Ask, process: Process) -> None:
    process.readiness = Readiness(Part(), Part(), Part(), Part(), is_stopping=True)
    status, text, _ = await ask("/readyz")
    assert (status, json.loads(text)["status"]) == (503, "stopping")
    assert (await ask("/livez"))[0] == 200


async def test_an_answer_that_fails_or_hangs_is_a_503(
    ask: Ask, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.readiness = ValueError("password=hunter2hunter2")
    assert (await ask("/readyz"))[:2] == (503, "no answer: ValueError\n")
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
    process.hangs = True
    assert (await ask("/readyz"))[:2] == (503, "no answer: TimeoutError\n")
    assert (await ask("/livez"))[0] == 200


async def test_metrics_are_prometheus_text(ask: Ask) -> None:
    status, text, answer = await ask("/metrics")
    assert (status, text) == (200, "sharepack_leader 1.0\n")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("path", ["/", "/livez/", "/livez/x", "/LIVEZ", "/%2e%2e/livez/..", "//livez", f"/{SECRET}"])
async def test_anything_else_is_not_found(ask: Ask, path: str) -> None:
    status, text, _ = await ask(path)
    assert status == 404
    assert SECRET not in text


async def test_a_query_does_no_harm_and_is_not_repeated(ask: Ask) -> None:
    status, text, answer = await ask(f"/livez?token={SECRET}", Authorization=f"Bearer {SECRET}", Cookie=SECRET)
    assert (status, text) == (200, "ok\n")
    assert SECRET not in str(answer.headers)
    assert answer.headers["Server"] == "sharepack"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_only_get_and_head(ask: Ask, path: str) -> None:
    status, text, answer = await ask(path, "HEAD")
    assert (status, text) == (200, "")
    assert int(answer.headers["Content-Length"]) > 0
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        status, text, answer = await ask(path, method, **{"X-Secret": SECRET})
        assert (status, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert SECRET not in text


@pytest.mark.parametrize(
    "sent",
    [
        f"{SECRET}\r\n\r\n",
        f"GET /livez HTTP/1.1\r\n{SECRET}\r\n\r\n",
        f"GET /livez HTTP/9.{SECRET}\r\n\r\n",
        f"GET /livez HTTP/1.1\r\nContent-Length: {SECRET}\r\n\r\n",
        f"GET /{'x' * 9000}{SECRET} HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_not_repeated(process: Process, sent: str) -> None:
    async with process.serving() as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(sent.encode())
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.0 400 Bad Request")
    assert SECRET.encode() not in answer


async def test_who_sends_slowly_is_let_go(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CONNECTION_SECONDS", 0.1)
    async with process.serving() as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: ")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_it_stops_while_somebody_asks(process: Process) -> None:
    process.hangs = True
    async with process.serving() as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address.host, address.port)


async def test_a_port_in_use_is_said_in_one_line(process: Process) -> None:
    async with process.serving() as address:
        with pytest.raises(HealthServerError, match=rf"port {address.port} of 127\.0\.0\.1.*another process") as caught:
            async with process.serving(address.port):
                pass
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None
    async with process.serving(address.port) as again:
        assert again == address


@pytest.mark.parametrize(
    ("host", "port"), [("203.0.113.7", 0), ("no such host", 0), (HOST, 70_000)], ids=["elsewhere", "no name", "no port"]
)
async def test_an_address_that_cannot_be_had(process: Process, host: str, port: int) -> None:
    with pytest.raises(HealthServerError, match=r"give an address|give one it has"):
        async with serve_health(host, port, is_alive=lambda: "", is_ready=process.is_ready, metrics=process.metrics):
            pass


async def test_an_address_of_ipv6_is_a_url() -> None:
    assert str(Address("::1", 80)) == "http://[::1]:80"
    assert str(Address(HOST, 80)) == "http://127.0.0.1:80"


async def test_a_port_that_was_asked_for_is_taken(process: Process) -> None:
    with socket.socket() as held:
        held.bind((HOST, 0))
        port = int(held.getsockname()[1])
    async with process.serving(port) as address:
        assert address == Address(HOST, port)
