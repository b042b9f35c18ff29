"""The sandbox's own time: the real time plus what a test has advanced it by."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

END_OF_TIME = "9999-12-31T23:59:59.999Z"


@dataclass(slots=True)
class Clock:
    offset_ms: int = 0

    def now(self) -> int:
        """Epoch milliseconds."""
        return int(time.time() * 1000) + self.offset_ms

    def advance(self, seconds: float) -> None:
        self.offset_ms += int(seconds * 1000)

    def set(self, now_ms: int) -> None:
        self.offset_ms = now_ms - int(time.time() * 1000)


def iso(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"
