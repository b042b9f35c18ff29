"""A fresh plan of everything, as a person at the command line would make it, without that person's processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.git.source import pack_source
from reconciler.core.key import Key
from reconciler.core.limits import Limits
from reconciler.core.plan import Plan
from reconciler.core.verdict import Conflict
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.read import packs_under, read_commit
from tests.chaos.records import open_creations

NO_LIMITS: Final = Limits(per_pack=10_000, per_run=10_000, percent_per_pack=100, percent_per_run=100)
#: Seconds; Databricks may show what was written a few reads later here, not a few seconds.
GRACE: Final = 1.0


async def fresh_plan(
    packs: Path, url: str, ledger: Any, platform: Any, rotations: Mapping[Key, int] | None = None
) -> Plan:
    source = pack_source(packs)
    desired = await read_commit(source, url)
    recorded = await ledger.recorded([], await ledger.all_packs())
    scope = packs_under((), desired, recorded.packs)
    wishes = Wishes(limits=NO_LIMITS, rotations=rotations or {}, grace=GRACE)
    return await plan_packs(desired, scope, source, ledger, platform, SystemClock(), wishes)


def left_to_do(plan: Plan) -> list[str]:
    """What a plan would still do or cannot do; empty when all is as it should be."""
    work = [f"still to do: {type(step.verdict).__name__} {step.key}" for step in plan.steps if step.is_work]
    held = [f"held: {step.key}, {each.message}" for step in plan.steps for each in step.objections]
    return work + held


async def left_to_a_person(plan: Plan, dsn: str) -> frozenset[str]:
    """Resources that were made without anybody seeing it, and that Git took back before somebody did: the plan says
    that they are to be declared again or deleted by hand. As `share/NAME` and `recipient/NAME`."""
    conflicts = {str(step.key) for step in plan.steps if isinstance(step.verdict, Conflict)}
    return frozenset(conflicts & await open_creations(dsn))
