"""Planning and applying a repository of packs through the real ports: Git, PostgreSQL, the SDK, the sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.desired import Desired
from reconciler.core.key import PackId, recipient_key
from reconciler.core.pack import SharePack
from reconciler.core.plan import Plan
from reconciler.ports.pack_source import PackSource
from reconciler.render.plan_json import plan_document
from reconciler.render.plan_text import plan_text
from reconciler.sandbox import ControlClient
from reconciler.stages.apply import apply_plan
from reconciler.stages.plan import plan_packs
from reconciler.stages.read import packs_under, read_commit
from reconciler.stages.workers import Workforce
from tests.bench.database import copy_database, named
from tests.bench.scripted import Script
from tests.bench.task import Kind, Task

TOKEN = "dapi-bench"


@dataclass(frozen=True, slots=True)
class Ports:
    ledger: PostgresLedger
    platform: DatabricksPlatform
    doorbell: PostgresDoorbell
    source: PackSource
    clock: SystemClock = field(default_factory=SystemClock)

    @classmethod
    async def open(cls, task: Task) -> "Ports":
        dsn = named(task.admin_dsn, task.database)
        platform = DatabricksPlatform({"token": SecretStr(TOKEN)}, in_flight=task.in_flight, trusted_hosts=[task.url])
        source = pack_source(Path(task.repository) / "sharepacks")
        ports = cls(await PostgresLedger.open(dsn), platform, await PostgresDoorbell.open(dsn), source)
        # The SDK is imported (2 s) and signs in with the first question; that is not what is measured.
        await platform.observe([recipient_key("nobody", task.url)])
        return ports

    async def close(self) -> None:
        await self.doorbell.close()
        await self.platform.close()
        await self.ledger.close()


class Planning:
    """`sharepack plan` of everything, from the commit to the text: reads the packs and both other states."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = ControlClient(task.url)
        self._ports: Ports | None = None
        self._desired: Desired | None = None

    async def prepare(self) -> None:
        """A new plan: of an empty workspace and an empty database, once."""
        if self._ports is None:
            if self._task.kind is Kind.PLAN_NEW:
                self._control.reset()
                await copy_database(self._task.admin_dsn, self._task.template, self._task.database)
            self._ports = await Ports.open(self._task)
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._ports is not None
        self._desired, _, plan = await make_plan(self._task, self._ports)
        plan_text(plan)
        changes = sum(step.is_change for step in plan.steps)
        size = self._task.size
        expected = size.packs * (size.recipients + size.shares) if self._task.kind is Kind.PLAN_NEW else 0
        if changes != expected or plan.is_held:
            raise AssertionError(f"the plan has {changes} changes, not {expected}")

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def baseline(self) -> float:
        assert self._desired is not None
        script = Script(self._task.url, TOKEN)
        return script.read(_some(self._desired, self._task)) * self._task.size.packs / self._task.baseline_packs


class Applying:
    """The part of `sharepack apply` after the approval: submit, work, and the read that verifies."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = ControlClient(task.url)
        self._ports: Ports | None = None
        self._planned: tuple[Desired, frozenset[PackId], Plan] | None = None

    async def prepare(self) -> None:
        """An empty workspace, an empty database and a plan."""
        await self.close()
        self._control.reset()
        await copy_database(self._task.admin_dsn, self._task.template, self._task.database)
        self._ports = await Ports.open(self._task)
        self._planned = await make_plan(self._task, self._ports)
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._ports is not None
        assert self._planned is not None
        ports, (desired, scope, plan) = self._ports, self._planned
        force = Workforce(ports.ledger, ports.platform, ports.doorbell, "bench", hands=self._task.hands)
        applied = await apply_plan(
            plan,
            plan_document(plan),
            force,
            lambda: plan_packs(desired, scope, ports.source, ports.ledger, ports.platform, ports.clock),
            SystemClock(),
            "bench",
        )
        if applied.failed or not applied.is_converged:
            raise AssertionError(f"not converged: {applied.failed[:3]}")

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def baseline(self) -> float:
        """Leaves another workspace behind than the database knows; nothing else is measured on it."""
        assert self._planned is not None
        self._control.reset()
        script = Script(self._task.url, TOKEN)
        self._control.latency(self._task.latency_ms)
        packs = _some(self._planned[0], self._task)
        return script.write(packs) * self._task.size.packs / self._task.baseline_packs


async def make_plan(task: Task, ports: Ports) -> tuple[Desired, frozenset[PackId], Plan]:
    """As the command does it."""
    desired = await read_commit(ports.source, task.url)
    recorded = await ports.ledger.recorded([], await ports.ledger.all_packs())
    scope = packs_under([], desired, recorded.packs)
    return desired, scope, await plan_packs(desired, scope, ports.source, ports.ledger, ports.platform, ports.clock)


def _some(desired: Desired, task: Task) -> Sequence[SharePack]:
    return list(desired.packs.values())[: task.baseline_packs]
