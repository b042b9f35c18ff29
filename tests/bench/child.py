"""`python -m tests.bench.child`: one row, measured in a process of its own so that its peak memory is its own.

Reads a Task from standard input, writes a Result to standard output, both JSON. What is imported, opened and made
ready before a run is not measured."""

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict
from typing import Protocol, assert_never

from tests.bench.controls import Controls
from tests.bench.meter import Instant, Statements, cpu_seconds_of, peak_megabytes
from tests.bench.task import Elsewhere, Kind, Place, Result, Run, Task


class Work(Protocol):
    async def prepare(self) -> None:
        """Before each run."""

    async def run(self) -> None:
        """What is measured. Raises AssertionError when it did not do its work."""

    async def elsewhere(self) -> Elsewhere:
        """After each run: what processes that are not its children, or are not waited for yet, did of it."""

    async def close(self) -> None: ...

    def yardsticks(self) -> dict[str, float]:
        """After the runs: seconds for all packs of what the work is held against, by name."""


def work_of(task: Task) -> Work:  # noqa: PLR0911 - one for each kind
    """Imports only what this work needs: its memory is measured too."""
    # ruff: noqa: PLC0415
    match task.kind:
        case Kind.VALIDATE:
            from tests.bench.validating import Validating

            return Validating(task)
        case Kind.PLAN_ONE | Kind.PLAN_ONE_TABLE | Kind.PLAN_ONE_COLD:
            from tests.bench.commanding import Commanding

            return Commanding(task)
        case Kind.PLAN_NEW | Kind.PLAN_UNCHANGED:
            from tests.bench.planning import Planning

            return Planning(task)
        case Kind.QUIET:
            from tests.bench.watching import Watching

            return Watching(task)
        case Kind.APPLY:
            from tests.bench.applying import Applying

            return Applying(task)
        case Kind.APPLY_SMALL:
            from tests.bench.applying import ApplyingSmall

            return ApplyingSmall(task)
        case Kind.WORKERS:
            from tests.bench.hands import Working

            return Working(task)
        case Kind.RECORD:
            from tests.bench.bulk import Recording

            return Recording(task)
        case Kind.EXCEL:
            from tests.bench.excel import Excel

            return Excel(task)
        case _:
            assert_never(task.kind)


async def measure(task: Task, work: Work, statements: Statements) -> Result:
    control = Controls(task.place)
    runs: list[Run] = []
    facts: dict[str, float] = {}
    memory = elsewhere = 0.0
    begun = time.monotonic()
    while len(runs) < task.runs and (not runs or time.monotonic() - begun < task.enough_seconds):
        await work.prepare()
        gc.collect()
        control.clear_log()
        memory = memory or peak_megabytes()
        others = _others(task.place)
        run, peak = await _measured(work, statements, control)
        runs.append(run)
        elsewhere = max(elsewhere, peak)
        facts = {name: now - others[name] for name, now in _others(task.place).items()}
    peak = elsewhere or peak_megabytes()
    await work.close()
    return Result(tuple(runs), memory, peak, work.yardsticks() if task.baseline_packs else {}, facts)


async def _measured(work: Work, statements: Statements, control: Controls) -> tuple[Run, float]:
    """Also the peak memory of other processes, if they did the work."""
    counted, start = statements.count, Instant.now()
    await work.run()
    end = Instant.now()
    elsewhere = await work.elsewhere()
    calls = control.counts()
    run = Run(
        seconds=end.seconds - start.seconds,
        cpu_seconds=end.cpu_seconds - start.cpu_seconds + elsewhere.cpu_seconds,
        statements=statements.count - counted + elsewhere.statements,
        api_calls=calls.total,
        api_writes=calls.writes,
        by_route=calls.by_route,
    )
    return run, elsewhere.peak_mb


def _others(place: Place) -> dict[str, float]:
    """CPU seconds of those that are asked."""
    if not place.urls:
        return {}
    return {
        "CPU s of the sandboxes": cpu_seconds_of(place.sandbox_process),
        "CPU s of PostgreSQL": cpu_seconds_of(place.postmaster, with_children=True),
    }


_LONG_RUNNING = {Kind.QUIET, Kind.WORKERS}


def main() -> None:
    task = Task.from_json(json.load(sys.stdin))
    statements = Statements()
    # As `reconciler.cli` has it, and its `session` for what runs until it is told to stop.
    gc.set_threshold(20_000 if task.kind in _LONG_RUNNING else 200_000)
    with statements.counting():
        result = asyncio.run(measure(task, work_of(task), statements))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
