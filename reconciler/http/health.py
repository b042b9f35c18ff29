"""Whether database and queue answer, for the guide's health check. Asked at most once a second, whoever asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from reconciler.http.parts import Health
from reconciler.ports.archive import Archive
from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError
from reconciler.ports.ledger_errors import LedgerError

ALL_TABLES: Final = 16
_ANSWER_SECONDS: Final = 5.0


async def look(archive: Archive, doorbell: Doorbell) -> Health:
    tables, is_queue_connected = await asyncio.gather(_tables(archive), _answers(doorbell))
    return Health(tables is not None, is_queue_connected, tables or 0)


class Remembered:
    """The answer to everybody who asks at the same time, and for a second after."""

    def __init__(self, look: Callable[[], Awaitable[Health]]) -> None:
        self._look = look
        self._asking = asyncio.Lock()
        self._known: tuple[float, Health] | None = None

    async def __call__(self) -> Health:
        async with self._asking:
            if self._known is None or time.monotonic() - self._known[0] > 1.0:
                found = await self._look()
                self._known = (time.monotonic(), found)
            return self._known[1]


async def _tables(archive: Archive) -> int | None:
    with suppress(LedgerError, TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await archive.tables()
    return None


async def _answers(doorbell: Doorbell) -> bool:
    with suppress(DoorbellUnavailableError, TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            await doorbell.check()
            return True
    return False
