"""The workers of one process: they take due work, several packs at a time, until what they wait for is over.

The doorbell says when to look; the sweep looks anyway, so that a lost message costs only time. A claim is renewed while
it is worked on. What happens inside a claim is `stages.work`'s business.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError, Ring
from reconciler.ports.ledger import Claim, FenceLostError, Ledger, NothingToClaim, WorkStatus
from reconciler.ports.platform import Platform
from reconciler.stages.work import Ended, Performed, work

#: A message delivered more often than this is parked, and its pack fails with the reason.
MOST_DELIVERIES: Final = 5
#: Seconds between looks at the database for what others have done meanwhile.
LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Started:
    claim: Claim


Event: TypeAlias = Started | Performed | Ended


@dataclass(slots=True)
class Workforce:
    ledger: Ledger
    platform: Platform
    doorbell: Doorbell
    #: Name of this process in leases, such as `host:1234`.
    name: str
    on_event: Callable[[Event], None] = lambda _: None
    #: Packs worked on at the same time.
    hands: int = 4
    #: Seconds a lease lasts; it is renewed at a third of that.
    lease: float = 60.0
    #: Seconds between sweeps for due work that nobody rang for.
    sweep_every: float = 60.0
    _busy: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    #: What to try next, oldest first, with the deliveries that asked for it.
    _next: dict[UUID, list[Ring]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _failure: BaseException | None = None

    async def work_until_done(self, work_ids: Collection[UUID]) -> None:
        """Work, and wait for workers elsewhere, until all of `work_ids` have ended."""
        self._queue(work_ids)

        async def all_ended() -> bool:
            return all(item.status.is_final for item in await self.ledger.work(work_ids))

        await self._run(all_ended)

    async def work_until_idle(self) -> None:
        """Work off what is due now."""

        async def idle() -> bool:
            return not self._busy and not self._next and not await self.ledger.due(1)

        await self._run(idle)

    async def work_until(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. What is in hand then is finished first."""

        async def stopped() -> bool:
            return stop.is_set()

        await self._run(stopped)

    async def _run(self, is_over: Callable[[], Awaitable[bool]]) -> None:
        now = asyncio.get_running_loop().time
        next_look = next_sweep = now()
        answering = asyncio.create_task(self._answer())
        try:
            while self._failure is None:
                if now() >= next_sweep:
                    next_sweep = now() + self.sweep_every
                    self._queue(await self.ledger.due())
                self._start_waiting()
                if now() >= next_look:
                    next_look = now() + LOOK_EVERY
                    if await is_over():
                        break
                await self._sleep(answering)
                if answering.done():
                    self._queue_rings(answering.result())
                    answering = asyncio.create_task(self._answer())
        finally:
            answering.cancel()
            await asyncio.gather(answering, *self._busy.values(), return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    async def _sleep(self, answering: asyncio.Task[list[Ring]]) -> None:
        """Until somebody rings, a hand is free, a retry is due, or it is time to look."""
        waking = asyncio.create_task(self._wake.wait())
        await asyncio.wait({answering, waking}, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()
        self._wake.clear()

    async def _answer(self) -> list[Ring]:
        try:
            return list(await self.doorbell.answer(self.sweep_every))
        except DoorbellUnavailableError:
            # The sweep finds the work meanwhile.
            await asyncio.sleep(LOOK_EVERY)
            return []

    def _queue(self, work_ids: Iterable[UUID]) -> None:
        for work_id in work_ids:
            self._next.setdefault(work_id, [])

    def _queue_rings(self, rings: Iterable[Ring]) -> None:
        for ring in rings:
            self._next.setdefault(ring.work_id, []).append(ring)

    def _start_waiting(self) -> None:
        """Start what waits, for as many as there are free hands. What is in hand already waits until that has ended."""
        free = self.hands - len(self._busy)
        ready = [work_id for work_id in self._next if work_id not in self._busy]
        for work_id in ready[: max(free, 0)]:
            task = asyncio.create_task(self._take(work_id, self._next.pop(work_id)))
            self._busy[work_id] = task
            task.add_done_callback(partial(self._put_down, work_id))

    def _put_down(self, work_id: UUID, done: asyncio.Task[None]) -> None:
        del self._busy[work_id]
        if not done.cancelled() and (failure := done.exception()) is not None:
            self._failure = failure
        self._wake.set()

    async def _take(self, work_id: UUID, rings: Sequence[Ring]) -> None:
        claimed = await self.ledger.claim(self.name, work_id, self.lease)
        if isinstance(claimed, NothingToClaim):
            await self._settle(rings)
            return
        poisoned = [ring for ring in rings if ring.deliveries > MOST_DELIVERIES]
        if poisoned:
            await self._give_up(claimed, poisoned)
            return
        self.on_event(Started(claimed))
        kept = list(rings)
        keeping = asyncio.create_task(self._keep(claimed, kept))
        try:
            ended = await work(claimed, self.ledger, self.platform, self.on_event, random.random())  # noqa: S311
        except FenceLostError:
            # Another worker has the pack and looks for itself; whatever this one began is resolved by reading.
            return
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        await self._settle(kept)
        await self._announce(ended)

    async def _announce(self, ended: Ended) -> None:
        self.on_event(ended)
        self._queue(ended.released)
        if ended.retry_in is not None:
            asyncio.get_running_loop().call_later(ended.retry_in, self._try_again, ended.claim.work_id)
        elif ended.claim.work_id in self._next:
            # It has ended: deliveries that came meanwhile have nothing left to ask for.
            await self._settle(self._next.pop(ended.claim.work_id))

    def _try_again(self, work_id: UUID) -> None:
        self._queue([work_id])
        self._wake.set()

    async def _keep(self, claim: Claim, rings: list[Ring]) -> None:
        """Renew the lease and, in place, the deliveries, until cancelled or the lease is lost."""
        with suppress(FenceLostError):
            while True:
                await asyncio.sleep(self.lease / 3)
                await self.ledger.renew(claim, self.lease)
                # An unreachable queue delivers again later; that is found to be in hand or done.
                with suppress(DoorbellUnavailableError):
                    for place, ring in enumerate(rings):
                        rings[place] = await self.doorbell.keep(ring)

    async def _give_up(self, claim: Claim, rings: Sequence[Ring]) -> None:
        most = max(ring.deliveries for ring in rings)
        reason = f"its message was delivered {most} times and was never finished"
        released = await self.ledger.finish(claim, WorkStatus.FAILED, reason)
        with suppress(DoorbellUnavailableError):
            for ring in rings:
                await self.doorbell.park(ring, reason)
        await self._announce(Ended(claim, WorkStatus.FAILED, reason, released))

    async def _settle(self, rings: Iterable[Ring]) -> None:
        # A message that cannot be settled comes again and finds nothing to do.
        with suppress(DoorbellUnavailableError):
            for ring in rings:
                await self.doorbell.settle(ring)
