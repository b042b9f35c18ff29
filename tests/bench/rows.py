"""The rows of the table: which work on how many packs at which latency, and the fastest it could be."""

from dataclasses import dataclass

from tests.bench.generate import Size
from tests.bench.limits import Pace, apply_limit, new_plan_calls, reading_limit, unchanged_plan_calls
from tests.bench.task import Kind

IN_FLIGHT = 16


@dataclass(frozen=True, slots=True)
class Row:
    kind: Kind
    size: Size
    latency_ms: int = 0
    hands: int = 4
    #: None: as often as asked for.
    runs: int | None = None
    #: 0: without a baseline.
    baseline_packs: int = 20

    @property
    def title(self) -> str:
        packs = f"{self.size.packs:,} packs"
        match self.kind:
            case Kind.VALIDATE:
                return f"validate {packs}"
            case Kind.PLAN_NEW:
                return f"plan {packs}, all new, {self.latency_ms} ms"
            case Kind.PLAN_UNCHANGED:
                return f"plan {packs}, unchanged, {self.latency_ms} ms"
            case Kind.APPLY:
                return f"apply {packs}, {self.hands} at a time, {self.latency_ms} ms"

    @property
    def limit_seconds(self) -> float | None:
        """None where nothing is waited for."""
        pace = Pace(self.latency_ms / 1000, IN_FLIGHT, self.hands)
        if not self.latency_ms:
            return None
        match self.kind:
            case Kind.VALIDATE:
                return None
            case Kind.PLAN_NEW:
                return reading_limit(new_plan_calls(self.size), pace)
            case Kind.PLAN_UNCHANGED:
                return reading_limit(unchanged_plan_calls(self.size), pace)
            case Kind.APPLY:
                return apply_limit(self.size, pace)


def rows(*, quick: bool) -> tuple[Row, ...]:
    """In this order: an unchanged plan needs the workspace that the apply before it has made."""
    if quick:
        few = Size(4, objects=3)
        return (
            Row(Kind.VALIDATE, Size(20)),
            Row(Kind.PLAN_NEW, few, latency_ms=5, baseline_packs=2),
            Row(Kind.APPLY, few, latency_ms=5, baseline_packs=0, runs=1),
            Row(Kind.PLAN_UNCHANGED, few, latency_ms=5, baseline_packs=2),
        )
    many = Size(200)
    return (
        Row(Kind.VALIDATE, Size(1000)),
        Row(Kind.PLAN_NEW, many),
        Row(Kind.PLAN_NEW, many, latency_ms=50, runs=1),
        Row(Kind.APPLY, many, hands=16, runs=1, baseline_packs=0),
        Row(Kind.PLAN_UNCHANGED, many),
        Row(Kind.PLAN_UNCHANGED, many, latency_ms=50),
        Row(Kind.APPLY, Size(50), latency_ms=50),
        Row(Kind.APPLY, Size(50), latency_ms=50, hands=16),
    )
