"""Whether what would be done now is what was approved: the same or fewer actions pass, new or worse ones do not."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved for one pack."""

    fingerprint: str
    actions: frozenset[str]
    workspace: str = ""


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
    nothing = Approved("", frozenset())
    stale = []
    for pack in plan.packs:
        allowed = approved.get(pack.pack, nothing)
        moved = allowed.workspace not in {"", pack.workspace}
        new = pack.actions if moved else pack.actions - allowed.actions
        if new:
            stale.append(Stale(pack, tuple(sorted(new)), tuple(sorted(allowed.actions - pack.actions))))
    held_back = {item.plan.pack for item in stale}
    kept = tuple(pack for pack in plan.packs if pack.pack not in held_back)
    return Checked(Plan(plan.revision, kept, plan.problems), tuple(stale))
