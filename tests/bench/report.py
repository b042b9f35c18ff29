"""Measurements as a table for people and as JSON for programs. Measures nothing but the machine."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.rows import IN_FLIGHT, Row
from tests.bench.task import Kind, Result

VERSION = 1
LEGEND = f"""\
seconds    the median of the runs; interpreter start, imports and sign-in are not in it
CPU s      of the measured process and its children; sandbox and PostgreSQL are processes of their own
calls      requests the sandbox has counted
SQL        statements sent, BEGIN and COMMIT included
peak MB    most memory of the process, everything imported included
baseline   validate: C YAML loader + pydantic over the same files; else baseline A: the same SDK calls one after another
           (the writes alone for an apply), measured on some packs and scaled to all
x faster   baseline / seconds
limit s    calls x latency / {IN_FLIGHT} requests in flight; for an apply also each pack's own order of calls
of limit   limit / seconds"""


@dataclass(frozen=True, slots=True)
class Line:
    row: Row
    result: Result

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.result.runs)

    def as_json(self) -> dict[str, Any]:
        result, row = self.result, self.row
        last = result.runs[-1]
        return {
            "work": row.title,
            "kind": row.kind.value,
            "packs": row.size.packs,
            "recipients_in_pack": row.size.recipients,
            "shares_in_pack": row.size.shares,
            "objects_in_share": row.size.objects,
            "latency_ms": row.latency_ms,
            "in_flight": IN_FLIGHT,
            "hands": row.hands if row.kind is Kind.APPLY else None,
            "seconds": round(self.seconds, 4),
            "runs": [round(run.seconds, 4) for run in result.runs],
            "cpu_seconds": round(median(run.cpu_seconds for run in result.runs), 4),
            "api_calls": last.api_calls,
            "api_writes": last.api_writes,
            "api_calls_by_route": last.by_route,
            "sql_statements": int(median(run.statements for run in result.runs)),
            "memory_before_mb": round(result.memory_before_mb, 1),
            "peak_memory_mb": round(result.peak_memory_mb, 1),
            "baseline_seconds": _rounded(result.baseline_seconds),
            "baseline_packs": row.baseline_packs if row.kind is not Kind.VALIDATE else row.size.packs,
            "times_faster": _rounded(self.times_faster),
            "limit_seconds": _rounded(row.limit_seconds),
            "of_limit": _rounded(self.of_limit),
        }

    @property
    def times_faster(self) -> float | None:
        return None if self.result.baseline_seconds is None else self.result.baseline_seconds / self.seconds

    @property
    def of_limit(self) -> float | None:
        return None if self.row.limit_seconds is None else self.row.limit_seconds / self.seconds


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
    return {
        "version": VERSION,
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "machine": about,
        "rows": [line.as_json() for line in lines],
    }


def show(console: Console, lines: list[Line], about: dict[str, Any], at: datetime) -> None:
    facts = (
        f"{about['cores']} cores ({about['processor']}), {about['memory_gb']} GB, Python {about['python']}, "
        f"PostgreSQL {about['postgresql']}, load {about['load_before']} before, commit {about['commit'] or '-'}"
    )
    console.print(f"{at:%Y-%m-%d %H:%M} UTC, {facts}", highlight=False, soft_wrap=True)
    table = Table("work", box=None, pad_edge=False, header_style="bold")
    for title in ("seconds", "CPU s", "calls", "SQL", "peak MB", "baseline s", "x faster", "limit s", "of limit"):
        table.add_column(title, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(line.row.title, *_cells(line))
    console.print(table)
    console.print(f"\n{LEGEND}", highlight=False, soft_wrap=True)


def _cells(line: Line) -> list[str]:
    values = line.as_json()
    calls = f"{values['api_calls']:,}" if line.row.kind is not Kind.VALIDATE else "-"
    return [
        f"{line.seconds:.2f}",
        f"{values['cpu_seconds']:.2f}",
        calls,
        f"{values['sql_statements']:,}",
        f"{values['peak_memory_mb']:.0f}",
        _shown(values["baseline_seconds"], "{:.2f}"),
        _shown(line.times_faster, "{:.1f}"),
        _shown(values["limit_seconds"], "{:.2f}"),
        _shown(line.of_limit, "{:.2f}"),
    ]


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


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
