"""What a test may leave on the event loop that it shares with others: nothing."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def alone_on(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Threads of its own, which end with it; a task that goes on is ended, and told."""
    threads = ThreadPoolExecutor(thread_name_prefix="asyncio")
    loop.set_default_executor(threads)
    yield
    left = loop.run_until_complete(_end_all_tasks()) if asyncio.all_tasks(loop) else []
    threads.shutdown()
    assert not left, f"left behind: {left}"


async def _end_all_tasks() -> list[str]:
    """Those that were not about to end."""
    for _ in range(3):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    return [repr(task) for task in left]
