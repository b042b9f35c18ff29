"""Who waits for the pause that a workspace has asked for, how long, and who is not held up by those that wait."""

import asyncio
import time

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.limiter import LONGEST_PAUSE_OF_A_WRITE, Limiter
from reconciler.core.actual import Absent
from reconciler.core.calls import CreateShare
from reconciler.core.key import Key, share_key
from reconciler.ports.platform import UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN, UC, unavailability


async def taken(limiter: Limiter, *, is_write: bool) -> float:
    """Seconds until its turn came."""
    started = time.monotonic()
    async with limiter.turn(is_write=is_write):
        return time.monotonic() - started


@pytest.mark.parametrize("is_write", [False, True])
async def test_a_short_pause_is_waited_for(is_write: bool) -> None:
    limiter = Limiter(1)
    limiter.pause(0.3)
    assert 0.3 <= await taken(limiter, is_write=is_write) < 1


async def test_a_write_does_not_wait_for_a_pause_that_a_read_sits_out() -> None:
    limiter = Limiter(1)
    limiter.pause(LONGEST_PAUSE_OF_A_WRITE + 0.5)
    reading = asyncio.create_task(taken(limiter, is_write=False))
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="asked to wait") as caught:
        await taken(limiter, is_write=True)
    assert time.monotonic() - started < 0.2
    assert (caught.value.throttled, caught.value.understood, caught.value.maybe_done) == (True, True, False)
    assert caught.value.retry_after == pytest.approx(LONGEST_PAUSE_OF_A_WRITE + 0.5, abs=0.2)
    assert await reading > LONGEST_PAUSE_OF_A_WRITE


async def test_a_write_waits_two_seconds_for_all_pauses_together() -> None:
    limiter = Limiter(1)
    limiter.pause(1.2)
    writing = asyncio.create_task(taken(limiter, is_write=True))
    await asyncio.sleep(1)
    started = time.monotonic()
    limiter.pause(1.5)
    with pytest.raises(UnavailableError, match="asked to wait"):
        await writing
    assert time.monotonic() - started < 0.5


async def test_reads_that_wait_for_the_pause_take_up_no_slot() -> None:
    limiter = Limiter(1)
    limiter.pause(0.5)
    reading = [asyncio.create_task(taken(limiter, is_write=False)) for _ in range(5)]
    await asyncio.sleep(0.1)
    assert not limiter._slots.locked()
    await asyncio.gather(*reading)


async def test_a_write_that_waits_for_a_slot_notices_the_pause() -> None:
    """Reads sit through a pause in their slots when it is they who were asked to wait."""
    limiter = Limiter(1)
    async with limiter.turn():
        writing = asyncio.create_task(taken(limiter, is_write=True))
        await asyncio.sleep(0.1)
        limiter.pause(15)
        async with asyncio.timeout(1):
            with pytest.raises(UnavailableError, match="asked to wait"):
                await writing
    limiter._resume_at = 0.0
    assert await taken(limiter, is_write=True) < 0.5


async def test_a_busy_lane_without_a_pause_is_waited_for() -> None:
    limiter = Limiter(1)
    async with limiter.turn():
        writing = asyncio.create_task(taken(limiter, is_write=True))
        await asyncio.sleep(LONGEST_PAUSE_OF_A_WRITE + 0.4)
    assert await writing > LONGEST_PAUSE_OF_A_WRITE


async def test_many_that_are_cancelled_at_any_moment_lose_no_slot() -> None:
    limiter = Limiter(2)

    async def work(number: int) -> None:
        async with limiter.turn(is_write=number % 2 == 0):
            await asyncio.sleep(0.002)

    for number in range(200):
        tasks = [asyncio.create_task(work(each)) for each in range(6)]
        await asyncio.sleep(number / 50_000)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), limiter.turn(), limiter.turn(is_write=True):
        assert limiter._slots.locked()


async def test_a_write_comes_through_while_reads_are_throttled(control: ControlClient, url: str, share: Key) -> None:
    """All slots are taken by reads that were told to come back in 8 s; the write is told so at once, not after them."""
    platform = DatabricksPlatform(ADMIN, in_flight=2)
    try:
        assert set((await platform.observe([share])).values()) == {Absent()}
        control.fault(f"GET {UC}/shares/*", status=429, retry_after=8, times=0)
        reading = asyncio.create_task(platform.observe([share_key(f"s{number}", url) for number in range(2)]))
        await asyncio.sleep(0.5)
        started = time.monotonic()
        failure = await unavailability(platform, CreateShare(share))
        assert time.monotonic() - started < 1.5
        assert failure.throttled
        assert failure.retry_after is not None
        assert 5 < failure.retry_after <= 8
        reading.cancel()
    finally:
        await platform.close()
