"""Threads, limits and counting: how the synchronous SDK serves the asynchronous port."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from requests.adapters import HTTPAdapter

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.connection import _session_of
from reconciler.adapters.databricks.limiter import Limiter
from reconciler.core.actual import Absent
from reconciler.core.calls import CreateShare, DeleteShare
from reconciler.core.key import Key, share_key
from reconciler.sandbox import ControlClient, Sandbox, Seed
from tests.adapters.databricks.conftest import ADMIN


def keys(url: str, count: int) -> list[Key]:
    return [share_key(f"share_{number}", url) for number in range(count)]


def test_the_sdk_is_imported_by_the_first_question_only() -> None:
    code = (
        "import sys; from reconciler.adapters.databricks import DatabricksPlatform; DatabricksPlatform(); "
        "print([name for name in ('databricks.sdk.core', 'requests', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.strip() == "[]"


async def test_questions_are_asked_in_parallel_up_to_the_limit(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=4)
    try:
        await platform.observe(keys(url, 1))
        control.latency(100)
        started = time.monotonic()
        await platform.observe(keys(url, 16))
        took = time.monotonic() - started
    finally:
        await platform.close()
    # Four rounds of four; sixteen in a row would take 1.6 s.
    assert 0.4 <= took < 1.3


async def test_a_slow_workspace_does_not_hold_up_another(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=1)
    try:
        with Sandbox(Seed.example()).serving() as other:
            await platform.observe([*keys(url, 1), *keys(other, 1)])
            control.latency(1500)
            slow = asyncio.create_task(platform.observe(keys(url, 1)))
            await asyncio.sleep(0.05)
            started = time.monotonic()
            assert set((await platform.observe(keys(other, 3))).values()) == {Absent()}
            assert time.monotonic() - started < 1
            await slow
    finally:
        await platform.close()


async def test_the_event_loop_goes_on_meanwhile(control: ControlClient, url: str, platform: DatabricksPlatform) -> None:
    await platform.observe(keys(url, 1))
    control.latency(300)
    asked = asyncio.create_task(platform.observe(keys(url, 1)))
    beats = 0
    while not asked.done():
        await asyncio.sleep(0.01)
        beats += 1
    assert beats > 10


async def test_every_request_is_counted_by_method(
    control: ControlClient, url: str, platform: DatabricksPlatform, share: Key
) -> None:
    assert platform.calls_made == {}
    await platform.perform(CreateShare(share))
    await platform.observe([share])
    await platform.perform(DeleteShare(share))
    assert platform.calls_made == {"POST": 1, "GET": 2, "DELETE": 1}
    control.fault("GET /api/*", status=429, retry_after=0)
    await platform.observe([share])
    assert platform.calls_made["GET"] == 4


async def test_one_client_a_workspace_however_many_ask_first(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN)
    control.clear_log()
    try:
        await platform.observe(keys(url, 16))
    finally:
        await platform.close()
    introductions = [entry for entry in control.log() if entry["path"] == "/.well-known/databricks-config"]
    assert len(introductions) == 1


async def test_closing_leaves_no_thread(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN)
    await platform.observe(keys(url, 20))
    await platform.close()
    await platform.close()
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("databricks") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_connections_are_limited_for_http_and_https_alike(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=7)
    try:
        await platform.observe(keys(url, 1))
        workspace = platform._lanes[url]._workspace
        assert workspace is not None
        session = _session_of(workspace._connection._client)
        for scheme in ("http://x", "https://x"):
            adapter = session.get_adapter(scheme)
            assert isinstance(adapter, HTTPAdapter)
            options = adapter.poolmanager.connection_pool_kw
            assert (options["maxsize"], options["block"]) == (7, True)
    finally:
        await platform.close()


async def test_a_proxy_of_the_environment_is_used(
    control: ControlClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is asked when the connection is made, and never again: that was a quarter of each request."""
    elsewhere = "http://workspace.example"
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "unknown.example")
    platform = DatabricksPlatform(ADMIN, trusted_hosts=[elsewhere])
    try:
        (key,) = keys(elsewhere, 1)
        assert await platform.observe([key]) == {key: Absent()}
        control.clear_log()
        monkeypatch.delenv("http_proxy")
        assert await platform.observe([key]) == {key: Absent()}
    finally:
        await platform.close()
    assert len(control.log()) == 1


async def test_a_cancelled_waiter_gives_its_place_back() -> None:
    limiter = Limiter(1)
    limiter.pause(15)
    waiting = asyncio.create_task(limiter.turn().__aenter__())
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    limiter._resume_at = 0.0
    async with asyncio.timeout(1), limiter.turn():
        pass
