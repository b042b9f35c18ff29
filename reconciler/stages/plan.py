"""Reads what a plan is computed from and lets the core make it. Changes nothing anywhere."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.core.actual import Actual
from reconciler.core.approval import Approvals, needs_approval
from reconciler.core.desired import Desired
from reconciler.core.guard import Attestation, Attestations
from reconciler.core.key import Key, PackId
from reconciler.core.limits import Limits
from reconciler.core.pack_encoding import Digests, digests
from reconciler.core.plan import Plan, Step
from reconciler.core.planning import keys_in_scope, make_plan
from reconciler.core.prerequisites import recipients_gained
from reconciler.core.recorded import RecordedState
from reconciler.core.steps import World, metastore_of
from reconciler.core.verdict import Create, Ignore, Keep, Replace
from reconciler.packs.collecting import keeping_all
from reconciler.packs.snapshot import Snapshots
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import PackSource
from reconciler.ports.platform import Platform
from reconciler.stages.attest import Known, attest
from reconciler.stages.look import GRACE
from reconciler.stages.observe import actual_state, callers, catalogs, metastore_recipients, recorded_state
from reconciler.stages.reach import Left

#: Times that a plan is made while others keep working on the same packs.
_LOOKS: Final = 4
#: Packs; some ms of work.
_AT_A_TIME: Final = 20


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for beyond what the packs say."""

    #: Objections that are lifted by name for this run (`core.allowance.lift_of`).
    allowed: frozenset[str] = frozenset()
    #: Recipients whose token is to be replaced now, with the overlap in seconds.
    rotations: Mapping[Key, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    #: Another identity applies than the one that plans: rights are looked at when that one plans.
    only_plans: bool = False
    #: Most likely something is to be changed, as the packs of a branch are planned that says otherwise: who calls is
    #: asked beside the rest.
    expects_changes: bool = False
    #: Why the newest commits cannot be fetched; empty when they can. Until then nothing is taken for removed.
    source_failure: str = ""
    #: Seconds within which a read need not show what we wrote.
    grace: float = GRACE
    #: Finds out what was approved of a plan; None: approval is somebody else's business.
    approvals: Callable[[Plan], Awaitable[Approvals]] | None = None
    #: What is kept of commits read before; None: each commit that must attest a removal is read as a whole.
    snapshots: Snapshots | None = None
    #: What was read of the commit that the branch to be planned left.
    left: Left | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from."""

    plan: Plan
    recorded: RecordedState
    actual: Actual
    #: When Databricks was asked first, in epoch milliseconds.
    began_at: int


async def plan_packs(
    desired: Desired,
    scope: Collection[PackId],
    source: PackSource,
    ledger: Ledger,
    platform: Platform,
    clock: Clock,
    wishes: Wishes | None = None,
) -> Plan:
    return (await read_and_plan(desired, scope, source, ledger, platform, clock, wishes)).plan


async def read_and_plan(
    desired: Desired,
    scope: Collection[PackId],
    source: PackSource,
    ledger: Ledger,
    platform: Platform,
    clock: Clock,
    wishes: Wishes | None = None,
) -> Planned:
    """The record is read first, then Databricks. When a worker has written to the record meanwhile, what it has made
    would seem to be somebody else's, so both are read again."""
    facts = _Facts(source, ledger, platform, clock)
    with keeping_all():
        for _ in range(_LOOKS):
            recorded = await recorded_state(desired, scope, ledger)
            planned = await _plan(desired, scope, recorded, facts, wishes or Wishes())
            if _is_quiet(planned.plan) or await recorded_state(desired, scope, ledger) == recorded:
                break
    return planned


def _is_quiet(plan: Plan) -> bool:
    return all(isinstance(step.verdict, Keep | Ignore) and not step.is_held for step in plan.steps) and not any(
        pack.rows_behind for pack in plan.packs
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """Where they come from."""

    source: PackSource
    ledger: Ledger
    platform: Platform
    clock: Clock


async def _plan(
    desired: Desired, scope: Collection[PackId], recorded: RecordedState, facts: _Facts, wishes: Wishes
) -> Planned:
    platform, began_at = facts.platform, _now(facts.clock)
    keys = keys_in_scope(desired, scope, recorded) if wishes.expects_changes else ()
    expected = {key.workspace for key in keys}
    # Databricks first: what it is asked is on its way while the rest is thought about.
    actual, calling, holds, attestations, digested = await asyncio.gather(
        actual_state(desired, scope, recorded, platform, facts.clock, wishes.grace),
        callers(expected, platform),
        facts.ledger.holds(),
        _attested(wishes, facts, desired, scope, recorded),
        _digested(desired, scope),
    )
    world = World(
        recorded=recorded,
        actual=actual,
        now=_now(facts.clock),
        catalogs=await catalogs(desired, scope, actual, platform),
        attestations=attestations,
        limits=wishes.limits,
        allowed=wishes.allowed,
        rotations=wishes.rotations,
        holds=holds,
        digests=digested,
    )
    plan = make_plan(desired, scope, world)
    planned = Planned(plan, recorded, actual, began_at)
    changing = {step.key.workspace for step in plan.steps if step.is_change}
    if not changing and not any(map(needs_approval, plan.packs)):
        return planned
    # Who calls, and who owns the recipients that are granted more, matters only where something would be done: a plan
    # without changes asks nothing more.
    granted = {key for step in plan.steps for key in recipients_gained(step)} - actual.keys()
    created = {(step.key.workspace, metastore_of(step.desired)) for step in plan.steps if _makes(step)}
    known, owned, taken = await asyncio.gather(
        callers(changing - calling.keys(), platform),
        platform.observe(sorted(granted)),
        metastore_recipients(created, platform),
    )
    known = {place: replace(caller, only_plans=wishes.only_plans) for place, caller in {**calling, **known}.items()}
    world = replace(world, callers=known, actual={**actual, **owned}, metastore_recipients=taken)
    plan = make_plan(desired, scope, world)
    if wishes.approvals is not None:
        approvals = await wishes.approvals(plan)
        allowed = world.allowed | approvals.words
        plan = make_plan(desired, scope, replace(world, approvals=approvals, allowed=allowed))
    return replace(planned, plan=plan)


def _now(clock: Clock) -> int:
    """Epoch milliseconds."""
    return round(clock.now().timestamp() * 1000)


async def _attested(
    wishes: Wishes, facts: _Facts, desired: Desired, scope: Collection[PackId], recorded: RecordedState
) -> Attestations:
    if not wishes.source_failure:
        known = None if wishes.snapshots is None else Known(wishes.snapshots, facts.clock.now().date(), wishes.left)
        return await attest(facts.source, desired, scope, recorded, known)
    refusal = Attestation(
        f"the newest commits could not be fetched ({wishes.source_failure}), and one of them may still want it",
        "nothing need be done once Git answers again",
        lets_drift_go=True,
    )
    return dict.fromkeys(scope, refusal)


async def _digested(desired: Desired, scope: Collection[PackId]) -> dict[PackId, Digests]:
    """A few at a time, so that nobody who waits for an answer waits for all of them."""
    found = {}
    for number, pack in enumerate(scope):
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)
        if pack in desired.packs:
            found[pack] = digests(desired.packs[pack])
    return found


def _makes(step: Step) -> bool:
    return isinstance(step.verdict, Create | Replace) and metastore_of(step.desired) != ""
