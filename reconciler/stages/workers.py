"""The workers of one process: they take due work, several packs at a time, until what they wait for is over.

What is done next is the ledger's answer, so that no business line starves another; the doorbell says when to ask, and
the sweep asks anyway, so that a lost message costs only time. What happens inside a claim is `stages.work`'s business.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final
from uuid import UUID

from reconciler.core.retry import MOST_UNEXPLAINED, Failure
from reconciler.ports.clock import Clock
from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError, Ring
from reconciler.ports.ledger import (
    Claim,
    FenceLostError,
    Holder,
    Ledger,
    LedgerError,
    NothingToClaim,
    TooNewError,
    Work,
    WorkStatus,
)
from reconciler.ports.platform import Platform
from reconciler.stages.call import Calling, Hold
from reconciler.stages.events import Event, Overtaken, Started, Troubled, Waiting
from reconciler.stages.fault import fault_words
from reconciler.stages.look import GRACE
from reconciler.stages.work import Ended, not_understood, work

#: A message delivered more often than this is parked, and its pack fails with the reason.
MOST_DELIVERIES: Final = 5
#: Unless it is told otherwise. Between its calls a pack waits for the database: so many keep 16 requests under way.
HANDS: Final = 16
#: Seconds between looks at the database for what others have done meanwhile.
LOOK_EVERY: Final = 0.5
#: Seconds that calls under way get to end once the process is told to stop.
STOP_WITHIN: Final = 20.0
#: Seconds that a command waits for a database that went away; a daemon waits for ever.
PATIENCE: Final = 60.0
#: Work that is asked about at once while there is more to do.
_SOME: Final = 100
#: Seconds between tries while the database is away.
_TRY_AGAIN: Final = 2.0


@dataclass(frozen=True, slots=True)
class _RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Workforce:
    ledger: Ledger
    platform: Platform
    doorbell: Doorbell
    #: Name of this process in leases, such as `host:1234`.
    name: str
    on_event: Callable[[Event], None] = lambda _: None
    #: Packs worked on at the same time.
    hands: int = HANDS
    #: Seconds a lease lasts; it is renewed at a third of that.
    lease: float = 60.0
    #: Seconds between sweeps for due work that nobody rang for.
    sweep_every: float = 60.0
    #: Seconds within which Databricks need not show what was written.
    grace: float = GRACE
    stop_within: float = STOP_WITHIN
    clock: Clock = field(default_factory=_RealClock)
    _busy: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    #: Deliveries that asked for work in hand; they are kept while it lasts and settled after it.
    _rings: dict[UUID, list[Ring]] = field(default_factory=dict)
    #: Deliveries that asked for work not in hand, until the ledger has been asked.
    _asked: dict[UUID, list[Ring]] = field(default_factory=dict)
    #: What the ledger said to do next and has not been taken yet.
    _next: deque[UUID] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    #: When to ask the ledger again, by the loop's clock.
    _ask_at: float = 0.0
    _look_at: float = 0.0
    _troubled_since: float | None = None
    _is_stopping: bool = False
    _failure: BaseException | None = None

    async def work_until_done(
        self, work_ids: Collection[UUID], on_ended: Callable[[Sequence[Work]], None] = lambda _: None
    ) -> None:
        """Work, and wait for workers elsewhere, until all of `work_ids` have ended, which is told of some at a time.
        Raises LedgerError when the database stays away."""
        told: set[tuple[UUID, Holder]] = set()
        left = dict.fromkeys(work_ids)

        async def all_ended() -> bool:
            # While there is something in hand, it is enough to know of some that they have not ended.
            while asked := list(islice(left, _SOME)) if self._busy or self._next else list(left):
                items = await self.ledger.work(asked)
                on_ended([item for item in items if item.status.is_final])
                going_on = {item.id: item.held_by for item in items if not item.status.is_final}
                for work_id, holder in going_on.items():
                    if holder is not None and holder.worker != self.name:
                        self._wait_for(work_id, holder, told)
                for work_id in {*asked} - going_on.keys():
                    del left[work_id]
                if going_on:
                    return False
            return True

        await self._run(all_ended, PATIENCE)

    async def work_until_idle(self) -> None:
        """Work off what is due now. Raises LedgerError when the database stays away."""

        async def idle() -> bool:
            return not self._busy and not self._next and not await self.ledger.due(1)

        await self._run(idle, PATIENCE)

    async def work_until(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Calls under way then get `stop_within` seconds to end; what is left of their packs
        is given back."""

        async def stopped() -> bool:
            return stop.is_set()

        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        try:
            await self._run(stopped, None)
        finally:
            stopping.cancel()

    async def _run(self, is_over: Callable[[], Awaitable[bool]], patience: float | None) -> None:
        answering: asyncio.Task[Sequence[Ring]] | None = None
        self._ask_at = self._look_at = 0.0
        try:
            while self._failure is None:
                try:
                    if self._is_time_to_look() and await is_over():
                        break
                    await self._start_waiting()
                    self._troubled_since = None
                except LedgerError as error:
                    await self._ride_out(error, patience)
                answering = self._answering(answering)
                await self._sleep(answering)
                if answering is not None and answering.done():
                    await self._heard(answering.result())
                    answering = None
        except asyncio.CancelledError:
            self._is_stopping = True
            raise
        finally:
            self._is_stopping = self._is_stopping or patience is None
            await self._wind_up(answering)
        if self._failure is not None:
            raise self._failure

    def _is_time_to_look(self) -> bool:
        """Whether what the process waits for may be over."""
        now = asyncio.get_running_loop().time()
        if now < self._look_at and (self._busy or self._next):
            return False
        self._look_at = now + LOOK_EVERY
        return True

    async def _wind_up(self, answering: asyncio.Task[Sequence[Ring]] | None) -> None:
        """What is in hand is finished, or, when the process is to end, stopped after the call under way."""
        if answering is not None:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        if self._busy and self._is_stopping:
            _, late = await asyncio.wait(self._busy.values(), timeout=self.stop_within)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _ride_out(self, error: LedgerError, patience: float | None) -> None:
        """The database is away, or was for a moment. What this program must not touch, waiting does not mend."""
        now = asyncio.get_running_loop().time()
        if self._troubled_since is None:
            self._troubled_since = now
        if isinstance(error, TooNewError) or (patience is not None and now - self._troubled_since > patience):
            raise error
        self.on_event(Troubled(str(error)))
        self._ask_at = 0.0
        with suppress(TimeoutError):
            async with asyncio.timeout(_TRY_AGAIN):
                await self._wake.wait()

    def _answering(self, answering: asyncio.Task[Sequence[Ring]] | None) -> asyncio.Task[Sequence[Ring]] | None:
        """Messages are taken only when there is a hand for them: the rest is for others."""
        free = self.hands - len(self._busy)
        if answering is not None or free <= 0:
            return answering
        return asyncio.create_task(self._answer(free))

    async def _answer(self, free: int) -> Sequence[Ring]:
        try:
            return await self.doorbell.answer(self.sweep_every, min(free, 10))
        except DoorbellUnavailableError:
            # The sweep finds the work meanwhile.
            await asyncio.sleep(LOOK_EVERY)
            return ()

    async def _sleep(self, answering: asyncio.Task[Sequence[Ring]] | None) -> None:
        """Until somebody rings, a hand is free, or it is time to look."""
        waking = asyncio.create_task(self._wake.wait())
        awaited = {waking} if answering is None else {waking, answering}
        await asyncio.wait(awaited, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()
        self._wake.clear()

    async def _heard(self, rings: Iterable[Ring]) -> None:
        """A ring says that it is time to ask. Its message is kept while the work it names is in hand."""
        for ring in rings:
            if ring.work_id in self._busy:
                self._rings.setdefault(ring.work_id, []).append(ring)
            elif ring.deliveries > MOST_DELIVERIES:
                self._start(ring.work_id, [ring])
            else:
                self._asked.setdefault(ring.work_id, []).append(ring)
        self._next.clear()  # What goes first may have changed.
        self._ask_at = 0.0

    async def _start_waiting(self) -> None:
        """Start what is due, for as many as there are free hands. Messages about other work have done their duty: the
        work row remembers what they asked for."""
        while len(self._busy) < self.hands and self._failure is None:
            if not self._next and asyncio.get_running_loop().time() >= self._ask_at:
                await self._ask()
            if not self._next:
                break
            work_id = self._next.popleft()
            if work_id not in self._busy:
                self._start(work_id, self._asked.pop(work_id, []))
        while self._asked:
            await self._settle(self._asked.popitem()[1])

    async def _ask(self) -> None:
        """What to do next, and, when that is nothing, when to ask again."""
        loop = asyncio.get_running_loop()
        due = await self.ledger.due(2 * self.hands + len(self._busy))
        self._next.extend(work_id for work_id in due if work_id not in self._busy)
        if not self._next:
            soonest = await self.ledger.next_due()
            wait = self.sweep_every if soonest is None else min(soonest, self.sweep_every)
            self._ask_at = loop.time() + max(wait, 0.05)

    def _start(self, work_id: UUID, rings: Sequence[Ring]) -> None:
        task = asyncio.create_task(self._take(work_id, rings))
        self._busy[work_id] = task
        task.add_done_callback(partial(self._put_down, work_id))

    def _put_down(self, work_id: UUID, done: asyncio.Task[None]) -> None:
        del self._busy[work_id]
        if not done.cancelled() and (failure := done.exception()) is not None:
            if isinstance(failure, LedgerError) and not isinstance(failure, TooNewError):
                self.on_event(Troubled(str(failure)))
                self._next.clear()
                self._ask_at = asyncio.get_running_loop().time() + _TRY_AGAIN
            else:
                self._failure = failure
        self._wake.set()

    async def _take(self, work_id: UUID, rings: Sequence[Ring]) -> None:
        self._rings[work_id] = list(rings)
        try:
            hold = Hold(asyncio.get_running_loop().time() + self.lease)
            claimed = await self.ledger.claim(self.name, work_id, self.lease)
            if isinstance(claimed, NothingToClaim):
                self._come_back(claimed)
                await self._settle(self._rings[work_id])
                return
            poisoned = [ring for ring in rings if ring.deliveries > MOST_DELIVERIES]
            if poisoned or claimed.vanished > MOST_UNEXPLAINED:
                await self._give_up(claimed, poisoned)
            else:
                await self._work(claimed, hold)
        finally:
            self._rings.pop(work_id, None)

    async def _work(self, claim: Claim, hold: Hold) -> None:
        self.on_event(Started(claim))
        given = (claim, self.ledger, self.platform, self.clock, self.lease, self.grace, lambda: self._is_stopping)
        calling = Calling(*given, hold=hold)
        keeping = asyncio.create_task(self._keep(claim, hold))
        try:
            ended = await self._outcome(calling)
        except FenceLostError:
            self.on_event(Overtaken(claim))
            return
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        self._announce(ended)
        await self._settle(self._rings[claim.work_id])

    async def _outcome(self, calling: Calling) -> Ended:
        spread = random.random()  # noqa: S311 - it only spreads retries
        try:
            return await work(calling, self.on_event, spread)
        except (FenceLostError, LedgerError):
            raise
        except Exception as error:  # noqa: BLE001 - one pack that this program cannot cope with must not stop the others
            return await not_understood(calling, fault_words(error), spread)

    def _announce(self, ended: Ended) -> None:
        self.on_event(ended)
        self._next.extendleft(work_id for work_id in reversed(ended.released) if work_id not in self._next)
        # What comes back is due before the next sweep.
        if ended.retry_in is not None:
            self._ask_again_in(ended.retry_in)

    def _come_back(self, nothing: NothingToClaim) -> None:
        if nothing.due_in is not None:
            self._ask_again_in(nothing.due_in)
        elif not nothing.is_finished:
            # Somebody else was faster, or it waits for other work: asking at once would only ask again and again.
            self._ask_at = max(self._ask_at, asyncio.get_running_loop().time() + LOOK_EVERY)

    def _wait_for(self, work_id: UUID, holder: Holder, told: set[tuple[UUID, Holder]]) -> None:
        if all((work_id, holder.worker, holder.since) != (each, held.worker, held.since) for each, held in told):
            told.add((work_id, holder))
            self.on_event(Waiting(work_id, holder))

    def _ask_again_in(self, seconds: float) -> None:
        self._ask_at = min(self._ask_at, asyncio.get_running_loop().time() + seconds)

    async def _keep(self, claim: Claim, hold: Hold) -> None:
        """Renew the lease and, in place, the deliveries, until cancelled or the lease is lost."""
        with suppress(FenceLostError):
            while True:
                await asyncio.sleep(self.lease / 3)
                # A database that is away for less than the lease does no harm.
                with suppress(LedgerError):
                    asked_at = asyncio.get_running_loop().time()
                    await self.ledger.renew(claim, self.lease)
                    hold.until = asked_at + self.lease
                # An unreachable queue delivers again later; that is found to be in hand or done.
                with suppress(DoorbellUnavailableError):
                    rings = self._rings.get(claim.work_id, [])
                    for place, ring in enumerate(rings):
                        rings[place] = await self.doorbell.keep(ring)

    async def _give_up(self, claim: Claim, poisoned: Sequence[Ring]) -> None:
        if poisoned:
            most = max(ring.deliveries for ring in poisoned)
            reason = f"its message was delivered {most} times and was never finished"
        else:
            reason = f"{claim.vanished} workers took it and were not heard of again"
        status = WorkStatus.NEEDS_ATTENTION
        released = await self.ledger.finish(claim, status, f"needs attention: {reason}", Failure.UNKNOWN)
        with suppress(DoorbellUnavailableError):
            for ring in poisoned:
                await self.doorbell.park(ring, reason)
        self._announce(Ended(claim, status, reason, released))
        await self._settle([ring for ring in self._rings[claim.work_id] if ring not in poisoned])

    async def _settle(self, rings: Iterable[Ring]) -> None:
        with suppress(DoorbellUnavailableError):  # It comes again and finds nothing to do.
            for ring in rings:
                await self.doorbell.settle(ring)
