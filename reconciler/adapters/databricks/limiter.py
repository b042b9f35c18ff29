"""How many calls are under way to one workspace, the pause it has asked for, and whether it can be reached at all.

Obeys what it is told; it does not guess a better rate.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from reconciler.ports.platform import RefusedError, UnavailableError

#: A longer pause is handed to the caller, who can put the work back, rather than waited for. Seconds.
LONGEST_PAUSE: Final = 20.0

#: A write waits less: whoever makes it holds the lease of a pack meanwhile. Seconds, all pauses together.
LONGEST_PAUSE_OF_A_WRITE: Final = 2.0

#: A write that waits for a slot looks so often whether there is a pause by now: reads sit through one in their slots.
_LOOK: Final = 0.25

#: No Retry-After closes a workspace for longer than this.
_LONGEST_CLOSED: Final = 600.0

#: How long others are told at once what one call had to find out slowly.
SHUT_FOR: Final = 10.0


class UnreachableError(UnavailableError):
    """No request got through; the next one will not either, for a while."""


class Limiter:
    def __init__(self, in_flight: int) -> None:
        self._slots = asyncio.Semaphore(in_flight)
        self._resume_at = 0.0
        self._shut_until = 0.0
        self._shut_by: UnavailableError | RefusedError | None = None

    def pause(self, seconds: float) -> None:
        """Start nothing for so long. May be called from any thread."""
        self._resume_at = max(self._resume_at, time.monotonic() + min(seconds, _LONGEST_CLOSED))

    def shut(self, failure: UnavailableError | RefusedError) -> None:
        """Nothing gets through: let the calls that wait fail likewise, instead of each waiting for it."""
        self._shut_by, self._shut_until = failure, time.monotonic() + SHUT_FOR

    def check(self, until: float | None = None) -> None:
        """Raises what `shut` was told, and UnavailableError when the workspace has asked to wait longer than `until`
        (monotonic; by default as long as a read waits)."""
        now = time.monotonic()
        if self._shut_by is not None and now < self._shut_until:
            raise self._shut_by.with_traceback(None)
        if self._resume_at > (now + LONGEST_PAUSE if until is None else max(until, now)):
            remaining = self._resume_at - now
            raise UnavailableError(
                f"Databricks has asked to wait; {remaining:.0f} s remain", retry_after=remaining, throttled=True
            )

    @asynccontextmanager
    async def turn(self, *, is_write: bool = False) -> AsyncIterator[None]:
        """One call. Raises as `check` does."""
        until = time.monotonic() + LONGEST_PAUSE_OF_A_WRITE if is_write else None
        await self._sit_out_the_pause(until)
        await self._take_slot(until)
        while self.is_held_up():
            self._slots.release()
            await self._sit_out_the_pause(until)
            await self._take_slot(until)
        try:
            yield
        finally:
            self._slots.release()

    def is_held_up(self) -> bool:
        """May be asked from any thread."""
        now = time.monotonic()
        return now < self._resume_at or now < self._shut_until

    async def _sit_out_the_pause(self, until: float | None) -> None:
        """Without a slot, so that those who wait here are in nobody's way."""
        self.check(until)
        while (remaining := self._resume_at - time.monotonic()) > 0:
            await asyncio.sleep(remaining)
            self.check(until)

    async def _take_slot(self, until: float | None) -> None:
        if until is None or not self._slots.locked():
            await self._slots.acquire()
            return
        taking = asyncio.ensure_future(self._slots.acquire())
        try:
            while not taking.done():
                await asyncio.wait({taking}, timeout=_LOOK)
                if not taking.done():
                    self.check(until)
        except BaseException:
            if not taking.cancel():
                self._slots.release()
            raise
