"""How bad a plan is: effects counted, and every step that does more than change metadata, with what it does beside
granting and revoking objects, which the access section tells. Values stand here whole, for nobody should have to trust
what is cut."""

from collections.abc import Collection, Iterator
from textwrap import wrap
from typing import Final

from reconciler.core.changes import ElementAdded, ElementRemoved, FieldChange, ObjectChanged, ValueSet
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan, Step
from reconciler.core.recipient import OidcSharing, Recipient
from reconciler.core.severity import Effect, change_effect
from reconciler.core.share import Share
from reconciler.core.verdict import Adopt, Create, Delete, Rename, Replace, Update
from reconciler.render.change_text import change_lines
from reconciler.render.effect_text import effects, step_effect
from reconciler.render.element_text import LONGEST_VALUE, element_text, object_title, policy_text, value_text
from reconciler.render.markdown.escape import code, fenced, shown
from reconciler.render.resource_text import gone_lines
from reconciler.render.step_title import short_place, step_title

_ALL: Final = 10**9
#: Characters of a line of a code block that are seen without scrolling.
_WIDTH: Final = 100
#: What the access section tells.
_TOLD: Final = frozenset({"objects", "recipients"})


def severity_lines(plan: Plan) -> Iterator[str]:
    done, held = effects(plan.steps)
    counts = ", ".join(f"{done[each]:,} {each.words}" for each in sorted(done, reverse=True))
    waiting = ", ".join(f"{held[each]:,} {each.words}" for each in sorted(held, reverse=True))
    said = [counts, f"held: {waiting}" if waiting else ""]
    if counts or waiting:
        yield f"{'; '.join(filter(None, said))}."
    for effect in sorted((each for each in done if each >= Effect.WIDENS), reverse=True):
        grave = [step for step in plan.steps if step.is_change and not step.is_held and step.effect is effect]
        yield f"- **{effect.words}**: {', '.join(map(place_of, grave))}"


def severity_blocks(plan: Plan) -> Iterator[str]:
    """For each step whose danger is not told by who reads which object; also for held ones that can be let go."""
    for pack in plan.packs:
        for step in pack.steps:
            if not step.is_unseen and all(each.lift for each in step.objections) and (lines := list(_grave(step))):
                effect = "" if step.effect < Effect.WIDENS else f"  {step_effect(step).text}"
                title = f"{step_title(step, pack.workspace)}{effect}"
                yield fenced([f"@@ {title} @@", *(part for line in lines for part in _folded(line))], "diff")


def _folded(line: str) -> Iterator[str]:
    """Nothing of it is to lie beyond the edge of a block, where nobody looks."""
    sign = line[:2]
    for at, part in enumerate(wrap(shown(line[2:]), _WIDTH, break_on_hyphens=False)):
        yield f"{sign}{'    ' if at else ''}{part}"


def place_of(step: Step) -> str:
    also = " (and widens access)" if step.also_widens else ""
    where = "" if step.where is None else f" ({code(short_place(step.where))})"
    return f"{code(str(step.key))}{where}{also}"


def _grave(step: Step) -> Iterator[str]:
    match step.verdict:
        case Create(Recipient(authentication=OidcSharing()) as after):
            if after.policies is not UNMANAGED:
                yield from (f"+ who signs in as it: {policy_text(each)}" for each in sorted(after.policies, key=str))
        case Rename(before, Share(), changes):
            yield f"! renamed from {before.name}: its readers must ask for it by the new name"
            yield from _changes(changes)
        case Update(_, after, changes) | Adopt(_, after, changes) | Rename(_, after, changes):
            yield from _changes(changes)
            if isinstance(after, Recipient) and _is_opened(after, changes):
                yield "! no address left in the list: it can then read from any address"
        case Replace(before) | Delete(Recipient() as before):
            yield from (
                f"! {' '.join(''.join(span.text for span in line).split())}" for line in gone_lines(before, _ALL)
            )
        case _:
            return


def _is_opened(after: Recipient, changes: Collection[FieldChange]) -> bool:
    return after.allowed_ips == frozenset() and any(each.field == "allowed_ips" for each in changes)


def _changes(changes: Collection[FieldChange]) -> Iterator[str]:
    goes = {str(each.element) for each in changes if isinstance(each, ElementRemoved) and each.field == "objects"}
    comes = {str(each.element) for each in changes if isinstance(each, ElementAdded) and each.field == "objects"}
    for change in changes:
        match change:
            case ElementAdded(field, element) if field not in _TOLD or str(element) in goes:
                yield f"+ {field}: {element_text(element)}"
            case ElementRemoved(field, element) if field not in _TOLD or str(element) in comes:
                yield f"- {field}: {element_text(element)}"
            case ElementAdded() | ElementRemoved():
                continue
            case ValueSet() if change_effect(change) >= Effect.WIDENS:
                yield f"! {_value(change)}"
            case ObjectChanged(_, after, sets):
                worse = (each for each in sets if change_effect(each) >= Effect.WIDENS)
                yield from (f"! {object_title(after)}: {_value(each)}" for each in worse)
            case ValueSet():
                continue
            case token:
                said = ("".join(span.text for span in line) for line in change_lines([token], _ALL))
                yield from (f"! {' '.join(each.split())}" for each in said)


def _value(change: ValueSet) -> str:
    return f"{change.field}: {_whole(change.field, change.before)} → {_whole(change.field, change.after)}"


def _whole(field: str, value: str) -> str:
    return value if len(value) > LONGEST_VALUE else value_text(field, value)
