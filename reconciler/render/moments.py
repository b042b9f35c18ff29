"""Times and spans of time as people read them: always UTC, never relative, for nothing here knows the time of day."""

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def moment(at: datetime) -> str:
    """In UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def to_the_minute(at: datetime) -> str:
    """`2026-11-22 09:30 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(at: datetime) -> str:
    """`2026-11-22T09:30:00Z`, for programs."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def about(seconds: float) -> str:
    """`3 days`, `40 seconds`: in the largest unit of which there is a whole one, what is left over left out."""
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s'[: count != 1]}"
    return "0 seconds"


def utc(milliseconds: int) -> str:
    """Epoch milliseconds as `2027-01-31 00:00:00 UTC`. What no calendar has is shown as the number it is."""
    try:
        return f"{moment(datetime.fromtimestamp(milliseconds / 1000, UTC))} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms after 1970"


def span(seconds: int) -> str:
    """`90 days`, `36 hours`: in the largest unit that says it exactly."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            count = seconds // size
            return f"{count:,} {unit}{'s'[: count != 1]}"
    return "0 seconds"
