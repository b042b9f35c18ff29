"""What is done after an answer was given: a few at a time, waited for at the end. Whatever is lost with the process is
finished by the sweep of `stages.receive`."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from loguru import logger

_AT_ONCE: Final = 4
#: Seconds that stopping waits for what is under way.
_PATIENCE: Final = 5.0


class Background:
    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(self._do(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._places:
                await work
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and the sweep does it again
            logger.opt(exception=error).warning("what an upload needs could not be finished; the sweep tries again")
        finally:
            work.close()

    async def end(self) -> None:
        """Done, or given up."""
        if not self._tasks:
            return
        await asyncio.wait(self._tasks, timeout=_PATIENCE)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
