import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.until import LONGEST, WhenError, at_local, until, zone_named

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", "2026-11-22T11:30"),
        (" 3D ", "2026-11-25T09:30"),
        ("4w", "2026-12-20T09:30"),
        ("30d", "2026-12-22T09:30"),
        ("2026-12-01", "2026-11-30T23:00"),
        ("2026-12-01T18:00", "2026-12-01T17:00"),
        ("2026-12-01 18:00:30", "2026-12-01T17:00:30"),
        ("2026-12-01T18:00Z", "2026-12-01T18:00"),
        ("2026-12-01t18:00z", "2026-12-01T18:00"),
        ("2026-12-01T18:00-05:00", "2026-12-01T23:00"),
        ("2026-12-01T18:00+0530", "2026-12-01T12:30"),
    ],
)
def test_a_span_a_day_or_a_time(text: str, at: str) -> None:
    found = until(text, NOW, BERLIN)
    assert found == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "now", "at"),
    [
        # Clocks go from 02:00 to 03:00 at 01:00 UTC.
        ("2027-03-28T02:30", "2027-03-27T12:00", "2027-03-28T01:00"),
        ("2027-03-28T02:00", "2027-03-27T12:00", "2027-03-28T01:00"),
        ("2027-03-28T01:59", "2027-03-27T12:00", "2027-03-28T00:59"),
        ("2027-03-28T03:00", "2027-03-27T12:00", "2027-03-28T01:00"),
        # Clocks go from 03:00 back to 02:00 at 01:00 UTC.
        ("2026-10-25T02:30", "2026-10-24T12:00", "2026-10-25T01:30"),
        ("2026-10-25T01:59", "2026-10-24T12:00", "2026-10-24T23:59"),
        ("2026-10-25T03:00", "2026-10-24T12:00", "2026-10-25T02:00"),
        # A span is one of real hours.
        ("24h", "2026-10-24T12:00", "2026-10-25T12:00"),
    ],
)
@pytest.mark.parametrize("zone", [BERLIN, None])
@pytest.mark.usefixtures("in_berlin")
def test_where_clocks_change_the_hold_is_the_longer_one(text: str, now: str, at: str, zone: ZoneInfo | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert until(text, moment, zone) == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_a_day_that_a_zone_left_out_is_the_moment_after_it() -> None:
    # Samoa went from the 29th to the 31st at 10:00 UTC.
    found = at_local(datetime(2011, 12, 30, 12), ZoneInfo("Pacific/Apia"))  # noqa: DTZ001 - of no zone
    assert found == datetime(2011, 12, 30, 10, tzinfo=UTC)


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2036, 1, 1)),  # noqa: DTZ001 - of no zone
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Asia/Gaza"]),
)
def test_what_clocks_show_then_is_what_was_written_or_they_have_just_jumped_over_it(wall: datetime, name: str) -> None:
    wall = wall.replace(microsecond=0)
    zone = ZoneInfo(name)
    at = at_local(wall, zone)
    shown = at.astimezone(zone).replace(tzinfo=None)
    if shown == wall:
        later = at + timedelta(hours=1)
        assert later.astimezone(zone).replace(tzinfo=None) != wall
    else:
        just_before = (at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert just_before < wall < shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-22", "has passed"),
        ("0h", "has passed"),
        ("2026-11-22T09:30Z", "has passed"),
        ("31d", "too far ahead"),
        ("999999w", "too far ahead"),
        ("2027-01-01", "too far ahead: at most 30 days, that is until 2026-12-22 09:30 UTC"),
        ("tomorrow", "is no time"),
        ("", "is no time"),
        ("20261201", "is no time"),
        ("2026-W49-1", "is no time"),
        ("2026-02-30", "in no calendar"),
        ("2026-12-01T25:00", "in no calendar"),
        ("9999-12-31T23:59-12:00", "in no calendar"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(WhenError, match=words):
        until(text, NOW, BERLIN)


@given(st.integers(0, 10**6), st.sampled_from("hdw"))
def test_a_suspension_never_ends_before_it_begins_nor_too_late(count: int, unit: str) -> None:
    try:
        at = until(f"{count}{unit}", NOW, None)
    except WhenError:
        return
    assert NOW < at <= NOW + LONGEST


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "Europe"])
def test_a_zone_that_there_is_not_is_named(name: str) -> None:
    with pytest.raises(WhenError, match="there is no time zone"):
        zone_named(name)
