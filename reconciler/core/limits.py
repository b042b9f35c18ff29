"""How much may go at once. There is no size below which it does not count: half of two resources is half. What goes
beyond a limit is held step by step, and each is lifted by its own name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.allowance import lift_of, weighed
from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange
from reconciler.core.guard import Objection
from reconciler.core.key import PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import PackPlan, Step
from reconciler.core.resource import Resource
from reconciler.core.share import Share
from reconciler.core.verdict import Adopt, Delete, Drifted, Forget, Keep, Record, Release, Rename, Replace, Update


@dataclass(frozen=True, slots=True)
class Limits:
    #: Resources deleted, grants revoked and objects removed, together.
    per_pack: int = 20
    per_run: int = 100
    #: Of each kind by itself, of what there is.
    percent_per_pack: int = 50
    percent_per_run: int = 50


@dataclass(frozen=True, slots=True)
class Amount:
    resources: int = 0
    grants: int = 0
    objects: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.resources + other.resources, self.grants + other.grants, self.objects + other.objects)

    @property
    def total(self) -> int:
        return self.resources + self.grants + self.objects


def with_limits(
    plans: Sequence[PackPlan], limits: Limits, lifts: Mapping[PackId, Collection[str]]
) -> tuple[PackPlan, ...]:
    """The plans, with an objection on each step that takes part in removing more than the limits let go. What is
    allowed by name does not count, and neither does what is held already or was only added by hand."""
    excess = _excesses(plans, limits, lifts)
    # What was allowed by name, and would be held otherwise, is told.
    unlifted = _excesses(plans, limits, {})
    return tuple(_limited(plan, excess[plan.pack], unlifted[plan.pack], lifts.get(plan.pack, ())) for plan in plans)


def _excesses(
    plans: Sequence[PackPlan], limits: Limits, lifts: Mapping[PackId, Collection[str]]
) -> dict[PackId, dict[str, str]]:
    counted = {plan.pack: _counted(plan, lifts.get(plan.pack, ())) for plan in plans}
    there = {plan.pack: _sum(amount_there(step) for step in plan.steps) for plan in plans}
    run = _excess(_sum(counted.values()), _sum(there.values()), limits.per_run, limits.percent_per_run, "this run")
    most, percent = limits.per_pack, limits.percent_per_pack
    return {pack: run | _excess(counted[pack], there[pack], most, percent, "this pack") for pack in counted}


def _limited(
    plan: PackPlan, excess: Mapping[str, str], unlifted: Mapping[str, str], lifts: Collection[str]
) -> PackPlan:
    if not excess and not unlifted:
        return plan
    steps = (_held(step, unlifted if _lift(step) in lifts else excess, lifts) for step in plan.steps)
    return replace(plan, steps=tuple(steps))


def _held(step: Step, excess: Mapping[str, str], lifts: Collection[str]) -> Step:
    going = going_in(step)
    reasons = [words for kind, words in excess.items() if kind == "all" or getattr(going, kind)]
    if step.is_held or not going.total or not reasons:
        return step
    objection = Objection(
        "too-much-at-once",
        "; ".join(reasons),
        "look whether all of this is meant, then allow it by name",
        _lift(step),
    )
    standing, lifted = weighed([objection], lifts)
    return replace(step, objections=(*step.objections, *standing), lifted=(*step.lifted, *lifted))


def _lift(step: Step) -> str:
    return lift_of("delete" if isinstance(step.verdict, Delete) else "revoke", step.key)


def _counted(plan: PackPlan, lifts: Collection[str]) -> Amount:
    return _sum(going_in(step) for step in plan.steps if not step.is_held and _lift(step) not in lifts)


def _excess(going: Amount, there: Amount, most: int, percent: int, whose: str) -> dict[str, str]:
    """In words, by what went beyond; "all" for the sum."""
    words = {}
    if going.total > most:
        words["all"] = f"{whose} would remove {going.total} things, more than the {most} that may go at once"
    for kind, noun in (("resources", "recipients and shares"), ("grants", "grants"), ("objects", "shared objects")):
        some, all_ = getattr(going, kind), getattr(there, kind)
        if some * 100 > percent * all_:
            words[kind] = f"{whose} would remove {some} of its {all_} {noun}, more than {percent} %"
    return words


def going_in(step: Step) -> Amount:
    """What the step takes away that the file gave, or that nobody has said is ours to give."""
    match step.verdict:
        case Delete():
            return Amount(resources=1)
        case Update(changes=changes) | Adopt(changes=changes) | Rename(changes=changes):
            return _removed(changes)
        case _:
            return Amount()


def _removed(changes: Collection[FieldChange]) -> Amount:
    """What leaves only to come back under another alias does not go."""
    back = {str(each.element) for each in changes if isinstance(each, ElementAdded) and each.field == "objects"}
    gone = [each for each in changes if isinstance(each, ElementRemoved) and each.cause is not Cause.DRIFT]
    return Amount(
        grants=sum(each.field in {"recipients", "policies"} for each in gone),
        objects=sum(each.field == "objects" and str(each.element) not in back for each in gone),
    )


def amount_there(step: Step) -> Amount:
    before = _before(step)
    if before is None:
        return Amount()
    if not isinstance(before, Share):
        policies = 0 if before.policies is UNMANAGED else len(before.policies)
        return Amount(resources=1, grants=policies)
    readers = 0 if before.recipients is UNMANAGED else len(before.recipients)
    objects = 0 if before.objects is UNMANAGED else len(before.objects)
    return Amount(1, readers, objects)


def _before(step: Step) -> Resource | None:
    match step.verdict:
        case Update(before) | Adopt(before) | Rename(before) | Replace(before) | Delete(before):
            return before
        case Keep(same) | Drifted(same) | Record(_, same) | Forget(same) | Release(same):
            return same
        case _:
            return None


def _sum(amounts: Iterable[Amount]) -> Amount:
    total = Amount()
    for amount in amounts:
        total += amount
    return total
