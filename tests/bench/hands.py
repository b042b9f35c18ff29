"""`python -m tests.bench.hands`: what `sharepack worker` does, opened and signed in before anything is measured, and
with its own measures told at its end. A Task on standard input, its first line; the end of the input ends it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from reconciler.core.encoding import Json
from reconciler.ports.ledger import WorkStatus
from reconciler.render.plan_json import plan_document
from reconciler.stages.submit import submit
from reconciler.stages.workers import Workforce
from tests.bench.applying import start, written_one_by_one
from tests.bench.controls import Controls
from tests.bench.meter import Statements, cpu_seconds, peak_megabytes
from tests.bench.ports import Planned, Ports
from tests.bench.task import Elsewhere, Task

_LOOK_EVERY = 0.02


class Working:
    """All packs by worker processes, from the moment the plan is submitted until the last pack is done."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = Controls(task.place)
        self._ports: Ports | None = None
        self._planned: Planned | None = None
        self._document: Json = {}
        self._workers: list[asyncio.subprocess.Process] = []

    async def prepare(self) -> None:
        await self.close()
        self._control.reset()
        self._control.latency(0)
        self._ports, self._planned = await start(self._task)
        self._document = plan_document(self._planned.plan)
        self._workers = [await self._hire() for _ in range(self._task.processes)]
        for worker in self._workers:
            await self._hear(worker)
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._ports is not None
        assert self._planned is not None
        ports = self._ports
        submission = await submit(self._planned.plan, self._document, ports.ledger, ports.doorbell, "bench")
        # One after another, so that looking is no work to speak of.
        for work_id in submission.work_ids:
            while not all(item.status.is_final for item in await ports.ledger.work([work_id])):
                await asyncio.sleep(_LOOK_EVERY)
        items = await ports.ledger.work(submission.work_ids)
        failed = [item for item in items if item.status is not WorkStatus.DONE]
        if failed or len(items) != self._task.size.packs:
            raise AssertionError(f"{len(items)} packs worked on, not done: {failed[:3]}")

    async def elsewhere(self) -> Elsewhere:
        """Of all workers together, which end by that."""
        told = [Elsewhere(**json.loads(await self._dismiss(worker))) for worker in self._workers]
        self._workers = []
        return Elsewhere(
            sum(each.cpu_seconds for each in told),
            sum(each.statements for each in told),
            sum(each.peak_mb for each in told),
        )

    async def close(self) -> None:
        for worker in self._workers:
            await self._dismiss(worker)
        self._workers = []
        if self._ports is not None:
            await self._ports.close()

    def yardsticks(self) -> dict[str, float]:
        assert self._planned is not None
        writes = written_one_by_one(self._task, self._planned.desired)["A writes"]
        return {"A": writes, "A writes": writes}

    async def _hire(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.hands", stdin=pipe, stdout=pipe, cwd=Path(__file__).parents[2]
        )
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(self._task.as_json()).encode() + b"\n")
        await worker.stdin.drain()
        return worker

    async def _hear(self, worker: asyncio.subprocess.Process) -> bytes:
        assert worker.stdout is not None
        line = await worker.stdout.readline()
        if not line:
            raise AssertionError("a worker process has ended before it was told to; its words are above")
        return line

    async def _dismiss(self, worker: asyncio.subprocess.Process) -> bytes:
        assert worker.stdin is not None
        worker.stdin.close()
        told = await self._hear(worker)
        await worker.wait()
        return told


@asynccontextmanager
async def _told_to_stop() -> AsyncIterator[asyncio.Event]:
    """Set at the end of standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), stop.set)
    try:
        yield stop
    finally:
        loop.remove_reader(sys.stdin.fileno())


async def _serve(task: Task, statements: Statements) -> Elsewhere:
    ports = await Ports.open(task, task.place.database)
    force = Workforce(ports.ledger, ports.platform, ports.doorbell, f"bench:{os.getpid()}", hands=task.hands)
    before = cpu_seconds(), statements.count
    print("ready", flush=True)
    async with _told_to_stop() as stop:
        await force.work_until(stop)
    await ports.close()
    return Elsewhere(cpu_seconds() - before[0], statements.count - before[1], peak_megabytes())


def main() -> None:
    task = Task.from_json(json.loads(sys.stdin.buffer.readline()))
    statements = Statements()
    with statements.counting():
        told = asyncio.run(_serve(task, statements))
    print(json.dumps(told.as_json()), flush=True)


if __name__ == "__main__":
    main()
