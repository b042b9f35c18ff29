"""The read after an apply: is a second plan empty? Waits, bounded, for Databricks to show what was written."""

from collections.abc import Awaitable, Callable
from typing import Final

from reconciler.core.plan import Plan
from reconciler.ports.clock import Clock

#: Seconds between looks; grants have been seen to lag their PATCH by up to a minute (contract 4.6), usually far less.
WAITS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


async def verify(plan_again: Callable[[], Awaitable[Plan]], clock: Clock) -> Plan:
    """The first plan without work left, or the last one made."""
    for seconds in WAITS[:-1]:
        await clock.sleep(seconds)
        plan = await plan_again()
        if not any(step.is_work for step in plan.steps):
            return plan
    await clock.sleep(WAITS[-1])
    return await plan_again()
