"""The daemon's look for changes made by hand when there are none: ticks of its leader, whose clock is put forward until
every pack is due. Everything was read in full once before; of the looks that follow, those by lists are measured."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.adapters.clock import SystemClock
from reconciler.core.desired import Desired
from reconciler.daemon.leading import Following, Leading
from reconciler.render.plan_json import plan_document
from reconciler.stages.read import read_commit
from reconciler.stages.reconcile import Reconciler
from tests.bench.controls import Controls
from tests.bench.database import copy_database
from tests.bench.planning import refreshed
from tests.bench.ports import Ports
from tests.bench.task import Elsewhere, Task

#: Longer than the daemon waits between looks at a pack.
_LATER = timedelta(hours=1)
#: As often as it is looked by lists before everything is read in full again; no more runs than that are measured.
_FULL_EVERY = 100


@dataclass(slots=True)
class PutForward:
    """A clock that can be put forward."""

    _clock: SystemClock
    _ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def later(self) -> None:
        self._ahead += _LATER


class Watching:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = Controls(task.place)
        self._ports: Ports | None = None
        self._leading: Leading | None = None
        self._clock = PutForward(SystemClock())
        self._desired: Desired | None = None
        self._passes = 0

    async def prepare(self) -> None:
        if self._leading is None:
            self._control.latency(0)
            place = self._task.place
            await copy_database(place.admin_dsn, place.template, place.database)
            self._ports = ports = await Ports.open(self._task, place.database)
            self._desired = await read_commit(ports.source, place.urls[0])
            reconciler = Reconciler(
                ports.source, ports.ledger, ports.platform, ports.doorbell, self._clock, "bench", plan_document
            )
            following = Following(place.urls[0], revision="main", full_every=_FULL_EVERY)
            self._leading = Leading(reconciler, following, spread=lambda: 0.0, on_full_pass=self._passed)
            # What was made a moment ago, lists alone do not tell of.
            self._clock.later()
            await self.run()
        self._control.latency(self._task.latency_ms)
        self._clock.later()

    async def run(self) -> None:
        assert self._leading is not None
        before = self._passes
        await self._leading.tick()
        if self._passes != before + 1 or self._leading.unread:
            raise AssertionError("not every pack was looked at")

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None:
        if self._ports is not None:
            await self._ports.close()

    def yardsticks(self) -> dict[str, float]:
        assert self._desired is not None
        return refreshed(self._task, self._desired)

    def _passed(self) -> None:
        self._passes += 1
