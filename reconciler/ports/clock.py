"""The time, as a port, so that tests decide it. Recorded times always come from the database's clock instead."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, with a zone."""

    async def sleep(self, seconds: float) -> None: ...
