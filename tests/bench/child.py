"""`python -m tests.bench.child`: one row, measured in a process of its own so that its peak memory is its own.

Reads a Task from standard input, writes a Result to standard output, both JSON. What is imported, opened and made
ready before a run is not measured."""

import asyncio
import gc
import json
import sys
from dataclasses import asdict
from typing import Any, Protocol, assert_never

from reconciler.sandbox import ControlClient
from tests.bench.meter import Instant, Statements, peak_megabytes
from tests.bench.task import Kind, Result, Run, Task


class Work(Protocol):
    async def prepare(self) -> None:
        """Before each run."""

    async def run(self) -> None:
        """What is measured. Raises AssertionError when it did not do its work."""

    async def close(self) -> None: ...

    def baseline(self) -> float:
        """After the runs: seconds that the baseline takes for all packs."""


def work_of(task: Task) -> Work:
    """Imports only what this work needs: its memory is measured too."""
    match task.kind:
        case Kind.VALIDATE:
            from tests.bench.validating import Validating  # noqa: PLC0415

            return Validating(task)
        case Kind.PLAN_NEW | Kind.PLAN_UNCHANGED:
            from tests.bench.reconciling import Planning  # noqa: PLC0415

            return Planning(task)
        case Kind.APPLY:
            from tests.bench.reconciling import Applying  # noqa: PLC0415

            return Applying(task)
        case _:
            assert_never(task.kind)


async def measure(task: Task, work: Work, statements: Statements) -> Result:
    control = ControlClient(task.url) if task.url else None
    runs = []
    before = 0.0
    for _ in range(task.runs):
        await work.prepare()
        gc.collect()
        if control is not None:
            control.clear_log()
        before = before or peak_megabytes()
        runs.append(await _measured(work, statements, control))
    peak = peak_megabytes()
    await work.close()
    return Result(tuple(runs), before, peak, work.baseline() if task.baseline_packs else None)


async def _measured(work: Work, statements: Statements, control: ControlClient | None) -> Run:
    counted, start = statements.count, Instant.now()
    await work.run()
    end = Instant.now()
    calls: dict[str, Any] = {"total": 0, "writes": 0, "by_route": {}} if control is None else control.counts()
    return Run(
        seconds=end.seconds - start.seconds,
        cpu_seconds=end.cpu_seconds - start.cpu_seconds,
        statements=statements.count - counted,
        api_calls=calls["total"],
        api_writes=calls["writes"],
        by_route=calls["by_route"],
    )


def main() -> None:
    task = Task.from_json(json.load(sys.stdin))
    statements = Statements()
    with statements.counting():
        result = asyncio.run(measure(task, work_of(task), statements))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
