"""What the program is to reach, as ratios within one run, and what it has reached. Reads the JSON of the rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.generate import Size
from tests.bench.limits import apply_calls, plan_one_calls, small_apply_calls, unchanged_plan_calls
from tests.bench.task import Kind

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    target: str
    #: `at most` or `at least`.
    bound: str
    wanted: float
    reached: float

    @property
    def is_met(self) -> bool:
        return self.reached <= self.wanted if self.bound == "at most" else self.reached >= self.wanted


def verdicts(rows: Sequence[Json]) -> list[dict[str, Any]]:
    """Of the rows that were measured; what a row that failed was to show is not there."""
    good = [row for row in rows if not row["error"]]
    found = [verdict for judge in _JUDGES for row in good if (verdict := judge(row, good)) is not None]
    return [{**asdict(each), "reached": round(each.reached, 3), "is_met": each.is_met} for each in found]


def _most(words: str, wanted: float, reached: float) -> Verdict:
    return Verdict(words, "at most", wanted, reached)


def _least(words: str, wanted: float, reached: float) -> Verdict:
    return Verdict(words, "at least", wanted, reached)


def _of(row: Json, kind: Kind) -> bool:
    return bool(row["kind"] == kind)


def _smallest(rows: Sequence[Json], row: Json) -> Json | None:
    """The same work on the fewest packs; None for that one itself."""
    same = [each for each in rows if (each["kind"], each["latency_ms"]) == (row["kind"], row["latency_ms"])]
    least = min(same, key=lambda each: int(each["packs"]))
    return None if least is row else least


def _is_most(rows: Sequence[Json], row: Json) -> bool:
    return all(each["packs"] <= row["packs"] for each in rows if each["kind"] == row["kind"])


def _bare_parse(row: Json, rows: Sequence[Json]) -> Verdict | None:
    if not _of(row, Kind.VALIDATE) or not _is_most(rows, row):
        return None
    return _most(f"{row['work']}: x the bare parse", 2.0, row["seconds"] / row["limit_seconds"])


def _memory(row: Json, rows: Sequence[Json]) -> Verdict | None:
    middle = [each for each in rows if _of(each, Kind.VALIDATE) and each["packs"] == 1000]
    if not _of(row, Kind.VALIDATE) or row["packs"] <= 1000 or not middle:
        return None
    return _most(
        f"{row['work']}: x the memory per pack of 1,000", 1.2, memory_per_pack(row) / memory_per_pack(middle[0])
    )


def memory_per_pack(row: Json) -> float:
    """Kilobytes."""
    return float(row["peak_memory_mb"] - row["memory_before_mb"]) * 1024 / int(row["packs"])


def _plan_one_calls(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    if not _of(row, Kind.PLAN_ONE):
        return None
    return _most(f"{row['work']}: API calls", plan_one_calls(_size(row)), row["api_calls"])


def _plan_one_growth(row: Json, rows: Sequence[Json]) -> Verdict | None:
    least = _smallest(rows, row)
    if not _of(row, Kind.PLAN_ONE) or least is None:
        return None
    words = f"{row['work']}: x the seconds of {least['packs']:,} packs"
    return _most(words, 1.5, row["seconds"] / least["seconds"])


def _plan_one_seconds(row: Json, rows: Sequence[Json]) -> Verdict | None:
    if not _of(row, Kind.PLAN_ONE) or not _is_most(rows, row) or not row["latency_ms"]:
        return None
    spent = row["seconds"] - row["yardsticks"]["interpreter"]
    return _most(f"{row['work']}: API latencies beside interpreter start", 25.0, spent * 1000 / row["latency_ms"])


def _of_limit(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    is_judged = (row["kind"], row["packs"]) in {(Kind.PLAN_UNCHANGED, 1000), (Kind.APPLY, 200), (Kind.WORKERS, 200)}
    if not is_judged or row["of_limit"] is None:
        return None
    return _least(f"{row['work']}: of the limit", 0.8, row["of_limit"])


def _one_by_one(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    is_judged = (row["kind"], row["packs"]) in {(Kind.PLAN_UNCHANGED, 1000), (Kind.APPLY, 200)}
    if not is_judged or not row["latency_ms"]:
        return None
    return _least(f"{row['work']}: x as fast as baseline A", 10.0, row["yardsticks"]["A"] / row["seconds"])


def _refresh(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    if (row["kind"], row["packs"]) != (Kind.PLAN_UNCHANGED, 1000) or not row["latency_ms"]:
        return None
    return _least(f"{row['work']}: x as fast as baseline B", 1.0, row["yardsticks"]["B"] / row["seconds"])


def _quiet(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    if not _of(row, Kind.QUIET):
        return None
    return _most(
        f"{row['work']}: of the calls of baseline B", 0.55, row["api_calls"] / unchanged_plan_calls(_size(row))
    )


def _processes(row: Json, rows: Sequence[Json]) -> Verdict | None:
    alone = [
        each
        for each in rows
        if _of(each, Kind.WORKERS) and each["processes"] == 1 and each["latency_ms"] == row["latency_ms"]
    ]
    if not _of(row, Kind.WORKERS) or row["processes"] == 1 or not alone or not row["latency_ms"]:
        return None
    words = f"{row['work']}: x as fast as 1 process, of {row['processes']}"
    return _least(words, 0.8 * row["processes"], alone[0]["seconds"] / row["seconds"])


def _apply_calls(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    if _of(row, Kind.APPLY):
        return _most(f"{row['work']}: x the fewest API calls", 1.0, row["api_calls"] / apply_calls(_size(row)))
    if _of(row, Kind.APPLY_SMALL):
        fewest = small_apply_calls(_size(row, "changed_packs"))
        return _most(f"{row['work']}: x the fewest API calls", 1.0, row["api_calls"] / fewest)
    return None


def _copy(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    if not _of(row, Kind.RECORD):
        return None
    return _most(f"{row['work']}: x COPY of the same rows", 3.0, row["seconds"] / row["limit_seconds"])


def _excel(row: Json, _rows: Sequence[Json]) -> Verdict | None:
    if not _of(row, Kind.EXCEL):
        return None
    return _most(f"{row['work']}: x openpyxl's read-only parse", 1.5, row["seconds"] / row["limit_seconds"])


def _size(row: Json, packs: str = "packs") -> Size:
    return Size(row[packs], row["recipients_in_pack"], row["shares_in_pack"], row["objects_in_share"])


_JUDGES: tuple[Callable[[Json, Sequence[Json]], Verdict | None], ...] = (
    _bare_parse,
    _memory,
    _plan_one_calls,
    _plan_one_growth,
    _plan_one_seconds,
    _of_limit,
    _one_by_one,
    _refresh,
    _quiet,
    _processes,
    _apply_calls,
    _copy,
    _excel,
)
