"""The rows of the table: which work on how many packs at which latency, and the fastest it could be."""

from dataclasses import dataclass, replace

from tests.bench.generate import BRANCHES, Size
from tests.bench.limits import (
    Pace,
    apply_limit,
    new_plan_calls,
    quiet_limit,
    reading_limit,
    small_apply_calls,
    unchanged_plan_calls,
    work_limit,
)
from tests.bench.task import Kind

#: Requests under way at the same time, in all workspaces together.
IN_FLIGHT = 16
#: No further run of a row is begun after so many seconds, unless all of its runs are asked for.
ENOUGH_SECONDS = 100.0

_EMPTY = frozenset({Kind.PLAN_NEW, Kind.APPLY, Kind.WORKERS})
_WITHOUT_SANDBOX = frozenset({Kind.VALIDATE, Kind.RECORD, Kind.EXCEL})
_TITLES = {
    Kind.VALIDATE: "validate {packs}",
    Kind.PLAN_ONE: "plan 1 changed pack of {packs}, {latency} ms, known",
    Kind.PLAN_ONE_TABLE: "plan 1 changed pack of {packs}, {latency} ms, a new table",
    Kind.PLAN_ONE_COLD: "plan 1 changed pack of {packs}, {latency} ms, never seen",
    Kind.PLAN_NEW: "plan {packs}, all new, {latency} ms",
    Kind.PLAN_UNCHANGED: "plan {packs}, unchanged, {latency} ms",
    Kind.QUIET: "quiet drift pass, {packs}, {latency} ms",
    Kind.APPLY: "apply {packs}, {latency} ms",
    Kind.WORKERS: "work off {packs}, {latency} ms, {processes}",
    Kind.APPLY_SMALL: "apply a change of {changed}, {latency} ms",
    Kind.RECORD: "record {rows} versions of shares",
    Kind.EXCEL: "read a workbook of {rows} rows",
}


@dataclass(frozen=True, slots=True)
class Row:
    kind: Kind
    size: Size
    latency_ms: int = 0
    processes: int = 1
    #: Packs that the baselines are measured on, and scaled; 0: without baselines.
    baseline_packs: int = 50
    #: It can be done only once, because it changes the world.
    once: bool = False
    #: It takes minutes: one run, unless all runs of everything are asked for.
    long: bool = False
    #: Left out unless all runs of everything are asked for.
    patient: bool = False
    #: Of a workbook, or versions to record.
    rows: int = 0

    @property
    def title(self) -> str:
        return _TITLES[self.kind].format(
            packs=f"{self.size.packs:,} packs",
            latency=self.latency_ms,
            processes="1 process" if self.processes == 1 else f"{self.processes} processes",
            changed=f"{self.changed_size.packs} packs",
            rows=f"{self.rows:,}",
        )

    @property
    def is_filled(self) -> bool:
        """Whether everything is as the packs say before it begins."""
        return self.kind not in _EMPTY

    @property
    def has_sandbox(self) -> bool:
        return self.kind not in _WITHOUT_SANDBOX

    @property
    def in_flight(self) -> int:
        """In each workspace, so that they are together as many as may be, or one each."""
        return max(IN_FLIGHT // self.size.workspaces, 1)

    @property
    def limit_seconds(self) -> float | None:
        """None where nothing is waited for, or where the limit is measured."""
        if not self.latency_ms:
            return None
        in_flight = self.in_flight * self.size.workspaces
        pace = Pace(self.latency_ms / 1000, in_flight, IN_FLIGHT, self.processes)
        limits = {
            Kind.PLAN_NEW: reading_limit(new_plan_calls(self.size), pace),
            Kind.QUIET: quiet_limit(self.size, pace),
            Kind.PLAN_UNCHANGED: reading_limit(unchanged_plan_calls(self.size), pace),
            Kind.APPLY: apply_limit(self.size, pace),
            Kind.WORKERS: work_limit(self.size, pace),
            Kind.APPLY_SMALL: reading_limit(small_apply_calls(self.changed_size), pace),
        }
        return limits.get(self.kind)

    @property
    def changed_size(self) -> Size:
        return replace(self.size, packs=min(BRANCHES["ten"].packs, self.size.packs))


def rows(*, quick: bool, full: bool = False) -> tuple[Row, ...]:
    """A small change comes after all that wants its world unchanged."""
    return _quick() if quick else tuple(row for row in _all() if full or not row.patient)


def _all() -> tuple[Row, ...]:
    few, many, most = Size(100), Size(1000), Size(10_000)
    sizes = (few, many, most)
    return (
        *(Row(Kind.VALIDATE, size) for size in sizes),
        Row(Kind.EXCEL, few, rows=2000),
        Row(Kind.RECORD, few, rows=50_000),
        *(Row(kind, size, 50) for size in sizes for kind in (Kind.PLAN_ONE, Kind.PLAN_ONE_COLD)),
        Row(Kind.PLAN_ONE_TABLE, most, 50),
        *(Row(Kind.PLAN_UNCHANGED, size, 0, long=size is most, patient=size is most) for size in sizes),
        *(Row(Kind.PLAN_UNCHANGED, size, 50, long=size is most) for size in sizes),
        *(Row(Kind.QUIET, size, 50, long=size is most) for size in sizes),
        *(Row(Kind.PLAN_NEW, size, 50, baseline_packs=10, long=size is many) for size in (few, many)),
        *(Row(Kind.APPLY, few, latency, baseline_packs=20, patient=not latency) for latency in (0, 50)),
        *(Row(Kind.APPLY, Size(200), latency, baseline_packs=20) for latency in (0, 50)),
        *(Row(Kind.WORKERS, Size(200), 0, processes, baseline_packs=0) for processes in (1, 4)),
        *(Row(Kind.WORKERS, Size(200), 50, processes, baseline_packs=20) for processes in (1, 4)),
        Row(Kind.APPLY_SMALL, few, 50, once=True, baseline_packs=0),
    )


def _quick() -> tuple[Row, ...]:
    few = Size(4, objects=3)
    return (
        Row(Kind.VALIDATE, few),
        Row(Kind.EXCEL, few, rows=20),
        Row(Kind.RECORD, few, rows=50),
        Row(Kind.PLAN_ONE, few, 5),
        Row(Kind.PLAN_UNCHANGED, few, 5, baseline_packs=2),
        Row(Kind.QUIET, few, 5, baseline_packs=2),
        Row(Kind.PLAN_NEW, few, 5, baseline_packs=2),
        Row(Kind.APPLY, few, 5, baseline_packs=1),
        Row(Kind.WORKERS, few, 5, processes=2, baseline_packs=1),
        Row(Kind.APPLY_SMALL, few, 5, once=True, baseline_packs=0),
    )
