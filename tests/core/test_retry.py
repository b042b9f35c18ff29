import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.retry import DELAYS, MOST_UNEXPLAINED, PROBE_AFTER, delay

SETBACKS, SPREADS = st.integers(0, 10**6), st.floats(0, 1)


@pytest.mark.parametrize(
    ("setbacks", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 5), (4, 10), (8, 300), (9, 900), (10, 900), (10**9, 900)]
)
def test_the_wait_grows_and_then_stays(setbacks: int, seconds: float) -> None:
    assert delay(setbacks, None, 0.0) == seconds


@given(SETBACKS, st.one_of(st.none(), st.floats(0, 10**5)), SPREADS)
def test_nobody_comes_back_before_databricks_says_nor_much_later(
    setbacks: int, asked: float | None, spread: float
) -> None:
    seconds = delay(setbacks, asked, spread)
    least = max(asked or 0.0, delay(setbacks, None, 0.0))
    assert least <= seconds <= least * 1.2 + 1e-6


@given(SETBACKS, SETBACKS, SPREADS)
def test_more_setbacks_never_make_the_wait_shorter(one: int, other: int, spread: float) -> None:
    fewer, more = sorted([one, other])
    assert delay(fewer, None, spread) <= delay(more, None, spread)


def test_many_workers_are_spread() -> None:
    times = {delay(5, 120.0, number / 99) for number in range(100)}
    assert (min(times), max(times), len(times)) == (120.0, 144.0, 100)


def test_what_nobody_understands_is_given_up_within_minutes_and_probed_every_hour() -> None:
    assert sum(DELAYS[: MOST_UNEXPLAINED - 1]) < 60
    assert DELAYS[-1] < PROBE_AFTER
