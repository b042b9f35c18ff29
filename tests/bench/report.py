"""Measurements as JSON for programs and as tables for people, which are made from the JSON. Measures nothing but the
machine."""

import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.rows import IN_FLIGHT, Row
from tests.bench.targets import verdicts
from tests.bench.task import Result

VERSION = 2
LEGEND = f"""\
n          runs; seconds and CPU s are their medians. A row stops early once its runs have taken long enough
seconds    without interpreter start, imports and sign-in, but for "plan 1 changed pack", which is the whole command
CPU s      of the measured processes and their children; those of sandbox and PostgreSQL are in the JSON
calls      requests the sandbox has counted in a run;  SQL: statements sent in it, BEGIN and COMMIT included
peak MB    most memory of the process, everything imported included; of several processes together
limit s    calls that cannot be avoided x latency / {IN_FLIGHT} requests in flight in each process, in all workspaces
           together (at least one in each); for an apply also the rounds of each pack's calls; for validate the C YAML
           loader + pydantic over the same files; for "plan 1 changed pack" one latency and the interpreter; for record
           COPY of the same rows; for a workbook openpyxl's read-only parse
of limit   limit / seconds
A s        baseline A: the same SDK calls one after another; for an apply its writes and the reads that verify them,
           for work off the writes alone
B s        baseline B: one GET for each share, recipient and grant list, ten in flight
B 15/s     baseline B at the 15 requests a second that the Terraform client holds itself to, computed
SDK s      the calls of A by the SDK and nothing else, {IN_FLIGHT} at a time: what it leaves of the limit
           Baselines are measured on some of the packs and scaled to all (baseline_packs in the JSON)."""


@dataclass(frozen=True, slots=True)
class Line:
    row: Row
    #: None: it failed.
    result: Result | None
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        row = self.row
        about = {
            "work": row.title,
            "kind": row.kind.value,
            "packs": row.size.packs,
            "changed_packs": row.changed_size.packs,
            "recipients_in_pack": row.size.recipients,
            "shares_in_pack": row.size.shares,
            "objects_in_share": row.size.objects,
            "rows": row.rows,
            "latency_ms": row.latency_ms,
            "workspaces": row.size.workspaces,
            "in_flight": row.in_flight * row.size.workspaces,
            "processes": row.processes,
            "error": self.error,
        }
        return about if self.result is None else about | self._measures(self.result)

    def _measures(self, result: Result) -> dict[str, Any]:
        last = result.runs[-1]
        limit = self.row.limit_seconds or result.yardsticks.get("limit")
        return {
            "seconds": round(result.seconds, 4),
            "runs": [round(run.seconds, 4) for run in result.runs],
            "cpu_seconds": round(result.cpu_seconds, 4),
            "api_calls": last.api_calls,
            "api_writes": last.api_writes,
            "api_calls_by_route": last.by_route,
            "api_calls_a_second": round(last.api_calls / result.seconds, 1),
            "sql_statements": last.statements,
            "memory_before_mb": round(result.memory_before_mb, 1),
            "peak_memory_mb": round(result.peak_memory_mb, 1),
            "limit_seconds": None if limit is None else round(limit, 4),
            "of_limit": None if limit is None else round(limit / result.seconds, 4),
            "baseline_packs": min(self.row.baseline_packs, self.row.size.packs),
            "yardsticks": {name: round(value, 4) for name, value in result.yardsticks.items()},
            "facts": {name: round(value, 2) for name, value in result.facts.items()},
        }


def machine(postgres: str) -> dict[str, Any]:
    """Before the first row: what is measured, and on what."""
    return {
        "commit": _commit(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "processor": _processor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "postgresql": postgres,
        "load_before": round(os.getloadavg()[0], 2),
    }


def document(lines: list[Line], about: dict[str, Any], at: datetime, seed: int) -> dict[str, Any]:
    rows = [line.as_json() for line in lines]
    return {
        "version": VERSION,
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "machine": about,
        "rows": rows,
        "targets": verdicts(rows),
    }


def show(console: Console, results: Mapping[str, Any]) -> None:
    console.print(heading(results), highlight=False, soft_wrap=True)
    console.print(_table(results))
    for row in results["rows"]:
        if row["error"]:
            words = f"\n{row['work']} failed: {row['error'].splitlines()[-1]}"
            console.print(words, highlight=False, markup=False, soft_wrap=True)
    console.print(f"\n{LEGEND}\n", highlight=False, soft_wrap=True)
    console.print(_targets(results))


def heading(results: Mapping[str, Any]) -> str:
    about = results["machine"]
    return (
        f"{datetime.fromisoformat(results['at']):%Y-%m-%d %H:%M} UTC, {about['cores']} cores ({about['processor']}), "
        f"{about['memory_gb']} GB, Python {about['python']}, PostgreSQL {about['postgresql']}, "
        f"load {about['load_before']} before, commit {about['commit'] or '-'}"
    )


def _table(results: Mapping[str, Any]) -> Table:
    table = Table("work", box=None, pad_edge=False, header_style="bold")
    for title in COLUMNS:
        table.add_column(title, justify="right", no_wrap=True)
    for row in results["rows"]:
        if row["error"]:
            table.add_row(row["work"], "failed")
        else:
            table.add_row(row["work"], *(cell(row) for cell in COLUMNS.values()))
    return table


def _targets(results: Mapping[str, Any]) -> Table:
    table = Table("target", box=None, pad_edge=False, header_style="bold")
    table.add_column("reached", justify="right")
    table.add_column("wanted")
    table.add_column("")
    for each in results["targets"]:
        wanted = f"{each['bound']} {each['wanted']:g}"
        table.add_row(each["target"], f"{each['reached']:g}", wanted, "met" if each["is_met"] else "NOT MET")
    return table


def _yardstick(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: shown(row["yardsticks"].get(name))


def _times(name: str) -> Callable[[Mapping[str, Any]], str]:
    def times(row: Mapping[str, Any]) -> str:
        seconds = row["yardsticks"].get(name)
        return "-" if seconds is None else f"{seconds / row['seconds']:.1f}"

    return times


def shown(value: float | None) -> str:
    """Three digits, or as many as there are before the point."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _count(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: f"{row[name]:,}" if row[name] else "-"


COLUMNS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "n": lambda row: str(len(row["runs"])),
    "seconds": lambda row: shown(row["seconds"]),
    "CPU s": lambda row: shown(row["cpu_seconds"]),
    "calls": _count("api_calls"),
    "SQL": _count("sql_statements"),
    "peak MB": lambda row: f"{row['peak_memory_mb']:.0f}",
    "limit s": lambda row: shown(row["limit_seconds"]),
    "of limit": lambda row: "-" if row["of_limit"] is None else f"{row['of_limit']:.2f}",
    "A s": _yardstick("A"),
    "x A": _times("A"),
    "B s": _yardstick("B"),
    "x B": _times("B"),
    "B 15/s": _yardstick("B throttled"),
    "SDK s": _yardstick("SDK"),
}


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    names = (
        line.partition(":")[2].strip()
        for line in (facts.read_text(encoding="utf-8").splitlines() if facts.exists() else ())
        if line.startswith("model name")
    )
    return next(names, platform.machine())


def _commit() -> str:
    """Of the program that was measured, with a + when its files differ from that; empty outside Git."""
    top = Path(__file__).parent
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()
