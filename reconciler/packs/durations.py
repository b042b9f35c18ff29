"""Spans of time and days as packs write them. Standard library only; what they are for is checked elsewhere."""

import re
from datetime import UTC, date, datetime
from typing import Final

DAY: Final = 24 * 3600
_UNITS: Final = {"h": 3600, "d": DAY, "w": 7 * DAY}
_SPAN: Final = re.compile(r"([0-9]{1,6})\s*([hdw])", re.IGNORECASE)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
#: Before the first of these no token of Databricks can have ended.
_FIRST_YEAR: Final = 2000


def seconds(text: str) -> int | None:
    """`90d`, `12h`, `2w`, in any letter case; None for anything else."""
    found = _SPAN.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2].lower()] if found else None


def day(text: str) -> date | None:
    """`YYYY-MM-DD`; None for anything else, also for a day that no calendar has."""
    found = _parsed(text.strip(), _DAY)
    return None if found is None else found.date()


def moment(text: str) -> datetime | None:
    """`YYYY-MM-DDTHH:MM:SSZ`, or a day, which is its first moment; both in UTC. None for anything else."""
    return _parsed(text.strip(), _MOMENT) or _parsed(text.strip(), _DAY)


def epoch_ms(found: datetime) -> int:
    return int(found.timestamp()) * 1000


def a_year_after(today: date) -> date:
    """The same day of the next year; of 29 February the 28th."""
    is_leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=today.year + 1, day=28 if is_leap_day else today.day)


def _parsed(text: str, form: re.Pattern[str]) -> datetime | None:
    if not form.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.year >= _FIRST_YEAR else None
