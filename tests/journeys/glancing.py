"""Somebody who looks at packs as the daemon does, in full or by lists, and counts what Databricks was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field

from reconciler.core.glance import FULL_EVERY, Memory
from reconciler.core.key import PackId
from reconciler.render.plan_json import plan_document
from reconciler.sandbox import Sandbox
from reconciler.stages.glance import glance, learn
from reconciler.stages.reconcile import Passed, Reconciler
from tests.journeys.journey import Journey

HOUR = 3600


@dataclass
class Looking:
    journey: Journey
    memory: Memory = field(default_factory=Memory)
    full_every: int = FULL_EVERY
    #: Method and path below the API root of what the last look asked.
    asked: list[str] = field(default_factory=list)

    async def in_full(self) -> Passed:
        journey = self.journey
        desired = await journey.read()
        reconciler = Reconciler(
            journey.source, journey.ledger, journey.platform, journey.doorbell, journey.clock, "daemon", plan_document
        )
        passed = await reconciler.reconcile(desired, await journey.scope(desired), journey.wishes)
        self.memory = await learn(self.memory, passed.read, journey.ledger, lambda: 0.0, self.full_every)
        return passed

    async def by_lists(self) -> frozenset[PackId]:
        """The packs that are unchanged."""
        journey = self.journey
        journey.control.clear_log()
        scope = await journey.scope(await journey.read())
        glanced = await glance(self.memory, scope, journey.ledger, journey.platform, journey.clock)
        self.memory = glanced.memory
        prefix = "/api/2.1/unity-catalog"
        self.asked = [f"{each['method']} {each['path'].removeprefix(prefix)}" for each in journey.control.log()]
        return glanced.unchanged


async def looking(journey: Journey, *packs: str) -> Looking:
    """All is applied, and was read in full once. Databricks' clock is an hour behind, so that nothing seems young."""
    journey.control.advance_clock(-HOUR)
    for number, pack in enumerate(packs):
        journey.write(f"pack {number}.yaml", pack)
    journey.commit()
    await journey.converge()
    look = Looking(journey)
    await look.in_full()
    return look


@contextmanager
def undone(sandbox: Sandbox, look: Looking) -> Iterator[None]:
    """What is done in the sandbox meanwhile, and learned of it, is as if it had not been. Records do not change, only
    which there are; a state that was made anew and applied for each hand would cost a hundred times as much."""
    state = sandbox._world.state
    before, memory = {name: copy(value) for name, value in vars(state).items()}, look.memory
    yield
    vars(state).update(before)
    look.memory = memory


def a_pack(project: str, *, recipients: int = 2, shares: int = 2, kind: str = "type: D2O") -> str:
    """Every share holds two tables and is granted to every recipient."""
    name = project.lower()
    their = [f"{name}-r{number}" for number in range(recipients)]
    lines = [
        f'metadata: {{requestor: a@b.com, project_name: "{project}", business_line: "Line {project}"}}',
        "recipient:",
        *(f'  - {{name: {each}, {kind}, email: x@y.com, comment: "for {each}"}}' for each in their),
        "share:",
    ]
    for number in range(shares):
        lines += [
            f"  - name: {name}_s{number}",
            f"    comment: number {number}",
            f"    recipients: [{', '.join(their)}]",
            "    data_objects: [prod_catalog.sales.transactions, prod_catalog.sales.customers]",
        ]
    return "\n".join(lines) + "\n"
