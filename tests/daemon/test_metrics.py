"""What a process counts, read back as Prometheus reads it."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from reconciler.core.recorded import PackStatus
from reconciler.daemon.metrics import OUTCOMES, Metrics
from reconciler.ports.ledger import Figures, WorkStatus

QUIET = Figures(
    packs={PackStatus.COMPLETED: 7},
    unfinished=0,
    oldest_unfinished=None,
    needing_attention=0,
    unknown_outcomes=0,
    drifted=0,
    oldest_drift=None,
    suspended=0,
    contested=0,
    paused=0,
    last_full_pass=12.0,
)
BUSY = Figures(
    packs={PackStatus.COMPLETED: 5, PackStatus.FAILED: 1, PackStatus.IN_PROGRESS: 2},
    unfinished=2,
    oldest_unfinished=61.5,
    needing_attention=1,
    unknown_outcomes=3,
    drifted=4,
    oldest_drift=901.0,
    suspended=2,
    contested=6,
    paused=1,
    last_full_pass=None,
)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def metrics(time: Time) -> Metrics:
    return Metrics(time)


def samples(metrics: Metrics, figures: Figures | None, outcomes: Mapping[str, int] | None = None) -> dict[str, float]:
    """By name and labels, as `sharepack_packs{state="failed"}`; those of the process left out."""
    text = metrics.render(figures, outcomes or {}).decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            shown = ",".join(f'{label}="{text}"' for label, text in labels.items())
            series = f"{name}{{{shown}}}" if shown else name
            assert series not in found, "a series twice"
            found[series] = value
    return {series: value for series, value in found.items() if series.startswith("sharepack_")}


def test_what_the_ledger_knows(metrics: Metrics) -> None:
    found = samples(metrics, BUSY)
    assert found['sharepack_packs{state="completed"}'] == 5
    assert found['sharepack_packs{state="failed"}'] == 1
    assert found['sharepack_packs{state="validation_failed"}'] == 0
    assert found["sharepack_packs_suspended"] == 2
    assert found["sharepack_contested_fields"] == 6
    assert found["sharepack_drifted_resources"] == 4
    assert found["sharepack_drift_age_seconds"] == 901.0
    assert found["sharepack_work_unfinished"] == 2
    assert found["sharepack_work_oldest_age_seconds"] == 61.5
    assert found["sharepack_work_needing_attention"] == 1
    assert found["sharepack_unknown_outcomes"] == 3
    assert found["sharepack_paused_workspaces"] == 1
    assert found["sharepack_database_up"] == 1


def test_nothing_is_old_where_nothing_is(metrics: Metrics) -> None:
    found = samples(metrics, QUIET)
    assert found["sharepack_drift_age_seconds"] == 0
    assert found["sharepack_work_oldest_age_seconds"] == 0


def test_what_the_process_counts(metrics: Metrics) -> None:
    metrics.ended(WorkStatus.DONE)
    metrics.ended(WorkStatus.DONE)
    metrics.ended(WorkStatus.NEEDS_ATTENTION)
    metrics.contended()
    metrics.is_leader = True
    metrics.is_source_failing = True
    found = samples(metrics, QUIET, {"done": 40, "throttled": 3, "unknown": 1})
    assert found['sharepack_work_ended_total{status="done"}'] == 2
    assert found['sharepack_work_ended_total{status="needs_attention"}'] == 1
    assert found['sharepack_work_ended_total{status="failed"}'] == 0
    assert found["sharepack_lease_contention_total"] == 1
    assert found["sharepack_leader"] == found["sharepack_source_failing"] == 1
    assert found['sharepack_api_calls_total{outcome="done"}'] == 40
    assert found['sharepack_api_calls_total{outcome="refused"}'] == 0
    assert found["sharepack_api_throttled_total"] == found['sharepack_api_calls_total{outcome="throttled"}'] == 3
    metrics.is_leader = metrics.is_source_failing = False
    found = samples(metrics, QUIET)
    assert found["sharepack_leader"] == found["sharepack_source_failing"] == 0


def test_without_the_database_its_gauges_are_absent_and_not_zero(metrics: Metrics) -> None:
    found = samples(metrics, None, {"done": 1})
    assert found["sharepack_database_up"] == 0
    assert not [series for series in found if re.match(r"sharepack_(packs|drift|contested|work_[^e]|unknown)", series)]
    assert found['sharepack_api_calls_total{outcome="done"}'] == 1
    assert "sharepack_seconds_since_full_pass" in found


def full_pass_age(metrics: Metrics, figures: Figures | None) -> float:
    return samples(metrics, figures)["sharepack_seconds_since_full_pass"]


def test_without_any_full_pass_the_dead_mans_switch_is_thrown(metrics: Metrics) -> None:
    never = replace(QUIET, last_full_pass=None)
    assert full_pass_age(metrics, never) == full_pass_age(metrics, None) == math.inf
    assert math.inf > 1800, "which is how an alert asks"


def test_the_dead_mans_switch_runs_by_the_own_clock_while_the_database_is_away(metrics: Metrics, time: Time) -> None:
    metrics.passed()
    time.now += 100
    assert full_pass_age(metrics, None) == 100
    time.now += 2000
    assert full_pass_age(metrics, None) == 2100


def test_another_daemons_full_pass_counts_also_later_without_the_database(metrics: Metrics, time: Time) -> None:
    assert full_pass_age(metrics, QUIET) == 12
    time.now += 30
    assert full_pass_age(metrics, None) == 42
    metrics.passed()
    time.now += 1
    assert full_pass_age(metrics, None) == 1
    assert full_pass_age(metrics, replace(QUIET, last_full_pass=500.0)) == 1, "the younger of the two"


def test_a_full_pass_in_the_future_of_the_database_is_one_now(metrics: Metrics, time: Time) -> None:
    assert full_pass_age(metrics, replace(QUIET, last_full_pass=-3600.0)) == 0
    time.now += 10
    assert full_pass_age(metrics, None) == 10


EVENTS = st.one_of(
    st.sampled_from(list(WorkStatus)).map(lambda status: ("ended", status)),
    st.just(("contended",)),
    st.just(("passed",)),
)
FIGURES = st.none() | st.builds(
    Figures,
    packs=st.dictionaries(st.sampled_from(list(PackStatus)), st.integers(0, 10**6)),
    unfinished=st.integers(0, 9),
    oldest_unfinished=st.none() | st.floats(0, 1e9),
    needing_attention=st.integers(0, 9),
    unknown_outcomes=st.integers(0, 9),
    drifted=st.integers(0, 9),
    oldest_drift=st.none() | st.floats(0, 1e9),
    suspended=st.integers(0, 9),
    contested=st.integers(0, 9),
    paused=st.integers(0, 9),
    last_full_pass=st.none() | st.floats(-1e6, 1e9),
)


@given(
    events=st.lists(EVENTS, max_size=30),
    figures=FIGURES,
    outcomes=st.dictionaries(st.sampled_from(OUTCOMES) | st.text(max_size=20), st.integers(0, 10**9)),
)
def test_the_set_of_series_is_bounded_whatever_happens(
    events: list[tuple[str, WorkStatus] | tuple[str]], figures: Figures | None, outcomes: dict[str, int]
) -> None:
    metrics = Metrics(Time())
    allowed = set(samples(metrics, QUIET))
    assert len(allowed) < 45
    for name, *arguments in events:
        getattr(metrics, name)(*arguments)
    found = set(samples(metrics, figures, outcomes))
    assert found == allowed if figures is not None else found < allowed


def test_the_global_registry_is_left_alone_and_two_collectors_do_not_meet(metrics: Metrics) -> None:
    before = prometheus_client.generate_latest()
    metrics.contended()
    assert samples(metrics, QUIET)["sharepack_lease_contention_total"] == 1
    assert samples(Metrics(), QUIET)["sharepack_lease_contention_total"] == 0
    assert b"sharepack" not in before + prometheus_client.generate_latest()


def test_the_process_itself_is_measured(metrics: Metrics) -> None:
    assert b"process_resident_memory_bytes" in metrics.render(None, {})
