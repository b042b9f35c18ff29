"""The daemon's look for changes made by hand when there are none: everything was looked at once before."""

from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.render.plan_json import plan_document
from reconciler.sandbox import ControlClient
from reconciler.stages.plan import Wishes
from reconciler.stages.read import packs_under, read_commit
from reconciler.stages.reconcile import Reconciler
from tests.bench.database import copy_database
from tests.bench.planning import refreshed
from tests.bench.ports import Ports
from tests.bench.task import Elsewhere, Task


class Watching:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = ControlClient(task.place.url)
        self._ports: Ports | None = None
        self._reconciler: Reconciler | None = None
        self._desired: Desired | None = None
        self._scope: frozenset[PackId] = frozenset()

    async def prepare(self) -> None:
        if self._ports is None:
            self._control.latency(0)
            place = self._task.place
            await copy_database(place.admin_dsn, place.template, place.database)
            self._ports = ports = await Ports.open(self._task, place.database)
            self._desired = await read_commit(ports.source, place.url)
            recorded = await ports.ledger.recorded([], await ports.ledger.all_packs())
            self._scope = packs_under([], self._desired, recorded.packs)
            self._reconciler = Reconciler(
                ports.source, ports.ledger, ports.platform, ports.doorbell, ports.clock, "bench", plan_document
            )
            await self.run()
        self._control.latency(self._task.latency_ms)

    async def run(self) -> None:
        assert self._reconciler is not None
        assert self._desired is not None
        passed = await self._reconciler.reconcile(self._desired, self._scope, Wishes())
        if passed.submission is not None or passed.quiet != self._scope:
            raise AssertionError(f"{len(self._scope) - len(passed.quiet)} packs are not as they should be")

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def yardsticks(self) -> dict[str, float]:
        assert self._desired is not None
        return refreshed(self._task, self._desired)
