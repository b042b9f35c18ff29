"""A few threads for calls that wait, which never keep a process from ending.

`ThreadPoolExecutor` cannot do this: Python joins its threads before it ends, however long what they wait for takes.
Whether a call that is left behind has taken effect is not decided here.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

T = TypeVar("T")


class ThreadsClosedError(Exception):
    """The threads were closed before the call had ended; it may go on, and nobody will hear of it."""


class Threads:
    """At most `most` threads, each started when it is first needed."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._changing = threading.Lock()
        self._unfinished: set[Future[Any]] = set()
        self._started = 0
        self._is_closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Raises what `work` raises, and ThreadsClosedError."""
        return await asyncio.wrap_future(self._submit(work))

    def close(self) -> None:
        """Returns at once; who waits for a call gets ThreadsClosedError at once too. Closing twice is fine."""
        with self._changing:
            self._is_closed = True
            with suppress(Empty):
                while True:
                    self._jobs.get_nowait()
            for future in self._unfinished:
                with suppress(InvalidStateError):
                    future.set_exception(ThreadsClosedError())
            self._unfinished.clear()
            for _ in range(self._started):
                self._jobs.put(None)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._changing:
            if self._is_closed:
                raise ThreadsClosedError
            self._unfinished.add(future)
            self._jobs.put((future, work))
            if self._started < min(self._most, len(self._unfinished)):
                self._started += 1
                threading.Thread(target=self._serve, name=f"{self._name}_{self._started}", daemon=True).start()
        return future

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._carry_out(*job)
            # Or the last result is held until the next job.
            del job

    def _carry_out(self, future: Future[T], work: Callable[[], T]) -> None:
        with self._changing:
            # Or else it would be closed, or cancelled, in between.
            is_wanted = not future.done() and future.set_running_or_notify_cancel()
        outcome = _outcome(work) if is_wanted else None
        with self._changing:
            # Before anybody hears of it, who may have more to be done: this thread is as good as free.
            self._unfinished.discard(future)
        if outcome is not None:
            # Without the lock: who waits is woken through a pipe, and nobody is to wait for that.
            _settle(future, *outcome)


def _settle(future: Future[T], result: T | None, error: BaseException | None) -> None:
    # Closed meanwhile, it has ended already.
    with suppress(InvalidStateError):
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", result))


def _outcome(work: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
        return None, error
