"""Which moment of the past a person means: a span before now, a day, which is its end, or a time of day, there where
the person is."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from reconciler.cli.until import WhenError, at_local
from reconciler.packs.durations import seconds

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE
)
_FORMS: Final = "write a day such as 2026-03-31, a time such as 2026-03-31T18:00, or how long ago, such as 36h or 90d"
_NEXT: Final = timedelta(days=1)
#: The last moment of a day as databases count.
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PastMoment:
    #: In UTC; None: now.
    at: datetime | None
    #: What it is called where its text says less than a moment; empty otherwise.
    words: str = ""


def as_of(text: str, now: datetime, zone: ZoneInfo | None) -> PastMoment:
    """`now` has a zone. The day that is not over is now. Raises WhenError, also for a time that has not come yet."""
    wanted = text.strip()
    try:
        found = _meant(wanted, now, zone)
    except (ValueError, OverflowError) as error:
        if isinstance(error, WhenError):
            raise
        raise WhenError(f"{text} is in no calendar: {_FORMS}") from None
    if found.at is not None and found.at > now:
        raise WhenError(f"{text} has not come yet: it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC now; {_FORMS}")
    return found


def _meant(text: str, now: datetime, zone: ZoneInfo | None) -> PastMoment:
    span = seconds(text)
    if span is not None:
        return PastMoment(now.astimezone(UTC) - timedelta(seconds=span), f"{text} before now")
    if _DAY.fullmatch(text):
        return _end_of_day(text, now, zone)
    if not _TIME.fullmatch(text):
        raise WhenError(f"{text!r} is no time: {_FORMS}")
    read = datetime.fromisoformat(text.upper())
    if read.tzinfo is not None:
        return PastMoment(read.astimezone(UTC))
    return PastMoment(at_local(read, zone), f"{text}{_there(zone)}")


def _end_of_day(text: str, now: datetime, zone: ZoneInfo | None) -> PastMoment:
    # A day without a zone: `at_local` gives it one.
    day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
    end = at_local(day + _NEXT, zone) - _INSTANT
    if at_local(day, zone) <= now <= end:
        return PastMoment(None, f"{text}{_there(zone)} is not over")
    return PastMoment(end, f"the end of {text}{_there(zone)}")


def _there(zone: ZoneInfo | None) -> str:
    return " here" if zone is None else f" in {zone.key}"
