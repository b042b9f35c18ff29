"""Threads for calls that wait: bounded, in order, and left behind when it is time to end."""

import asyncio
import threading
import time

import pytest

from reconciler.adapters.databricks.threads import Threads, ThreadsClosedError


def alive(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(name)]


async def test_results_and_exceptions_come_back() -> None:
    threads = Threads(2, "back")
    assert await threads.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)
    threads.close()


async def test_there_are_no_more_threads_than_allowed_and_none_before_there_is_work() -> None:
    threads = Threads(3, "bounded")
    assert alive("bounded") == []
    for _ in range(30):
        await threads.run(lambda: None)
    assert len(alive("bounded")) == 1
    started = time.monotonic()
    await asyncio.gather(*(threads.run(lambda: time.sleep(0.1)) for _ in range(9)))
    assert time.monotonic() - started >= 0.3
    assert len(alive("bounded")) == 3
    assert all(each.daemon for each in alive("bounded"))
    threads.close()


async def test_what_was_cancelled_before_its_turn_is_not_begun() -> None:
    threads = Threads(1, "cancelled")
    begun: list[int] = []
    first = asyncio.create_task(threads.run(lambda: time.sleep(0.2)))
    others = [asyncio.create_task(threads.run(lambda: begun.append(1))) for _ in range(3)]
    await asyncio.sleep(0.05)
    for each in others[:2]:
        each.cancel()
    await asyncio.gather(first, *others, return_exceptions=True)
    assert begun == [1]
    threads.close()


async def test_closing_tells_everybody_who_waits_at_once_and_ends_idle_threads() -> None:
    threads = Threads(2, "closed")
    hanging = threading.Event()
    waiting = [asyncio.create_task(threads.run(hanging.wait)) for _ in range(5)]
    await asyncio.sleep(0.05)
    started = time.monotonic()
    threads.close()
    threads.close()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - started < 0.5
    assert {type(each) for each in answers} == {ThreadsClosedError}
    with pytest.raises(ThreadsClosedError):
        await threads.run(lambda: None)
    hanging.set()
    async with asyncio.timeout(5):
        while alive("closed"):
            await asyncio.sleep(0.01)


def test_a_result_that_comes_when_nobody_waits_any_more_disturbs_nobody(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    threads = Threads(1, "late")
    hanging = threading.Event()

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await threads.run(hanging.wait)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(ask())
    hanging.set()
    threads.close()
    deadline = time.monotonic() + 5
    while alive("late") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert alive("late") == []
    assert caplog.records == []
    assert list(recwarn) == []
