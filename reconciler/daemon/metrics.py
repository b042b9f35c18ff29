"""What a process counts, as Prometheus text. Names and labels are fixed here and come from closed sets, so that the
number of series is the same whatever happens; what is worth an alert is decided elsewhere."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import Figures, WorkStatus

#: What came of a request to Databricks (`Platform.outcomes`).
OUTCOMES: Final = ("done", "refused", "throttled", "unavailable", "unknown")


class Metrics:
    """Of one process; its registry is nobody else's. `clock` gives seconds and only rises."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        #: Whether this process leads; set by whoever knows, as the next one.
        self.is_leader = False
        #: The packs cannot be fetched or read.
        self.is_source_failing = False
        self._clock = clock
        self._ended: Counter[WorkStatus] = Counter()
        self._contended = 0
        self._full_passes = 0
        self._full_pass_at: float | None = None
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def ended(self, status: WorkStatus) -> None:
        """Work has ended, or was put back (WAITING)."""
        self._ended[status] += 1

    def contended(self) -> None:
        """Another worker had the lease."""
        self._contended += 1

    def passed(self) -> None:
        """This process has looked at every pack."""
        self._full_passes += 1
        self._full_pass_at = self._clock()

    def render(self, figures: Figures | None, outcomes: Mapping[str, int]) -> bytes:
        """`figures` None: the database cannot be asked. What only it knows is left out then; the age of the last full
        pass goes on by the clock of this process."""
        self._learn(figures)
        registry = CollectorRegistry()
        registry.register(_Families([*self._own(outcomes), *_of_the_ledger(figures)]))
        return generate_latest(registry) + generate_latest(self._process)

    def _learn(self, figures: Figures | None) -> None:
        """Also another daemon's full pass is one."""
        if figures is None or figures.last_full_pass is None:
            return
        at = self._clock() - max(0.0, figures.last_full_pass)
        self._full_pass_at = at if self._full_pass_at is None else max(at, self._full_pass_at)

    def _own(self, outcomes: Mapping[str, int]) -> Iterator[Metric]:
        yield _gauge("sharepack_info", "The version that runs.", {__version__: 1}, "version")
        yield _gauge("sharepack_leader", "Whether this process leads.", int(self.is_leader))
        yield _gauge("sharepack_source_failing", "Whether the packs cannot be fetched.", int(self.is_source_failing))
        yield _gauge(
            "sharepack_seconds_since_full_pass",
            "Since any daemon last looked at every pack; +Inf when none ever did.",
            math.inf if self._full_pass_at is None else max(0.0, self._clock() - self._full_pass_at),
        )
        yield _counter("sharepack_full_passes", "Looks at every pack by this process.", self._full_passes)
        yield _counter("sharepack_lease_contention", "Times another worker had the lease.", self._contended)
        yield _counter(
            "sharepack_work_ended",
            "Work that ended, by status; waiting: put back for later.",
            {status.value: self._ended[status] for status in WorkStatus},
            "status",
        )
        yield _counter(
            "sharepack_api_calls",
            "Requests to Databricks, by what came of them.",
            {outcome: outcomes.get(outcome, 0) for outcome in OUTCOMES},
            "outcome",
        )
        yield _counter("sharepack_api_throttled", "Requests answered with 429.", outcomes.get("throttled", 0))


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _of_the_ledger(figures: Figures | None) -> Iterator[Metric]:
    """An age is 0 when there is nothing that could be old."""
    yield _gauge("sharepack_database_up", "Whether the database could be asked just now.", int(figures is not None))
    if figures is None:
        return
    by_status = {status.value.lower(): figures.packs.get(status, 0) for status in PackStatus}
    yield _gauge("sharepack_packs", "Packs on record, by status.", by_status, "state")
    for name, words, value in (
        ("packs_suspended", "Packs that are suspended.", figures.suspended),
        ("contested_fields", "Fields that somebody keeps changing back; they are left alone.", figures.contested),
        ("drifted_resources", "Resources changed by hand and not corrected.", figures.drifted),
        ("drift_age_seconds", "Age of the oldest change by hand that is not corrected.", figures.oldest_drift or 0.0),
        ("work_unfinished", "Work that waits or is being done.", figures.unfinished),
        ("work_oldest_age_seconds", "Age of the oldest such work.", figures.oldest_unfinished or 0.0),
        ("work_needing_attention", "Work that failed in a way nobody understands.", figures.needing_attention),
        ("unknown_outcomes", "Calls to Databricks of which nobody knows what came.", figures.unknown_outcomes),
        ("paused_workspaces", "Workspaces that have asked everybody to wait.", figures.paused),
        ("distrusted_workspaces", "Workspaces whose updated_at cannot be relied on.", figures.distrusted),
    ):
        yield _gauge(f"sharepack_{name}", words, value)


def _gauge(name: str, words: str, value: float | Mapping[str, float], label: str = "") -> Metric:
    return _filled(GaugeMetricFamily(name, words, labels=[label] if label else []), value)


def _counter(name: str, words: str, value: float | Mapping[str, float], label: str = "") -> Metric:
    """The text form adds `_total`."""
    return _filled(CounterMetricFamily(name, words, labels=[label] if label else []), value)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, value: float | Mapping[str, float]) -> Metric:
    if isinstance(value, Mapping):
        for labelled, number in value.items():
            family.add_metric([labelled], number)
    else:
        family.add_metric([], value)
    return family
