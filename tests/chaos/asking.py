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

NO_LIMITS: Final = Limits(per_pack=10_000, per_run=10_000, percent_per_pack=100, percent_per_run=100)
#: Seconds; Databricks may show what was written a few reads later here, not a few seconds.
GRACE: Final = 2.0
_UNPROVEN: Final = "unproven-owner"


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
    return [line for line in work + held if not any(f" {key}" in line for key in unproven(plan))]


def unproven(plan: Plan) -> frozenset[str]:
    """Resources that are left to a person: a worker died over making them, and Git has taken them back since. As
    `share/NAME` and `recipient/NAME`."""
    conflicts = ((step.key, step.verdict) for step in plan.steps)
    return frozenset(
        str(key) for key, each in conflicts if isinstance(each, Conflict) and each.rule == "unproven-owner"
    )
