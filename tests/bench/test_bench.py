"""The bench as people run it, in its quick form. Counts are exact everywhere; times are no business of a test."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.limits import apply_calls, apply_writes, new_plan_calls, unchanged_plan_calls
from tests.bench.rows import rows
from tests.bench.task import Kind

TOP = Path(__file__).parents[2]
QUICK = {row.kind: row.size for row in rows(quick=True)}


def test_the_quick_bench_makes_no_call_too_many(tmp_path: Path) -> None:
    """One test, because one run serves all of it: with pytest-xdist, tests that share a fixture each pay for it."""
    written = tmp_path / "new folder" / "results.json"
    options = ["--quick", "--runs", "1", "--json", str(written)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *options], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(written.read_text(encoding="utf-8"))
    found = {row["kind"]: row for row in results["rows"]}
    assert found.keys() == set(Kind)
    calls = {kind: (row["api_calls"], row["api_writes"]) for kind, row in found.items()}
    assert calls == {
        Kind.VALIDATE: (0, 0),
        Kind.PLAN_NEW: (new_plan_calls(QUICK[Kind.PLAN_NEW]), 0),
        Kind.PLAN_UNCHANGED: (unchanged_plan_calls(QUICK[Kind.PLAN_UNCHANGED]), 0),
        Kind.APPLY: (apply_calls(QUICK[Kind.APPLY]), apply_writes(QUICK[Kind.APPLY])),
    }
    assert found[Kind.VALIDATE]["sql_statements"] == 0
    assert found[Kind.APPLY]["sql_statements"] > 0
    for row in found.values():
        _check_measures(row)
        assert row["work"] in done.stdout
    assert results["machine"]["postgresql"]


def _check_measures(row: dict[str, Any]) -> None:
    assert row["seconds"] > 0
    assert row["cpu_seconds"] > 0
    assert row["peak_memory_mb"] >= row["memory_before_mb"] > 0
    assert (row["limit_seconds"] is None) == (row["kind"] == Kind.VALIDATE)
    assert (row["baseline_seconds"] is None) == (row["kind"] == Kind.APPLY)
