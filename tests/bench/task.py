"""What a measuring process is asked to do and what it answers, both as JSON."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any, Self

from tests.bench.generate import Size


class Kind(StrEnum):
    VALIDATE = "validate"
    #: The command, as a process, in a pull request that changes one pack; what was parsed before is remembered.
    PLAN_ONE = "plan-one"
    #: The same, of a change that puts another table into a share.
    PLAN_ONE_TABLE = "plan-one-table"
    #: As the first, of a repository that was never seen.
    PLAN_ONE_COLD = "plan-one-cold"
    #: A plan of all packs when nothing exists yet.
    PLAN_NEW = "plan-new"
    #: A plan of all packs when all is as they say.
    PLAN_UNCHANGED = "plan-unchanged"
    #: The daemon's look for changes made by hand, when there are none.
    QUIET = "quiet"
    #: All packs, when nothing exists yet; in one process, verified.
    APPLY = "apply"
    #: The same by worker processes, from the moment it is submitted until the last pack is done.
    WORKERS = "workers"
    #: The packs that one commit changes a little, of many.
    APPLY_SMALL = "apply-small"
    RECORD = "record"
    EXCEL = "excel"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is measured."""

    #: Of the packs, checked out.
    repository: str
    #: Of the database `postgres`, from which databases are made.
    admin_dsn: str
    #: Name of the database to copy from: an empty one with all tables, or one in which everything is recorded.
    template: str
    #: Name of the database to work with.
    database: str
    #: Of the sandboxes, one for each workspace; none where none is needed.
    urls: tuple[str, ...] = ()
    #: Process ids.
    sandbox_process: int = 0
    postmaster: int = 0

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(**{**values, "urls": tuple(values["urls"])})


@dataclass(frozen=True, slots=True)
class Task:
    kind: Kind
    size: Size
    place: Place
    runs: int
    #: No further run is begun after so many seconds.
    enough_seconds: float = 1e9
    #: Packs that what the row is held against is measured on; its time is scaled to all of them.
    baseline_packs: int = 0
    latency_ms: int = 0
    #: In each workspace.
    in_flight: int = 16
    #: Packs worked on at the same time, in each process.
    hands: int = 16
    processes: int = 1
    #: Of a workbook, or versions to record.
    rows: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        kind, size, place = Kind(values["kind"]), Size(**values["size"]), Place.from_json(values["place"])
        return cls(**{**values, "kind": kind, "size": size, "place": place})


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The measures of work that other processes did."""

    cpu_seconds: float = 0.0
    statements: int = 0
    peak_mb: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_seconds: float
    statements: int = 0
    api_calls: int = 0
    api_writes: int = 0
    #: "METHOD route" → calls
    by_route: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    runs: tuple[Run, ...]
    #: Before the first run, with everything imported, and at the most.
    memory_before_mb: float
    peak_memory_mb: float
    #: What the row is held against, in seconds, for all packs; by name (`tests.bench.yardsticks`).
    yardsticks: dict[str, float] = field(default_factory=dict)
    #: Whatever else was found, such as CPU seconds of others, by name.
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        return median(run.cpu_seconds for run in self.runs)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(**{**values, "runs": tuple(Run(**run) for run in values["runs"])})
