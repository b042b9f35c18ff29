"""The worker process: real ports with a watch over each, and the product's own stages on them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
from pydantic import SecretStr

from reconciler.adapters.azure_queue.doorbell import AzureQueueDoorbell
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.git.storing import GitPackStore
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.desired import Desired
from reconciler.core.key import PackId, recipient_key
from reconciler.core.limits import Limits
from reconciler.core.permits import Caller, Right
from reconciler.core.plan import Plan
from reconciler.ports.doorbell import Doorbell
from reconciler.render.plan_json import plan_document
from reconciler.stages import workers
from reconciler.stages.apply import apply_plan
from reconciler.stages.events import Event, Waiting
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.read import packs_under, read_commit
from reconciler.stages.receive import Accepted, Handed, Receiving
from reconciler.stages.reconcile import Reconciler
from reconciler.stages.work import Ended, Performed
from reconciler.stages.workers import Workforce
from tests.faults.job import APPLY, FINISH, UPLOAD, Job, Report
from tests.faults.points import PREPARED, STATEMENT, Point, Watch, Watched, watched

TOKEN: Final = "dapi-faults"
NO_LIMITS: Final = Limits(per_pack=10_000, per_run=10_000, percent_per_pack=100, percent_per_run=100)
#: Seconds between looks for work that nobody rang for, and for what others have done.
SWEEP: Final = 0.1
LOOK: Final = 0.05

#: What asyncpg does for them; between the two, the server waits for a message in the middle of a statement.
_STEPS: Final = {PREPARED: "_get_statement", STATEMENT: "_execute"}

#: Says something to the test at once.
Tell: TypeAlias = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Worker:
    job: Job
    watch: Watch
    tell: Tell
    pool: asyncpg.Pool
    ledger: Watched
    platform: Watched
    doorbell: Watched
    inbox: Watched
    store: Watched
    events: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)

    def force(self) -> Workforce:
        return Workforce(
            self.ledger,
            self.platform,
            self.doorbell,
            self.job.name,
            on_event=self._told,
            hands=2,
            lease=self.job.lease,
            sweep_every=SWEEP,
            grace=0.0,
        )

    def _told(self, event: Event) -> None:
        match event:
            case Waiting(_, holder):
                detail = holder.worker
            case Ended(status=status):
                detail = status.value
            case Performed(call=call):
                detail = type(call).__name__
            case _:
                detail = ""
        self.events.append(f"{type(event).__name__} {detail}".rstrip())
        self.tell({"event": self.events[-1]})

    async def plan(self, *, is_wishing: bool = True) -> Plan:
        source = pack_source(Path(self.job.repository) / "sharepacks")
        desired: Desired = await read_commit(source, self.job.workspace, self.job.commit)
        on_record = await self.ledger.recorded([], await self.ledger.all_packs())
        scope = packs_under((), desired, on_record.packs)
        rotations = self.job.rotations if is_wishing else {}
        asked = {recipient_key(name, self.job.workspace): overlap for name, overlap in rotations.items()}
        wishes = Wishes(limits=NO_LIMITS, rotations=asked, grace=0.0)
        return await plan_packs(desired, scope, source, self.ledger, self.platform, SystemClock(), wishes)

    async def apply(self) -> list[tuple[str, str]]:
        chosen = await self.plan()

        async def again(packs: Collection[PackId]) -> Plan:
            plan = await self.plan(is_wishing=False)
            return replace(plan, packs=tuple(each for each in plan.packs if each.pack in packs))

        applied = await apply_plan(chosen, plan_document(chosen), self.force(), again, SystemClock(), "pat@example.com")
        self.outdated = sorted(map(str, applied.submission.outdated))
        return [(item.status.value, item.reason) for item in applied.work]

    async def hand_in(self) -> list[tuple[str, str]]:
        receiving = self._receiving()
        caller = Caller("key portal (a1b2c3d4)", Right.WRITE)
        answer = await receiving.receive(Handed("pack.yaml", self.job.upload.encode(), self.job.workspace, caller))
        assert isinstance(answer, Accepted), answer
        await receiving.finish(answer.upload)
        return await self.work()

    async def sweep(self) -> list[tuple[str, str]]:
        swept = await self._receiving().sweep(0)
        assert swept.waiting == {}, swept.waiting
        return await self.work()

    def _receiving(self) -> Receiving:
        source = pack_source(Path(self.job.repository) / "sharepacks")
        reconciler = Reconciler(
            source, self.ledger, self.platform, self.doorbell, SystemClock(), self.job.name, plan_document
        )
        wishes = Wishes(limits=NO_LIMITS, grace=0.0)
        where = self.job.workspace
        return Receiving(source, self.store, self.inbox, self.ledger, reconciler, where, wishes, 1_000_000)

    async def work(self) -> list[tuple[str, str]]:
        """As a daemon's worker: it is told of no work, it finds it."""
        stop = asyncio.Event()
        ending = asyncio.create_task(self._stop_when_all_ended(stop))
        await self.force().work_until(stop)
        return await ending

    async def _stop_when_all_ended(self, stop: asyncio.Event) -> list[tuple[str, str]]:
        """Past the watch: what the test wants to know is no point of the worker's."""
        pool = self.pool
        try:
            while await pool.fetchval("SELECT count(*) FROM reconciler.work WHERE finished_at IS NULL"):
                await asyncio.sleep(LOOK)
            await asyncio.sleep(self.job.linger)
            ended = await pool.fetch("SELECT status, reason FROM reconciler.work ORDER BY number")
        finally:
            stop.set()
        return [(row["status"], row["reason"]) for row in ended]


async def carry_out(job: Job, tell: Tell) -> Report:
    workers.LOOK_EVERY = LOOK  # type: ignore[misc]
    watch = Watch(job.strike, lambda point: tell({"struck": point.as_json()}))
    if job.strike is not None and job.strike.point is not None and job.strike.point.method in _STEPS:
        _watch_statements(watch, job.strike.point)
    async with _worker(job, watch, tell) as worker:
        tasks = {APPLY: worker.apply, UPLOAD: worker.hand_in, FINISH: worker.sweep}
        work = await tasks.get(job.task, worker.work)()
        points, watch.strike = list(watch.points), None
        left = left_to_do(await worker.plan(is_wishing=False)) if job.looks_again else []
    return Report(points, watch.raised, work, left, worker.events, worker.outdated)


def _watch_statements(watch: Watch, point: Point) -> None:
    """Also what is asked of a connection is a point then, most of it in the middle of a transaction."""
    step, _, words = point.label.partition(" ")
    run = getattr(asyncpg.Connection, _STEPS[step])

    async def watched_run(connection: asyncpg.Connection, query: str, *given: Any, **named: Any) -> Any:
        answer = await run(connection, query, *given, **named)
        if words in query:
            occurrence = watch.called(point.label)
            assert occurrence is not None
            watch.come_to(Point(point.label, occurrence, point.side))
        return answer

    setattr(asyncpg.Connection, _STEPS[step], watched_run)


@asynccontextmanager
async def _worker(job: Job, watch: Watch, tell: Tell) -> AsyncIterator[Worker]:
    ledger = await PostgresLedger.open(job.database_url, max_size=3, idle=job.idle)
    platform = DatabricksPlatform({"token": SecretStr(TOKEN)}, trusted_hosts=[job.workspace], clock=time.time)
    doorbell = await _doorbell(job)
    named = {
        "ledger": ledger,
        "platform": platform,
        "doorbell": doorbell,
        "inbox": ledger.portal().inbox,
        "store": GitPackStore(Path(job.repository) / "sharepacks"),
    }
    ports = {name: watched(name, port, watch) for name, port in named.items()}
    try:
        yield Worker(job, watch, tell, ledger._pool, **ports)
    finally:
        await doorbell.close()
        await platform.close()
        await ledger.close()


async def _doorbell(job: Job) -> Doorbell:
    if job.queue:
        return await AzureQueueDoorbell.open(job.queue, job.queue_name, visibility=job.visibility, poll=SWEEP)
    return await PostgresDoorbell.open(job.database_url)


def left_to_do(plan: Plan) -> list[str]:
    """What a second plan would do, write or hold: nothing of it may be left."""
    steps = [f"{step.key}: {step.verdict}" for step in plan.steps if step.is_work or step.is_held]
    rows = [f"{pack.pack}: the record is behind" for pack in plan.packs if pack.rows_behind]
    return [*steps, *rows, *map(str, plan.problems)]
