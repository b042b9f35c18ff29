"""The bench as people run it, in its quick form. Counts are exact everywhere; times are no business of a test."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from tests.bench.__main__ import measured
from tests.bench.limits import (
    apply_calls,
    apply_writes,
    new_plan_calls,
    plan_one_calls,
    quiet_calls,
    small_apply_calls,
    small_apply_writes,
    unchanged_plan_calls,
)
from tests.bench.rows import rows
from tests.bench.task import Kind, Place
from tests.bench.world import World

TOP = Path(__file__).parents[2]
QUICK = {row.kind: row for row in rows(quick=True)}


def test_the_quick_bench_makes_no_call_too_many(tmp_path: Path) -> None:
    """One test, because one run serves all of it: with pytest-xdist, tests that share a fixture each pay for it."""
    written = tmp_path / "new folder" / "results.json"
    done = _bench("--quick", "--runs", "1", "--json", str(written))
    assert done.returncode == 0, done.stderr
    results = json.loads(written.read_text(encoding="utf-8"))
    found = {row["kind"]: row for row in results["rows"]}
    assert found.keys() == QUICK.keys()
    calls = {kind: (row["api_calls"], row["api_writes"]) for kind, row in found.items()}
    few, changed = QUICK[Kind.APPLY].size, QUICK[Kind.APPLY_SMALL].changed_size
    assert calls == {
        Kind.VALIDATE: (0, 0),
        Kind.EXCEL: (0, 0),
        Kind.RECORD: (0, 0),
        Kind.PLAN_ONE: (plan_one_calls(few), 0),
        Kind.PLAN_UNCHANGED: (unchanged_plan_calls(few), 0),
        Kind.QUIET: (quiet_calls(few), 0),
        Kind.PLAN_NEW: (new_plan_calls(few), 0),
        Kind.APPLY: (apply_calls(few), apply_writes(few)),
        Kind.WORKERS: (apply_writes(few), apply_writes(few)),
        Kind.APPLY_SMALL: (small_apply_calls(changed), small_apply_writes(changed)),
    }
    assert found[Kind.VALIDATE]["sql_statements"] == 0
    assert all(found[kind]["sql_statements"] > 0 for kind in (Kind.APPLY, Kind.WORKERS, Kind.PLAN_ONE))
    for row in found.values():
        _check_measures(row)
        assert row["work"] in done.stdout
    assert results["machine"]["postgresql"]
    assert results["targets"]


def test_a_row_that_fails_says_so() -> None:
    class NoWorld:
        def place(self, *_: object, **__: object) -> Place:
            raise RuntimeError("there is no place for it")

    line = measured(QUICK[Kind.VALIDATE], cast("World", NoWorld()), 1, 1.0, Console(file=io.StringIO()))
    assert line.result is None
    assert line.error == "there is no place for it"


def _bench(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *options], cwd=TOP, capture_output=True, text=True, check=False
    )


def _check_measures(row: dict[str, Any]) -> None:
    assert row["seconds"] > 0
    assert row["cpu_seconds"] > 0
    assert row["peak_memory_mb"] > 0
    assert row["memory_before_mb"] > 0
    assert row["limit_seconds"] > 0
    assert ("A" in row["yardsticks"]) == (row["kind"] in {"plan-new", "plan-unchanged", "apply", "workers"})
    assert ("SDK" in row["yardsticks"]) == (row["kind"] in {"plan-unchanged", "apply"})
    assert ("B" in row["yardsticks"]) == (row["kind"] in {"plan-unchanged", "quiet"})
