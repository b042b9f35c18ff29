"""Field changes as lines, before and after: the part of a step that the file asks for. What somebody changed by hand is
told in `drift_text`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, assert_never

from reconciler.core.changes import (
    Cause,
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
)
from reconciler.render.element_text import (
    attribute_line,
    cut_line,
    element_text,
    field_line,
    gone_text,
    object_title,
    value_text,
)
from reconciler.render.lines import Line, Span, Tone
from reconciler.render.moments import span, utc

_BOTH: Final = (Span("   ← changed in the file and by hand", Tone.DRIFT),)


def by_file(changes: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """What the file asks for, also where somebody changed the same by hand."""
    return _without(changes, Cause.DRIFT)


def by_hand(changes: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """What somebody changed in the workspace, also where the file changed the same."""
    return _without(changes, Cause.FILE)


def _without(changes: Sequence[FieldChange], cause: Cause) -> tuple[FieldChange, ...]:
    kept: list[FieldChange] = []
    for change in changes:
        if isinstance(change, ObjectChanged):
            sets = tuple(each for each in change.sets if each.cause is not cause)
            kept += [replace(change, sets=sets)] if sets else []
        elif change.cause is not cause:
            kept.append(change)
    return tuple(kept)


def change_lines(changes: Sequence[FieldChange], limit: int) -> Iterator[Line]:
    """Changes of recipients, addresses and policies are all listed: they say who can read. Long lists of objects are
    cut, and the cut says how many it hides."""
    for change, label in labelled(changes, limit):
        yield from _change(label, change)
    yield from hidden_line(changes, limit)


def labelled(changes: Sequence[FieldChange], limit: int) -> Iterator[tuple[FieldChange, str]]:
    """Those to be shown, each with the name of its field when that is another one than before."""
    shown = 0
    field = ""
    for change in changes:
        shown = shown + 1 if change.field == field else 1
        label = "" if change.field == field else change.field
        field = change.field
        if field != "objects" or shown <= limit:
            yield change, label


def hidden_line(changes: Sequence[FieldChange], limit: int) -> Iterator[Line]:
    hidden = sum(change.field == "objects" for change in changes) - limit
    if hidden > 0:
        yield cut_line(hidden, " changes of objects")


def _change(label: str, change: FieldChange) -> Iterator[Line]:
    match change:
        case ValueSet():
            yield field_line(label, *_value(change))
        case ElementAdded(_, element, cause):
            yield field_line(label, Span(f"+ {element_text(element)}", Tone.ADD), *_hand(cause))
        case ElementRemoved(_, element, cause):
            yield field_line(label, Span(f"- {gone_text(element)}", Tone.REMOVE), *_hand(cause))
        case ObjectChanged(_, after, sets):
            yield field_line(label, Span(f"~ {object_title(after)}", Tone.CHANGE))
            yield from (attribute_line(each.field, *_value(each)) for each in sets)
        case TokenRotated():
            yield field_line(label, Span(_rotation(change)))
        case TokenShortened(_, before, after):
            was = "never" if before is None else utc(before)
            yield field_line(label, Span(f"ends {was}", Tone.REMOVE), Span(" → "), Span(utc(after), Tone.ADD))
        case _:
            assert_never(change)


def _rotation(change: TokenRotated) -> str:
    """The overlap is counted from the rotation, and cannot put off the end that the old token has."""
    replaced = f"the one issued {utc(change.made_at)} is replaced by a new one"
    if not change.overlap:
        return f"{replaced}; the old one stops working at once"
    latest = "" if change.ends_at is None else f", at the latest until {utc(change.ends_at)}"
    until = f"{replaced}; the old one goes on for {span(change.overlap)}{latest}"
    return f"{until}: by then its partner needs the new activation link"


def _value(change: ValueSet) -> tuple[Span, ...]:
    before = Span(value_text(change.field, change.before), Tone.REMOVE)
    after = Span(value_text(change.field, change.after), Tone.ADD)
    return (before, Span(" → "), after, *_hand(change.cause))


def _hand(cause: Cause) -> tuple[Span, ...]:
    return _BOTH if cause is Cause.BOTH else ()
