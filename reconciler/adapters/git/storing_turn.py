"""Who may write next: the tasks and threads of this process one after another in the order they came, and, as far as
the file system can, the processes that share a clone. Only that they do not waste each other's time: what is right does
not depend on it."""

import asyncio
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

#: Seconds between two looks at whether another process is done.
_LOOK: Final = 0.02


class Turn:
    """Like asyncio.Lock, but for several event loops in several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: deque[Future[None]] = deque()

    async def __aenter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            mine: Future[None] = Future()
            self._waiting.append(mine)
        try:
            await asyncio.wrap_future(mine)
        except asyncio.CancelledError:
            # It cannot be cancelled any more when the turn came at the same moment.
            if not mine.cancel():
                self._pass_on()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            while self._waiting:
                following = self._waiting.popleft()
                if following.set_running_or_notify_cancel():
                    following.set_result(None)
                    return
            self._is_taken = False


@asynccontextmanager
async def alone(folder: Path, patience: float) -> AsyncIterator[None]:
    """Among the processes that have this folder, for as long as they live: the kernel gives the lock of a killed one
    back. After `patience` seconds, or where locks are not to be had, it goes on all the same."""
    held = await _held(folder / "lock", time.monotonic() + patience)
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


async def _held(file: Path, until: float) -> int | None:
    try:
        file.parent.mkdir(exist_ok=True)
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return None
    try:
        while time.monotonic() < until:
            with suppress(BlockingIOError):
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return opened
            await asyncio.sleep(_LOOK)
    except OSError:
        pass
    except BaseException:
        os.close(opened)
        raise
    os.close(opened)
    return None
