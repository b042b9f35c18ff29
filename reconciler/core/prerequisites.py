"""What one step of a plan needs from others: the recipients a share grants to must be there first, in this pack or in
another one. Holds what cannot have them, and says which packs must be applied before which."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from operator import is_

from reconciler.core.actual import Absent, Actual
from reconciler.core.changes import ElementAdded
from reconciler.core.guard import HELD_ITSELF, Prerequisites, prerequisite_objections
from reconciler.core.key import Key, PackId, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import PackPlan, Step
from reconciler.core.recorded import RecordedState
from reconciler.core.share import Share
from reconciler.core.verdict import Adopt, Create, Drifted, Rename, Replace, Update

#: The pack that plans a recipient, and its step there.
Planned = Mapping[Key, tuple[PackId, Step]]


def with_prerequisites(
    plans: Sequence[PackPlan],
    owners: Mapping[Key, PackId],
    recorded: RecordedState,
    actual: Actual,
    moved: Mapping[Key, frozenset[Key]],
) -> tuple[PackPlan, ...]:
    """`moved`: per share, the recipients that hold it and will bear another name or be made anew."""
    planned = {step.key: (plan.pack, step) for plan in plans for step in plan.steps}
    needs = {plan.pack: _packs_needed(plan, planned, moved) for plan in plans}
    circle = _circle(needs)
    found = []
    for plan in plans:
        steps = tuple(
            _circling(_checked(step, planned, owners, recorded, actual), plan.pack, planned, circle, moved)
            for step in plan.steps
        )
        needed = frozenset() if plan.pack in circle else needs[plan.pack]
        is_same = needed == plan.needs and all(map(is_, steps, plan.steps))
        found.append(plan if is_same else replace(plan, steps=steps, needs=needed))
    return tuple(found)


def _packs_needed(plan: PackPlan, planned: Planned, moved: Mapping[Key, frozenset[Key]]) -> frozenset[PackId]:
    keys = {key for step in plan.steps for key in (*recipients_gained(step), *moved.get(step.key, ()))}
    lenders = (planned[key] for key in keys if key in planned)
    return frozenset(pack for pack, step in lenders if pack != plan.pack and _comes(step) and not step.is_held)


def _comes(step: Step) -> bool:
    """Whether the recipient is not there yet under the name a share needs."""
    return isinstance(step.verdict, Create | Rename | Replace)


def _circle(needs: Mapping[PackId, frozenset[PackId]]) -> frozenset[PackId]:
    """Packs that would wait for each other; empty when there is an order for all."""
    left = dict(needs)
    found: set[PackId] = set()
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            found |= set(error.args[1])
            left = {pack: needed - found for pack, needed in left.items() if pack not in found}
        else:
            return frozenset(found)


def recipients_gained(step: Step) -> Iterator[Key]:
    """The recipients this step newly grants a share to."""
    names: Collection[str] = ()
    match step.verdict:
        case Create(Share(recipients=recipients)) if recipients is not UNMANAGED:
            names = recipients
        case Update(changes=changes) | Adopt(changes=changes) | Rename(changes=changes):
            names = [
                str(item.element) for item in changes if isinstance(item, ElementAdded) and item.field == "recipients"
            ]
        case _:
            pass
    return (recipient_key(name, step.key.workspace) for name in sorted(names))


def _checked(
    step: Step, planned: Planned, owners: Mapping[Key, PackId], recorded: RecordedState, actual: Actual
) -> Step:
    blocked: dict[str, str] = {}
    for key in recipients_gained(step):
        _, recipient = planned.get(key, (None, None))
        if recipient is None:
            if key not in recorded.resources:
                blocked[key.name] = f"does not exist yet; it is declared by {owners.get(key, 'no pack')}"
            elif isinstance(actual.get(key), Absent):
                blocked[key.name] = (
                    f"was deleted by hand; plan {owners.get(key, 'its pack')} as well, which makes it anew"
                )
        elif (recipient.is_held and _comes(recipient)) or recipient.is_unseen:
            blocked[key.name] = HELD_ITSELF
        elif recipient.verdict == Drifted(None, ()):
            blocked[key.name] = "was deleted by hand, and is left so for now"
    return _blocked(step, blocked)


def _circling(
    step: Step, pack: PackId, planned: Planned, circle: frozenset[PackId], moved: Mapping[Key, frozenset[Key]]
) -> Step:
    """Held when its recipient comes with a pack that waits for this one."""
    if pack not in circle:
        return step
    blocked: dict[str, str] = {}
    for key in sorted({*recipients_gained(step), *moved.get(step.key, ())}):
        lender, recipient = planned.get(key, (None, None))
        if (
            recipient is not None
            and lender != pack
            and lender in circle
            and _comes(recipient)
            and not recipient.is_held
        ):
            blocked[key.name] = f"comes with {lender}, which in turn waits for this pack"
    return _blocked(step, blocked)


def _blocked(step: Step, blocked: Mapping[str, str]) -> Step:
    if not blocked:
        return step
    added = (each for each in prerequisite_objections(Prerequisites(blocked=blocked)) if each not in step.objections)
    return replace(step, objections=(*step.objections, *added))
