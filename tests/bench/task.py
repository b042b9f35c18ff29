"""What a measuring process is asked to do and what it answers, both as JSON."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from tests.bench.generate import Size


class Kind(StrEnum):
    VALIDATE = "validate"
    #: A plan when nothing exists yet.
    PLAN_NEW = "plan-new"
    #: A plan when all is as the packs say.
    PLAN_UNCHANGED = "plan-unchanged"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Task:
    kind: Kind
    size: Size
    repository: str
    runs: int
    #: Packs the baseline is measured on; its time is scaled to all of them.
    baseline_packs: int
    #: Of the sandbox.
    url: str = ""
    #: Of the database `postgres`, from which databases are made.
    admin_dsn: str = ""
    #: Name of an empty database with all tables, to copy from.
    template: str = ""
    #: Name of the database to work with.
    database: str = ""
    latency_ms: int = 0
    in_flight: int = 16
    hands: int = 4

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(**{**values, "kind": Kind(values["kind"]), "size": Size(**values["size"])})


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_seconds: float
    statements: int
    api_calls: int
    api_writes: int
    #: "METHOD route" → calls
    by_route: dict[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    runs: tuple[Run, ...]
    #: Before the first run, with everything imported, and at the most.
    memory_before_mb: float
    peak_memory_mb: float
    #: For all packs; None when there is no baseline.
    baseline_seconds: float | None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(**{**values, "runs": tuple(Run(**run) for run in values["runs"])})
