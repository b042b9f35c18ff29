"""What of a plan a daemon may hand to workers by itself, and why not the rest. A person who applies is not asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from reconciler.core.approval import puts_back
from reconciler.core.encoding import digest
from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.retry import PROBE_AFTER, Failure

#: Seconds in which the same is not done again: Databricks may be slow to show it.
A_MOMENT: Final = 10.0


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
    #: The very same was done a moment ago, and the workspace is still not as planned.
    JUST_APPLIED = "just applied"
    #: It needs a pack that is left alone itself.
    BLOCKED = "needs another pack"


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


#: Whoever needs such a pack has to wait for it.
_STUCK: Final = frozenset({Why.REFUSED, Why.NEEDS_ATTENTION, Why.REWOUND})


def decide(plan: Plan, standings: Mapping[PackId, Standing], rewound: frozenset[PackId]) -> dict[PackId, Decision]:
    """`rewound`: packs whose recorded commit the plan's revision does not descend from."""
    alone = {pack.pack: _decide(pack, standings.get(pack.pack), is_rewound=pack.pack in rewound) for pack in plan.packs}
    stuck = {pack for pack, decision in alone.items() if isinstance(decision, Leave) and decision.why in _STUCK}
    needs = {pack.pack: pack.needs for pack in plan.packs}
    while more := {pack for pack, needed in needs.items() if needed & stuck and isinstance(alone[pack], Submit)}:
        alone.update(dict.fromkeys(more, Leave(Why.BLOCKED)))
        stuck |= more
    return alone


def basis_of(pack: PackPlan) -> str:
    """What a refusal depends on: what is asked for, what is there, what would be done, and which packs come first. Not
    our own rows."""
    return f"{_asked(pack)}.{digest([pack.basis.actual, pack.fingerprint, sorted(map(str, pack.needs))])}"


def _asked(pack: PackPlan) -> str:
    """What is wanted, and what stands against it. It stays the same while work gets on."""
    held = sorted([str(step.key), objection.rule] for step in pack.steps for objection in step.objections)
    contested = sorted([str(step.key), contest.field] for step in pack.steps for contest in step.contests)
    return digest([pack.basis.desired, held, contested])


def _decide(pack: PackPlan, standing: Standing | None, *, is_rewound: bool) -> Decision:
    if not (pack.is_work or pack.rows_behind or pack.is_held):
        return Nothing()
    if is_rewound and not _is_safe_when_rewound(pack):
        return Leave(Why.REWOUND)
    if standing is not None and _is_under_way(pack, standing):
        return Leave(Why.UNDER_WAY)
    if standing is not None and (why := _still_failing(pack, standing)) is not None:
        return Leave(why)
    if pack.is_held and not pack.is_work and standing is not None and standing.basis == basis_of(pack):
        # On record already; the rows stay behind for as long as something is held.
        return Leave(Why.HELD)
    return Submit()


def _is_under_way(pack: PackPlan, standing: Standing) -> bool:
    """Half-done work leaves less to do than it was submitted for. Whatever else it is, such as a pack that has been
    suspended since, takes the place of what is waiting."""
    if standing.is_finished:
        return False
    return standing.fingerprint == pack.fingerprint or standing.basis.partition(".")[0] == _asked(pack)


def _still_failing(pack: PackPlan, standing: Standing) -> Why | None:
    if not standing.is_finished:
        return None
    if standing.failure is Failure.NONE and pack.is_work and _is_the_same(pack, standing) and standing.age < A_MOMENT:
        return Why.JUST_APPLIED
    if standing.basis != basis_of(pack):
        return None
    if standing.needs_attention:
        return Why.NEEDS_ATTENTION if standing.age < PROBE_AFTER else None
    return Why.REFUSED if standing.failure is Failure.REFUSED else None


def _is_the_same(pack: PackPlan, standing: Standing) -> bool:
    return standing.fingerprint == pack.fingerprint


def _is_safe_when_rewound(pack: PackPlan) -> bool:
    """Putting back what somebody changed by hand is right under any commit that says of the pack what is on record."""
    return not pack.rows_behind and all(map(puts_back, pack.steps))
