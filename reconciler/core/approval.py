"""Whether what would be done now is what was approved: the same or less passes, new or worse does not. Actions are
compared, and who comes to read what: two changes approved one by one can let somebody in together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.core.actions import actions
from reconciler.core.allowance import approval_lift, weighed
from reconciler.core.changes import Cause
from reconciler.core.guard import Objection
from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan, Step, fingerprint
from reconciler.core.review import Review
from reconciler.core.verdict import Create, Drifted, Ignore, Keep, Update

#: New things named in an objection; the rest is counted.
_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved for one pack."""

    fingerprint: str
    actions: frozenset[str]
    workspace: str = ""
    #: `PackPlan.gains`.
    gains: frozenset[str] = frozenset()

    def new_in(self, pack: PackPlan) -> frozenset[str]:
        """What the plan does, and whom it lets in, beyond this."""
        wanted = pack.actions | pack.gains
        is_moved = self.workspace not in {"", pack.workspace}
        return wanted if is_moved else wanted - self.actions - self.gains

    def joined(self, other: "Approved") -> "Approved":
        """What was approved bit by bit. Of two workspaces, nothing of the first one counts."""
        if self.workspace not in {"", other.workspace}:
            return other
        return Approved(other.fingerprint, self.actions | other.actions, other.workspace, self.gains | other.gains)


NOTHING_APPROVED: Final = Approved("", frozenset())


def is_genuine(pack: PackId, approved: Approved) -> bool:
    """Whether the fingerprint is that of what it stands for."""
    return fingerprint(pack, approved.workspace, approved.actions, approved.gains) == approved.fingerprint


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was approved of each pack since it was last applied, and by whom."""

    packs: Mapping[PackId, Approved] = field(default_factory=dict)
    reviews: Mapping[PackId, Review] = field(default_factory=dict)
    #: Words by which somebody let go on by name what had been held.
    words: frozenset[str] = frozenset()
    #: Why nothing is approved of a pack, in words, where that is known.
    reasons: Mapping[PackId, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stale:
    """The pack has more to do than was approved."""

    plan: PackPlan
    #: Not approved, sorted.
    new: tuple[str, ...]
    #: Approved and not needed any more, sorted.
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    #: The plan, reduced to the packs that are as approved.
    plan: Plan
    stale: tuple[Stale, ...]


def check_approval(plan: Plan, approved: Mapping[PackId, Approved]) -> Checked:
    """`plan` is made anew. A pack that was not in the approved plan has nothing approved."""
    stale = []
    for pack in plan.packs:
        allowed = approved.get(pack.pack, NOTHING_APPROVED)
        new = allowed.new_in(pack)
        if new:
            stale.append(Stale(pack, tuple(sorted(new)), tuple(sorted(allowed.actions - pack.actions))))
    held_back = {item.plan.pack for item in stale}
    kept = tuple(pack for pack in plan.packs if pack.pack not in held_back)
    return Checked(Plan(plan.revision, kept, plan.problems), tuple(stale))


def showing(plan: Plan) -> dict[PackId, Approved]:
    """What whoever approves this plan approves: what would be done, and what is held only until somebody lets it go on
    by name. Packs with nothing of that are left out."""
    shown = {}
    for pack in plan.packs:
        open_ = replace(pack, steps=tuple(map(_as_if_lifted, pack.steps)))
        if open_.actions:
            shown[pack.pack] = Approved(open_.fingerprint, open_.actions, pack.workspace, open_.gains)
    return shown


def _as_if_lifted(step: Step) -> Step:
    return replace(step, objections=()) if all(each.lift for each in step.objections) else step


def needs_approval(pack: PackPlan) -> bool:
    """Whether anything in it is more than putting back what was applied, and so approved, before."""
    return any(actions(step.key, step.verdict) and not puts_back(step) for step in pack.steps if not step.is_held)


def puts_back(step: Step) -> bool:
    """Whether the step only undoes what somebody changed by hand, if it does anything at all."""
    match step.verdict:
        case Update(cause=cause) | Create(cause=cause):
            return cause is Cause.DRIFT
        case _:
            return isinstance(step.verdict, Drifted | Keep | Ignore)


def with_approvals(
    packs: Sequence[PackPlan], approvals: Approvals | None, allowed: Collection[str]
) -> tuple[PackPlan, ...]:
    """The plans, with an objection on each step of a pack that has more to do than was approved. None: approval is
    somebody else's business. `allowed`: what a person let go by name for this run."""
    if approvals is None:
        return tuple(packs)
    return tuple(_judged(pack, approvals, allowed) for pack in packs)


def _judged(pack: PackPlan, approvals: Approvals, allowed: Collection[str]) -> PackPlan:
    pack = replace(pack, review=approvals.reviews.get(pack.pack, Review()))
    if not needs_approval(pack):
        return pack
    new = approvals.packs.get(pack.pack, NOTHING_APPROVED).new_in(pack)
    if not new:
        return pack
    objection = _objection(pack, sorted(new), approvals.reasons.get(pack.pack, ""))
    standing, lifted = weighed([objection], allowed)
    return replace(pack, steps=tuple(_held(step, standing, lifted) for step in pack.steps))


def _held(step: Step, standing: tuple[Objection, ...], lifted: tuple[str, ...]) -> Step:
    if step.is_held or not actions(step.key, step.verdict):
        return step
    return replace(step, objections=standing, lifted=(*step.lifted, *lifted))


def _objection(pack: PackPlan, new: Sequence[str], reason: str) -> Objection:
    lift = approval_lift(pack.fingerprint)
    return Objection(
        "not-approved",
        f"{reason or 'this is more than was approved'}: {'; '.join(_named(new))}",
        "look at what is new, then have it approved",
        lift,
        tuple(new),
    )


def _named(new: Sequence[str]) -> Iterator[str]:
    yield from new[:_NAMED]
    if len(new) > _NAMED:
        yield f"and {len(new) - _NAMED} more"
