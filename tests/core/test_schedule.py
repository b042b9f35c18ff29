from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.schedule import JITTER, QUIETER, Cadence, Watch, due, first_watch, interval, looked, next_due

SPREADS = st.floats(0, 1)
SECONDS = st.floats(0, 10**9)
CADENCES = st.builds(Cadence, st.floats(1, 10**5), st.floats(1, 10**5))
HOUR = 3600.0


@given(SECONDS, CADENCES, SPREADS)
def test_no_interval_is_longer_than_the_longest_nor_shorter_than_the_shortest(
    quiet_for: float, cadence: Cadence, spread: float
) -> None:
    seconds = interval(quiet_for, cadence, spread)
    assert seconds <= cadence.longest * (1 + JITTER) * 1.000001
    assert seconds >= min(cadence.interval, cadence.longest) * (1 - JITTER) * 0.999999


@given(SECONDS, SECONDS, CADENCES, SPREADS)
def test_the_longer_the_quiet_the_rarer_the_looks(one: float, other: float, cadence: Cadence, spread: float) -> None:
    shorter, longer = sorted([one, other])
    assert interval(shorter, cadence, spread) <= interval(longer, cadence, spread)


def test_looks_are_rarer_after_six_hours_and_after_a_day() -> None:
    cadence = Cadence(900.0, 10_000.0)
    asked = [0.0, 6 * HOUR - 1, 6 * HOUR, 24 * HOUR - 1, 24 * HOUR, 1000 * HOUR]
    assert [interval(each, cadence, 0.5) for each in asked] == [900, 900, 1800, 1800, 3600, 3600]
    assert [factor for _, factor in QUIETER] == sorted((factor for _, factor in QUIETER), reverse=True)


def test_jitter_goes_both_ways() -> None:
    assert [interval(0.0, Cadence(1000.0, 5000.0), spread) for spread in (0.0, 0.5, 1.0)] == [900, 1000, 1100]


@given(SECONDS, CADENCES, SPREADS)
def test_the_first_looks_come_soon_and_not_at_once(now: float, cadence: Cadence, spread: float) -> None:
    watch = first_watch(now, cadence, spread)
    assert now <= watch.due_at <= now + cadence.interval * JITTER * 1.000001 + 1e-6
    assert watch.quiet_since == now


def test_a_hundred_lines_do_not_start_together() -> None:
    cadence = Cadence(900.0, 900.0)
    times = [first_watch(0.0, cadence, number / 99).due_at for number in range(100)]
    assert len(set(times)) == 100
    assert max(times) == 90


@given(SECONDS, st.floats(0, 10**6), CADENCES, SPREADS)
def test_whatever_happened_ends_the_quiet(now: float, quiet: float, cadence: Cadence, spread: float) -> None:
    before = Watch(now, now - quiet)
    after = looked(before, now, cadence, spread, is_quiet=False)
    assert after == Watch(now + interval(0.0, cadence, spread), now)
    kept = looked(before, now, cadence, spread, is_quiet=True)
    assert kept.quiet_since == before.quiet_since
    assert kept.due_at == now + interval(now - before.quiet_since, cadence, spread)


def test_what_is_due_is_told_and_when_the_next_is() -> None:
    watches = {"sales": Watch(10.0, 0.0), "legal": Watch(20.0, 0.0)}
    assert due(watches, 9.9) == frozenset()
    assert due(watches, 10.0) == {"sales"}
    assert due(watches, 99.0) == {"sales", "legal"}
    assert next_due(watches) == 10.0
    assert next_due({}) is None
