"""Plans of a whole repository of packs: of what is new, and of what is as the packs say."""

from collections.abc import Sequence

from reconciler.core.desired import Desired
from reconciler.core.pack import SharePack
from reconciler.render.plan_text import plan_text
from tests.bench.controls import Controls
from tests.bench.database import copy_database
from tests.bench.limits import throttled, unchanged_plan_calls
from tests.bench.ports import TOKEN, Planned, Ports, make_plan
from tests.bench.scripted import Script
from tests.bench.task import Elsewhere, Kind, Task

#: Times as many packs as other baselines are measured on: at the beginning and at the end not all threads have work.
SDK_PACKS = 4


class Planning:
    """`sharepack plan` of everything, from the commit to the text: reads the packs and both other states."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = Controls(task.place)
        self._ports: Ports | None = None
        self._planned: Planned | None = None

    async def prepare(self) -> None:
        """A plan changes nothing, so the first run's world is that of all."""
        if self._ports is None:
            place = self._task.place
            if self._task.kind is Kind.PLAN_NEW:
                self._control.reset()
                await copy_database(place.admin_dsn, place.template, place.database)
            is_new = self._task.kind is Kind.PLAN_NEW
            self._ports = await Ports.open(self._task, place.database if is_new else place.template)
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._ports is not None
        self._planned = await make_plan(self._task, self._ports)
        plan = self._planned.plan
        plan_text(plan)
        changes = sum(step.is_change for step in plan.steps)
        expected = self._task.size.resources if self._task.kind is Kind.PLAN_NEW else 0
        if changes != expected or plan.is_held or any(pack.rows_behind for pack in plan.packs if not expected):
            raise AssertionError(f"the plan has {changes} changes, not {expected}")

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def yardsticks(self) -> dict[str, float]:
        assert self._planned is not None
        found = read_one_by_one(self._task, self._planned.desired)
        if self._task.kind is Kind.PLAN_NEW:
            return found
        return found | refreshed(self._task, self._planned.desired) | by_the_sdk(self._task, self._planned.desired)


def read_one_by_one(task: Task, desired: Desired) -> dict[str, float]:
    """Baseline A."""
    return {"A": Script(task.place.urls, TOKEN).read(some(desired, task)) * _scale(task)}


def refreshed(task: Task, desired: Desired) -> dict[str, float]:
    """Baseline B, as fast as it goes and at the pace it holds itself to."""
    seconds = Script(task.place.urls, TOKEN).refresh(some(desired, task)) * _scale(task)
    return {"B": seconds, "B throttled": throttled(seconds, unchanged_plan_calls(task.size))}


def by_the_sdk(task: Task, desired: Desired) -> dict[str, float]:
    packs = list(desired.packs.values())[: SDK_PACKS * task.baseline_packs]
    seconds = Script(task.place.urls, TOKEN).refresh_at_once(packs, task.in_flight * task.size.workspaces)
    return {"SDK": seconds * task.size.packs / len(packs)}


def some(desired: Desired, task: Task) -> Sequence[SharePack]:
    return list(desired.packs.values())[: task.baseline_packs]


def _scale(task: Task) -> float:
    return task.size.packs / task.baseline_packs
