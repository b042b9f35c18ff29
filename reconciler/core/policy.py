"""What of a plan a daemon may hand to workers by itself, and why not the rest. A person who applies is not asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from reconciler.core.changes import Cause
from reconciler.core.encoding import digest
from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.retry import PROBE_AFTER, Failure
from reconciler.core.verdict import Create, Drifted, Update


class Why(StrEnum):
    """Why a pack with something to do is left alone; a closed set, also for metrics."""

    #: Its work is waiting or being done already.
    UNDER_WAY = "under way"
    #: Refused before, and neither the packs nor the workspace have changed since.
    REFUSED = "refused"
    #: Failed too often in a way nobody understands; tried again once an hour.
    NEEDS_ATTENTION = "needs attention"
    #: A newer commit than this one was submitted: the branch was rewound, or this one is outdated.
    REWOUND = "rewound"
    #: All there is to do is held; the steps say why.
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the last work of a pack stands."""

    is_finished: bool
    fingerprint: str
    #: `basis_of` the plan it was submitted from.
    basis: str
    failure: Failure = Failure.NONE
    needs_attention: bool = False
    #: Seconds since it ended; 0 while it has not.
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Submit:
    """Hand it to workers."""


@dataclass(frozen=True, slots=True)
class Leave:
    why: Why


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do or to record."""


Decision: TypeAlias = Submit | Leave | Nothing


def decide(plan: Plan, standings: Mapping[PackId, Standing], rewound: frozenset[PackId]) -> dict[PackId, Decision]:
    """`rewound`: packs whose recorded commit the plan's revision does not descend from."""
    return {pack.pack: _decide(pack, standings.get(pack.pack), is_rewound=pack.pack in rewound) for pack in plan.packs}


def basis_of(pack: PackPlan) -> str:
    """What a refusal depends on: what is wanted, what is there, and what stands against it. Not our own rows."""
    held = sorted([str(step.key), objection.rule] for step in pack.steps for objection in step.objections)
    return digest([pack.basis.desired, pack.basis.actual, held])


def _decide(pack: PackPlan, standing: Standing | None, *, is_rewound: bool) -> Decision:
    if not (pack.is_work or pack.rows_behind or pack.is_held):
        return Nothing()
    if is_rewound and not all(map(_is_safe_when_rewound, pack.steps)):
        return Leave(Why.REWOUND)
    if standing is not None and not standing.is_finished and standing.fingerprint == pack.fingerprint:
        return Leave(Why.UNDER_WAY)
    if standing is not None and (why := _still_failing(pack, standing)) is not None:
        return Leave(why)
    if pack.is_held and not pack.is_work and standing is not None and standing.basis == basis_of(pack):
        # On record already; the rows stay behind for as long as something is held.
        return Leave(Why.HELD)
    return Submit()


def _still_failing(pack: PackPlan, standing: Standing) -> Why | None:
    if not standing.is_finished or standing.basis != basis_of(pack):
        return None
    if standing.needs_attention:
        return Why.NEEDS_ATTENTION if standing.age < PROBE_AFTER else None
    return Why.REFUSED if standing.failure is Failure.REFUSED else None


def _is_safe_when_rewound(step: Step) -> bool:
    """Putting back what somebody changed by hand is right under any commit that says so still."""
    match step.verdict:
        case Update(cause=cause) | Create(cause=cause):
            return cause is Cause.DRIFT
        case Drifted():
            return True
        case _:
            return not step.is_work
