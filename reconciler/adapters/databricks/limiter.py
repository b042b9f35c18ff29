"""How many calls are under way to one workspace, the pause it has asked for, and whether it can be reached at all.

Obeys what it is told; it does not guess a better rate.
"""

import asyncio
import time
from types import TracebackType
from typing import Final

from reconciler.ports.platform import RefusedError, UnavailableError

#: A longer pause is handed to the caller, who can put the work back, rather than waited for. Seconds.
LONGEST_PAUSE: Final = 20.0

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

    def check(self) -> None:
        """Raises what `shut` was told, and UnavailableError when the workspace has asked for a long wait."""
        now = time.monotonic()
        if self._shut_by is not None and now < self._shut_until:
            raise self._shut_by.with_traceback(None)
        if self._resume_at - now > LONGEST_PAUSE:
            remaining = self._resume_at - now
            raise UnavailableError(f"Databricks has asked to wait; {remaining:.0f} s remain", retry_after=remaining)

    async def __aenter__(self) -> None:
        """Raises as `check` does."""
        await self._slots.acquire()
        try:
            self.check()
            while (remaining := self._resume_at - time.monotonic()) > 0:
                await asyncio.sleep(remaining)
                self.check()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._slots.release()
