"""The daemon as a process: it leads when nobody else does, works, tells how it is, and ends in order. What a leader
does is `daemon.leading`'s business."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from loguru import logger

from reconciler.daemon.health import Condition, Part, Readiness
from reconciler.daemon.leading import Following, Leading
from reconciler.daemon.logs import Telling
from reconciler.daemon.metrics import Metrics
from reconciler.daemon.pull_requests import PullRequestWatch
from reconciler.ports import ledger as ledgers
from reconciler.ports.doorbell import DoorbellUnavailableError
from reconciler.ports.ledger import LedgerError
from reconciler.ports.pack_source import PackSourceError
from reconciler.stages.events import Event, Waiting
from reconciler.stages.fault import fault_words
from reconciler.stages.reconcile import Reconciler
from reconciler.stages.tell import Teller
from reconciler.stages.work import Ended
from reconciler.stages.workers import Workforce
from reconciler.wiring import Ports

#: Seconds between looks at who leads; a leader that is not heard of for a few of these loses the lead.
LEAD_EVERY: Final = 3.0
#: Seconds between signs of life in the database.
BEAT_EVERY: Final = 30.0
#: Seconds a tick may take before the process counts as stuck. A pass over very many packs takes minutes.
STUCK_AFTER: Final = 1800.0
#: Seconds until the next try after one that failed; the last one repeats.
_AFTER_TROUBLE: Final = (2.0, 5.0, 15.0, 60.0)
#: Seconds that an answer to "is the queue there" stands.
_QUEUE_KNOWN_FOR: Final = 30.0
#: Seconds waited for a change of the folder before it is asked for anew; whoever waits is woken before.
_WATCH: Final = 3600.0


@dataclass(slots=True)
class DaemonProcess:
    """`run` it once."""

    ports: Ports
    reconciler: Reconciler
    following: Following
    name: str
    #: None: the work is left to worker processes.
    force: Workforce | None
    metrics: Metrics = field(default_factory=Metrics)
    #: None: pull requests are not this daemon's business.
    watch: PullRequestWatch | None = None
    #: Finds what was approved in pull requests, and tells them.
    teller: Teller | None = None
    #: A tick that ended, for whoever wants to know.
    on_tick: Callable[[Leading], None] = lambda _: None
    _leading: Leading | None = None
    _leads: bool = False
    _is_stopping: bool = False
    _ticking_since: float | None = None
    _full_pass_at: datetime | None = None
    _trouble: int = 0
    _database: Part = field(default_factory=Part)
    _queue: Part = field(default_factory=Part)
    _queue_asked_at: float = float("-inf")
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then what is under way ends, within the seconds that workers get for it."""
        if self.force is not None:
            telling = Telling(worker=self.force.name)
            self.force.on_event = lambda event: self._heard(event, telling)
        tasks: list[Coroutine[object, object, None]] = [self._stay_in_touch(stop), self._lead(stop), self._end(stop)]
        if self.force is not None:
            tasks.append(self.force.work_until(stop))
        if self.watch is not None:
            tasks.append(self._review(stop, self.watch))
        running = [asyncio.create_task(each) for each in tasks]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            stop.set()
            ended = await asyncio.gather(*running, return_exceptions=True)
            await self.ports.leadership.resign()
        for failure in ended:
            if isinstance(failure, BaseException):
                raise failure

    async def _end(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._is_stopping = True
        logger.info("Told to stop; what is under way ends first")
        self._stirred.set()

    async def _stay_in_touch(self, stop: asyncio.Event) -> None:
        """Keeps the lead or tries to take it, and says in the database that this daemon is there."""
        beat_at = float("-inf")
        while not stop.is_set():
            leads = await self.ports.leadership.holds()
            if leads != self._leads:
                logger.info("This daemon leads now" if leads else "Another daemon leads, or the database is away")
                beat_at = float("-inf")
                self._leads = self.metrics.is_leader = leads
                self._stirred.set()
            if time.monotonic() - beat_at >= BEAT_EVERY:
                beat_at = time.monotonic()
                await self._beat()
            await _either(stop.wait(), seconds=LEAD_EVERY)

    async def _beat(self) -> None:
        leading = self._leading
        told = ledgers.Daemon(
            self.name,
            self._leads,
            datetime.now(UTC),
            self._full_pass_at,
            "" if leading is None else leading.commit,
            "" if leading is None else leading.source_failure,
        )
        try:
            await self.ports.ledger.heard_of(told)
            self._database = Part()
        except LedgerError as error:
            self._database = Part(Condition.DOWN, str(error))

    async def _lead(self, stop: asyncio.Event) -> None:
        watching: asyncio.Task[None] | None = None
        while not stop.is_set():
            # What stirs from here on is not slept through.
            self._stirred.clear()
            wait = LEAD_EVERY
            if self._leads:
                self._leading = self._leading or self._new_term()
                wait = await self._tick_until(stop, self._leading)
                watching = watching or asyncio.create_task(self._watch())
            else:
                self._leading = None
            if not stop.is_set():
                await _either(self._stirred.wait(), self.ports.clock.sleep(wait))
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _tick_until(self, stop: asyncio.Event, leading: Leading) -> float:
        """A tick may take minutes; who is told to stop does not wait for it. It only reads, or writes in one
        transaction."""
        ticking = asyncio.create_task(self._tick(leading))
        await _either(stop.wait(), _ended(ticking))
        if not ticking.done():
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            return 0.0
        return ticking.result()

    def _new_term(self) -> Leading:
        return Leading(self.reconciler, self.following, on_full_pass=self._passed, teller=self.teller)

    async def _review(self, stop: asyncio.Event, watch: PullRequestWatch) -> None:
        """Beside the ticks, which a slow answer of the host must not hold up."""
        while not stop.is_set():
            leading = self._leading
            if self._leads and leading is not None and leading.commit:
                looking = asyncio.create_task(self._look_at_pulls(watch, leading))
                await _either(stop.wait(), asyncio.wait({looking}))
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
            if not stop.is_set():
                await _either(stop.wait(), self.ports.clock.sleep(watch.every if self._leading else LEAD_EVERY))

    async def _look_at_pulls(self, watch: PullRequestWatch, leading: Leading) -> None:
        try:
            branch = await self.reconciler.source.followed(self.following.revision)
            heard = await watch.look(branch, leading.commit, leading.waiting)
        except Exception as error:  # noqa: BLE001 - a look that fails is followed by the next one
            logger.warning("{}", f"The pull requests could not be looked at: {fault_words(error)}")
            return
        if heard:
            leading.look_at(heard)
            self._stirred.set()

    def _passed(self) -> None:
        self._full_pass_at = datetime.now(UTC)
        self.metrics.passed()

    async def _tick(self, leading: Leading) -> float:
        """Seconds until the next one. Nothing that goes wrong in a tick ends the daemon."""
        self._ticking_since = time.monotonic()
        before = self._full_pass_at
        try:
            wait = await leading.tick()
            self._trouble = 0
            self._database = Part()
        except (LedgerError, PackSourceError) as error:
            wait = self._troubled(str(error))
            if isinstance(error, LedgerError):
                self._database = Part(Condition.DOWN, str(error))
        except Exception as error:  # noqa: BLE001 - a daemon that ends because of one pass corrects nothing any more
            wait = self._troubled(f"A pass failed: {fault_words(error)}")
        finally:
            self._ticking_since = None
        self.metrics.is_source_failing = bool(leading.source_failure)
        if self._full_pass_at != before:
            await self._beat()
        self.on_tick(leading)
        return wait

    def _troubled(self, words: str) -> float:
        logger.warning("{}", words)
        wait = _AFTER_TROUBLE[min(self._trouble, len(_AFTER_TROUBLE) - 1)]
        self._trouble += 1
        return wait

    async def _watch(self) -> None:
        """Wakes the leader when something changed in the folder; what changed it finds out for itself."""
        while True:
            if await self.reconciler.source.changed(_WATCH):
                self._stirred.set()

    def _heard(self, event: Event, telling: Telling) -> None:
        telling(event)
        match event:
            case Ended(status=status):
                self.metrics.ended(status)
            case Waiting():
                self.metrics.contended()
            case _:
                pass

    def is_alive(self) -> str:
        """Empty when it is."""
        if self._ticking_since is None or time.monotonic() - self._ticking_since < STUCK_AFTER:
            return ""
        return f"a pass has not ended for {STUCK_AFTER / 60:.0f} minutes"

    async def readiness(self) -> Readiness:
        leading = self._leading
        failure = "" if leading is None else leading.source_failure
        unread = 0 if leading is None else len(leading.unread)
        return Readiness(
            database=self._database,
            queue=await self._queue_part(),
            git=Part(Condition.DEGRADED, failure) if failure else Part(),
            databricks=Part(Condition.DEGRADED, f"{unread} packs could not be read") if unread else Part(),
            is_stopping=self._is_stopping,
        )

    async def _queue_part(self) -> Part:
        if time.monotonic() - self._queue_asked_at > _QUEUE_KNOWN_FOR:
            self._queue_asked_at = time.monotonic()
            try:
                await self.ports.doorbell.check()
                self._queue = Part()
            except DoorbellUnavailableError as error:
                self._queue = Part(Condition.DEGRADED, f"{error}; the sweep finds the work")
        return self._queue

    async def measured(self) -> bytes:
        """The metrics as text."""
        figures = None
        with suppress(LedgerError):
            figures = await self.ports.ledger.figures()
        return self.metrics.render(figures, self.ports.platform.outcomes)


async def _ended(task: asyncio.Task[float]) -> None:
    """Cancelling whoever waits here does not cancel the task."""
    await asyncio.wait({task})


async def _either(*awaited: Awaitable[object], seconds: float | None = None) -> None:
    """Until one of them is there, or that time has passed."""
    tasks = [asyncio.ensure_future(each) for each in awaited]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
