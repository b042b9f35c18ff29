"""Applying in one process: packs that are all new, and a small change of packs that are there. From the approval on:
submit, work, and the read that verifies."""

from collections.abc import Collection
from itertools import islice

from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.render.plan_json import plan_document
from reconciler.stages.apply import apply_plan
from reconciler.stages.workers import Workforce
from tests.bench.controls import Controls
from tests.bench.database import copy_database
from tests.bench.generate import BRANCHES, packs
from tests.bench.planning import SDK_PACKS, some
from tests.bench.ports import TOKEN, Planned, Ports, make_plan, plan_again
from tests.bench.scripted import Script
from tests.bench.task import Elsewhere, Task


class Applying:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = Controls(task.place)
        self._ports: Ports | None = None
        self._planned: Planned | None = None

    async def prepare(self) -> None:
        """An empty workspace, an empty database and a plan."""
        await self.close()
        self._control.reset()
        self._ports, self._planned = await start(self._task)
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._ports is not None
        assert self._planned is not None
        await carry_out(self._task, self._ports, self._planned)

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def yardsticks(self) -> dict[str, float]:
        """Leaves another workspace behind than the database knows; nothing else is measured on it."""
        assert self._planned is not None
        return written_one_by_one(self._task, self._planned.desired)


class ApplyingSmall:
    """What the branch `ten` changes, planned and applied for the packs it changes. Once: it changes the world."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = Controls(task.place)
        self._ports: Ports | None = None
        self._planned: Planned | None = None

    async def prepare(self) -> None:
        place = self._task.place
        if self._ports is not None:
            raise AssertionError("this work can be done only once")
        await copy_database(place.admin_dsn, place.template, place.database)
        self._ports = await Ports.open(self._task, place.database)
        changed = [pack.path for pack in islice(packs(self._task.size, seed=1), BRANCHES["ten"].packs)]
        self._planned = await make_plan(self._task, self._ports, "ten", changed)
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._ports is not None
        assert self._planned is not None
        await carry_out(self._task, self._ports, self._planned)

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def yardsticks(self) -> dict[str, float]:
        return {}


async def start(task: Task) -> tuple[Ports, Planned]:
    await copy_database(task.place.admin_dsn, task.place.template, task.place.database)
    ports = await Ports.open(task, task.place.database)
    return ports, await make_plan(task, ports)


async def carry_out(task: Task, ports: Ports, planned: Planned) -> None:
    force = Workforce(ports.ledger, ports.platform, ports.doorbell, "bench", hands=task.hands)

    async def again(packs: Collection[PackId]) -> Plan:
        return await plan_again(planned.desired, frozenset(packs), ports)

    document = plan_document(planned.plan)
    applied = await apply_plan(planned.plan, document, force, again, ports.clock, "bench")
    if applied.failed or not applied.is_converged or not applied.work:
        raise AssertionError(f"not converged: {applied.failed[:3]}")


def written_one_by_one(task: Task, desired: Desired) -> dict[str, float]:
    """Baseline A: the writes, and the reads that verify them; and both as fast as the SDK can."""
    control = Controls(task.place)
    control.reset()
    control.latency(task.latency_ms)
    script, some_packs = Script(task.place.urls, TOKEN), some(desired, task)
    scale = task.size.packs / len(some_packs)
    writes = script.write(some_packs) * scale
    one_by_one = writes + script.read(some_packs) * scale
    control.reset()
    control.latency(task.latency_ms)
    more = list(desired.packs.values())[: SDK_PACKS * task.baseline_packs]
    at_once = script.write_and_read_at_once(more, task.in_flight * task.size.workspaces)
    return {"A": one_by_one, "A writes": writes, "SDK": at_once * task.size.packs / len(more)}
