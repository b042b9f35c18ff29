from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from reconciler.cli.as_of import PastMoment, as_of
from reconciler.cli.until import WhenError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("2h", "2026-11-22T07:30", "2h before now"),
        (" 90d ", "2026-08-24T09:30", "90d before now"),
        ("2026-03-31", "2026-03-31T21:59:59.999999", "the end of 2026-03-31 in Europe/Berlin"),
        ("2026-01-31", "2026-01-31T22:59:59.999999", "the end of 2026-01-31 in Europe/Berlin"),
        ("2026-03-31T18:00", "2026-03-31T16:00", "2026-03-31T18:00 in Europe/Berlin"),
        ("2026-03-31 18:00:30", "2026-03-31T16:00:30", "2026-03-31 18:00:30 in Europe/Berlin"),
        ("2026-03-31T18:00Z", "2026-03-31T18:00", ""),
        ("2026-03-31T18:00:00.123456+00:00", "2026-03-31T18:00:00.123456", ""),
        ("2026-03-31t18:00-05:00", "2026-03-31T23:00", ""),
        ("2026-11-22T10:30", "2026-11-22T09:30", "2026-11-22T10:30 in Europe/Berlin"),
    ],
)
def test_a_span_before_now_the_end_of_a_day_or_a_time(text: str, at: str, words: str) -> None:
    assert as_of(text, NOW, BERLIN) == PastMoment(utc(at), words)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        # 23 hours and 25 hours long.
        ("2026-03-29", "2026-03-29T21:59:59.999999"),
        ("2025-10-26", "2025-10-26T22:59:59.999999"),
    ],
)
def test_a_day_ends_when_its_clocks_say_so(text: str, at: str) -> None:
    assert as_of(text, NOW, BERLIN).at == utc(at)


def test_the_day_that_is_not_over_is_now() -> None:
    assert as_of("2026-11-22", NOW, BERLIN) == PastMoment(None, "2026-11-22 in Europe/Berlin is not over")
    late = NOW.replace(hour=23, minute=30)
    assert as_of("2026-11-23", late, BERLIN).at is None
    assert as_of("2026-11-22", late, BERLIN).at == utc("2026-11-22T22:59:59.999999")


@pytest.mark.parametrize("text", ["2026-11-23", "2026-11-22T10:31", "2026-11-22T09:31Z", "9999-12-30", "2099-01-01"])
def test_what_has_not_come_yet_is_refused(text: str) -> None:
    with pytest.raises(WhenError, match=f"{text} has not come yet: it is 2026-11-22 09:30 UTC now"):
        as_of(text, NOW, BERLIN)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-13-01T10:00", "2026-01-01T25:00", "9999-12-31", "999999w", "0000-01-01"]
)
def test_what_no_calendar_has_is_said_to_be_so(text: str) -> None:
    with pytest.raises(WhenError, match=r"is in no calendar: write a day such as 2026-03-31"):
        as_of(text, NOW, BERLIN)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "31.3.2026", "2026-3-31", "20260331", "1d2h", "-3d", "2026-03-31T18"]
)
def test_other_words_are_answered_with_what_to_write(text: str) -> None:
    with pytest.raises(WhenError, match="is no time: write a day such as"):
        as_of(text, NOW, BERLIN)


def test_where_the_person_is_when_no_zone_is_named() -> None:
    found = as_of("2026-03-31", NOW, None)
    here = datetime(2026, 4, 1).astimezone()
    assert found.at == here - timedelta(microseconds=1)
    assert found.words == "the end of 2026-03-31 here"


def test_now_may_have_any_zone() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert as_of("2h", elsewhere, BERLIN).at == NOW - timedelta(hours=2)
