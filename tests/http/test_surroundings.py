"""What every answer carries, what the log says of a request, and how the server starts and stops."""

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from loguru import logger

from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.http.app import create_app
from reconciler.http.headers import client_address, networks
from reconciler.http.serving import ServingError, serve
from reconciler.ports.ledger import LedgerError
from tests.http.api import Api, parts_of, served
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

LIST = "/workflow/sharepacks"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Every line of the log, whole."""
    found: list[dict[str, Any]] = []
    number = logger.add(
        lambda message: found.append(
            {"message": message.record["message"], **message.record["extra"], "whole": str(message)}
        ),
        format="{message} {extra} {exception}",
        backtrace=False,
        diagnose=False,
    )
    yield found
    logger.remove(number)


@pytest.mark.parametrize("path", ["/workflow/health", LIST, "/nothing", "/docs", "/openapi.json"])
async def test_every_answer_is_kept_to_itself(api: Api, path: str) -> None:
    answer = await api.ask(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe-inline" not in answer.headers["content-security-policy"].replace(
        "style-src-attr 'unsafe-inline'", ""
    )
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("given", ["abc-DEF_1.2", "x" * 64])
async def test_a_correlation_id_that_can_be_written_down_is_kept(api: Api, given: str) -> None:
    answer = await api.ask(LIST, headers={"X-Correlation-Id": given})
    assert answer.headers["x-correlation-id"] == answer.json["correlation_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b", "<script>", "ä", "../.."])
async def test_any_other_is_replaced(api: Api, given: str) -> None:
    answer = await api.ask(LIST, headers={"X-Correlation-Id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-correlation-id"])
    assert answer.json["correlation_id"] == answer.headers["x-correlation-id"]


async def test_a_request_is_one_line_without_what_it_said(api: Api, lines: list[dict[str, Any]]) -> None:
    key = await api.key()
    secret = "canary-7f3a"
    headers = {"X-API-Key": key, "User-Agent": secret, "X-Correlation-Id": "mine"}
    await api.ask(f"{LIST}?text={secret}", headers=headers)
    await api.ask(f"/{secret}?x={secret}", headers=headers)
    await api.ask(f"{LIST}", headers={"Authorization": f"Bearer {secret}"})
    told = [line for line in lines if line["message"] == "request answered"]
    assert len(told) == 3
    assert [(line["route"], line["status"]) for line in told] == [(LIST, 200), ("-", 404), (LIST, 401)]
    assert told[0]["method"] == "GET"
    assert told[0]["correlation_id"] == "mine"
    assert told[0]["caller"].startswith("key portal (")
    assert told[0]["milliseconds"] >= 0
    assert secret not in str(lines)
    assert key not in str(lines)


async def test_no_answer_and_no_log_holds_a_secret(journey: Journey, lines: list[dict[str, Any]]) -> None:
    """Of the settings, of a key, of what fails within."""
    journey.commit("Nothing")
    secret = "canary-password-9d2e"
    dsn = f"postgresql://ada:{secret}@db.example.org:5432/deltashare_workflow"

    async def fails(_pack: PackId) -> Plan:
        raise LedgerError(f"connection to {dsn} was lost")

    async def breaks(_pack: PackId) -> Plan:
        raise RuntimeError(dsn)

    for failing in (fails, breaks):
        change = partial(replace, live_plan=failing)
        async with served(journey, change=change, databricks_token=secret) as api:
            await api.let_in()
            share_pack_id = (await api.upload(SALES)).json["SharePackId"]
            answers = [
                await api.ask(path)
                for path in (
                    f"/workflow/sharepack/{share_pack_id}/plan?live=true",
                    f"/workflow/sharepack/{share_pack_id}/history",
                    f"/workflow/sharepack/{share_pack_id}",
                    LIST,
                    "/workflow/health",
                    "/openapi.json",
                    "/docs",
                )
            ]
            assert answers[0].status == (503 if failing is fails else 500)
            assert answers[0].headers["content-type"] == "application/problem+json"
            assert not any(secret in answer.text or "db.example.org" in answer.text for answer in answers)
            key = api.headers["X-API-Key"]
            assert not any(key in answer.text for answer in answers)
            assert not any(key in line["whole"] for line in lines)
            shown = f"{api.parts!r}"
            assert secret not in shown


async def test_addresses_with_nul_and_odd_methods_are_answered(api: Api) -> None:
    await api.let_in()
    assert (await api.ask(f"{LIST}?text=%00")).status == 400
    assert (await raw(api, b"GET /workflow/sharepack/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))[0] == 400
    wrong = await api.ask(LIST, "DELETE")
    assert (wrong.status, wrong.headers["content-type"]) == (405, "application/problem+json")
    assert wrong.headers["allow"] == "GET"


async def test_headers_beyond_measure_are_refused(api: Api) -> None:
    head = b"GET /workflow/health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n"
    assert (await raw(api, head))[0] in {400, 431}


async def raw(api: Api, request: bytes) -> tuple[int, bytes]:
    where = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read(65_536)
    writer.close()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("198.51.100.1", "203.0.113.9", "", "198.51.100.1"),
        ("10.0.0.4", "203.0.113.9", "10.0.0.4", "203.0.113.9"),
        ("10.0.0.4", "203.0.113.9, 10.0.0.5", "10.0.0.0/24", "203.0.113.9"),
        ("10.0.0.4", "1.1.1.1, 203.0.113.9", "10.0.0.4", "203.0.113.9"),
        ("10.0.0.4", "", "10.0.0.4", "10.0.0.4"),
        ("10.0.0.4", "nonsense", "10.0.0.4", "10.0.0.4"),
        ("::ffff:10.0.0.4", "203.0.113.9", "10.0.0.4", "203.0.113.9"),
        ("10.0.0.9", "203.0.113.9", "10.0.0.4", "10.0.0.9"),
    ],
)
def test_proxies_are_believed_only_when_they_are_trusted(
    peer: str, forwarded: str, trusted: str, expected: str
) -> None:
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert client_address(scope, networks(trusted)) == expected


async def test_a_taken_port_is_told(journey: Journey) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServingError, match=rf"port {port} of 127.0.0.1: another process uses it"):
            async with serve(create_app(parts_of(journey)), "127.0.0.1", port, asyncio.Event()):
                pass
    with pytest.raises(ServingError, match="give an address and a port of this machine"):
        async with serve(create_app(parts_of(journey)), "no-such-host.invalid", 0, asyncio.Event()):
            pass


async def test_stopping_ends_it_within_moments(journey: Journey) -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(8):
        async with serve(create_app(parts_of(journey)), "127.0.0.1", 0, stop) as url:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/workflow/health") as answer:
                assert answer.status == 200
            stop.set()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", urlsplit(url).port)


async def test_the_documents_need_nothing_from_elsewhere(api: Api) -> None:
    page = await api.ask("/docs")
    document = (await api.ask("/openapi.json")).json
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in document["paths"]:
        assert path in page.text
    for address in re.findall(r"""(?:src|href)=["']([^"']+)""", page.text):
        assert address.startswith(("/", "#")), address
    assert json.dumps(document["components"]["securitySchemes"]).count("apiKey") == 2
    for path, item in document["paths"].items():
        for operation in item.values():
            assert ("security" in operation) == (path != "/workflow/health"), path
