"""Requests counted by what came of them."""

import asyncio

import pytest

from reconciler.adapters.databricks import DatabricksPlatform, connection
from reconciler.core.calls import CreateShare, DeleteShare
from reconciler.core.key import Key, Kind, share_key
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN, UC, answer, unused_port

NONE = {"done": 0, "refused": 0, "throttled": 0, "unavailable": 0, "unknown": 0}


def assert_outcomes(platform: DatabricksPlatform, **expected: int) -> None:
    assert platform.outcomes == NONE | expected
    assert sum(platform.outcomes.values()) == sum(platform.calls_made.values())


def test_at_first_there_are_none() -> None:
    assert DatabricksPlatform().outcomes == NONE


async def test_calls_pages_and_refusals(platform: DatabricksPlatform, control: ControlClient, url: str) -> None:
    for number in range(3):
        await platform.perform(CreateShare(share_key(f"s{number}", url)))
    with pytest.raises(RefusedError):
        await platform.perform(CreateShare(share_key("s0", url)))
    assert_outcomes(platform, done=3, refused=1)
    control.knobs(page_size=1)
    assert len(await platform.names(url, Kind.SHARE)) == 3
    assert_outcomes(platform, done=6, refused=1)
    await platform.observe([share_key("nowhere", url)])
    assert_outcomes(platform, done=6, refused=2)


async def test_a_repeated_read_counts_each_time(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    await platform.perform(CreateShare(share))
    control.fault(f"GET {UC}/shares/*", status=429, retry_after=0)
    await platform.observe([share])
    assert_outcomes(platform, done=3, throttled=1)
    control.fault(f"GET {UC}/shares/*", status=503, retry_after=0)
    control.fault(f"GET {UC}/shares/*", drop_connection=True)
    await platform.observe([share])
    assert_outcomes(platform, done=5, throttled=1, unavailable=2)


async def test_writes_without_an_answer_are_unknown_and_reads_are_not(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    for fault in ({"drop_connection": True}, {"status": 500}, {"status": 200, "body": "<html>"}):
        control.fault(f"POST {UC}/shares", **fault)
        with pytest.raises(UnavailableError):
            await platform.perform(CreateShare(share))
    assert_outcomes(platform, unknown=3)
    control.fault(f"GET {UC}/shares/*", status=500)
    await platform.observe([share])
    assert_outcomes(platform, unknown=3, unavailable=1)


async def test_an_answer_that_cannot_be_understood_was_given_all_the_same(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    answer(control, "shares/*", {"name": "another"})
    await platform.observe([share])
    assert_outcomes(platform, done=1)


async def test_nobody_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_PATIENCE", 1.0)
    url = f"http://127.0.0.1:{unused_port()}"
    platform = DatabricksPlatform(ADMIN)
    with pytest.raises(UnavailableError):
        await platform.perform(DeleteShare(share_key("q1", url)))
    assert_outcomes(platform, unavailable=1)
    await platform.close()


async def test_counts_are_exact_when_many_threads_count(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=16)
    try:
        await asyncio.gather(*(platform.observe([share_key(f"s{number}", url)]) for number in range(400)))
    finally:
        await platform.close()
    assert_outcomes(platform, refused=400)
