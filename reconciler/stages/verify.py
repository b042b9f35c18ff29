"""The read after an apply: is a second plan empty? Waits, bounded, for Databricks to show what was written. With many
packs it begins before all are done. Decides nothing about what is not in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import LedgerError, Work, WorkStatus
from reconciler.ports.pack_source import PackSourceError

#: Seconds between looks; grants have been seen to lag their PATCH by up to a minute (contract 4.6), usually far less.
WAITS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

#: Packs that are looked at together while others are worked on. Fewer are looked at in the end.
ENOUGH: Final = 24


async def verify(plan_again: Callable[[], Awaitable[Plan]], clock: Clock) -> Plan:
    """The first plan without work left, or the last one made."""
    for seconds in WAITS[:-1]:
        await clock.sleep(seconds)
        plan = await plan_again()
        if not any(step.is_work for step in plan.steps):
            return plan
    await clock.sleep(WAITS[-1])
    return await plan_again()


class LookMeanwhile:
    """Working off a pack keeps this process busy, and reading it waits for Databricks: side by side they take less time
    than one after the other. What is not in order at the first look is left to the last one."""

    def __init__(
        self, plan_again: Callable[[Collection[PackId]], Awaitable[Plan]], packs: Mapping[UUID, PackId]
    ) -> None:
        self._plan_again = plan_again
        self._packs = packs
        self._done: list[PackId] = []
        self._looking: asyncio.Task[None] | None = None
        #: Packs of which a second plan, made after they were done, has nothing to do.
        self.in_order: dict[PackId, PackPlan] = {}

    def ended(self, work: Iterable[Work]) -> None:
        done = (item.id for item in work if item.status is WorkStatus.DONE)
        self._done += [self._packs[work_id] for work_id in done if work_id in self._packs]
        if len(self._done) >= ENOUGH and self._is_free():
            self._looking = asyncio.create_task(self._look())

    def _is_free(self) -> bool:
        return self._looking is None or (self._looking.done() and self._looking.exception() is None)

    async def _look(self) -> None:
        done, self._done = self._done, []
        try:
            plan = await self._plan_again(done)
        except (LedgerError, PackSourceError):
            # The last look says so, if it still is so then.
            return
        self.in_order |= {pack.pack: pack for pack in plan.packs if not pack.is_work and not pack.rows_behind}

    async def end(self, *, is_wanted: bool) -> None:
        if self._looking is not None:
            if not is_wanted:
                self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=not is_wanted)


@asynccontextmanager
async def looking_meanwhile(
    plan_again: Callable[[Collection[PackId]], Awaitable[Plan]], packs: Mapping[UUID, PackId]
) -> AsyncIterator[LookMeanwhile]:
    """`packs` by their work: those that nothing that is still to be done can change."""
    look = LookMeanwhile(plan_again, packs)
    try:
        yield look
    except BaseException:
        await look.end(is_wanted=False)
        raise
    await look.end(is_wanted=True)
