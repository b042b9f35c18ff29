"""When a person means: a span from now, a day, or a time of day, there where the person is. Where clocks change, a time
that does not exist is the moment they jump, and one that there is twice is the later."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reconciler.packs.durations import DAY, seconds

#: The longest that a pack may be suspended at a time.
LONGEST: Final = timedelta(days=30)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE)
_FORMS: Final = "write 2h or 3d, a day such as 2026-12-01, or a time such as 2026-12-01T18:00"


class WhenError(ValueError):
    """Says what is wrong and what to write instead."""


def zone_named(name: str | None) -> ZoneInfo | None:
    """None: that of the system. Raises WhenError."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WhenError(f"there is no time zone {name!r} here; write one such as Europe/Berlin or UTC") from None


def until(
    text: str,
    now: datetime,
    zone: ZoneInfo | None,
    longest: timedelta = LONGEST,
    afterwards: str = "it can be suspended again",
) -> datetime:
    """In UTC. `now` has a zone. Raises WhenError, also for a time that has passed or is too far ahead."""
    at = _moment(text.strip(), now, zone)
    if at <= now:
        raise WhenError(f"{text} has passed: it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC now; {_FORMS}")
    if at - now > longest:
        latest = (now + longest).astimezone(UTC)
        raise WhenError(
            f"{text} is too far ahead: at most {longest.days} days, that is until {latest:%Y-%m-%d %H:%M} UTC; after "
            f"that {afterwards}"
        )
    return at


def _moment(text: str, now: datetime, zone: ZoneInfo | None) -> datetime:
    span = seconds(text)
    if span is not None:
        # So that nothing overflows before it is found to be too long.
        return now.astimezone(UTC) + timedelta(seconds=min(span, 1000 * DAY))
    if not _DAY.fullmatch(text) and not _TIME.fullmatch(text):
        raise WhenError(f"{text!r} is no time: {_FORMS}")
    try:
        read = datetime.fromisoformat(text.upper())
        return read.astimezone(UTC) if read.tzinfo is not None else at_local(read, zone)
    except (ValueError, OverflowError):
        raise WhenError(f"{text} is in no calendar: {_FORMS}") from None


def at_local(wall: datetime, zone: ZoneInfo | None) -> datetime:
    """The moment in UTC at which clocks there show `wall`, which has no zone."""
    first, second = (_in_utc(wall.replace(fold=fold), zone) for fold in (0, 1))
    if second >= first:
        return second
    # The clocks jump over it: with the time before the jump it comes after the jump, and the other way round.
    return _jump(second, first, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo | None) -> datetime:
    """The moment between these two from which on the clocks have the new time, to the second."""
    new = _offset(after, zone)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if _offset(middle, zone) == new:
            after = middle
        else:
            before = middle
    return after


def _in_utc(wall: datetime, zone: ZoneInfo | None) -> datetime:
    # `astimezone` of a time without a zone takes the other side of a jump.
    return datetime.fromtimestamp(wall.timestamp(), UTC) if zone is None else wall.replace(tzinfo=zone).astimezone(UTC)


def _offset(at: datetime, zone: ZoneInfo | None) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
