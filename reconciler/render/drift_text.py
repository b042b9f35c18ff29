"""What somebody changed in the workspace by hand: recorded, actual and desired, since when and by whom where Databricks
tells, and what becomes of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, assert_never

from reconciler.core.changes import (
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
)
from reconciler.core.plan import Seen, Step
from reconciler.core.severity import drift_effect
from reconciler.core.verdict import Drifted
from reconciler.render.change_text import hidden_line, labelled
from reconciler.render.contest_text import contest_lines, is_all_contested
from reconciler.render.effect_text import effect_span
from reconciler.render.element_text import (
    attribute_line,
    element_text,
    field_line,
    gone_text,
    note_line,
    object_title,
    value_text,
)
from reconciler.render.lines import Line, Span, Tone, line, width
from reconciler.render.moments import utc

#: Columns that the three values of a field may take together in one line.
_ONE_LINE: Final = 90


def drift_lines(changes: Sequence[FieldChange], limit: int) -> Iterator[Line]:
    for change, label in labelled(changes, limit):
        yield from _change(label, change)
    yield from hidden_line(changes, limit)


def left_lines(step: Step, verdict: Drifted, limit: int) -> Iterator[Line]:
    """Drift that is not corrected: a pack or its tenant wants it told, or it was corrected too often."""
    is_gone = verdict.actual is None
    if is_gone:
        yield note_line("deleted by hand (recorded: yes, actual: no, desired: yes)", Tone.DRIFT)
    yield from drift_lines(verdict.changes, limit)
    yield from contest_lines(step)
    if is_all_contested(step):
        return
    correcting = (" makes it anew",) if is_gone else (": ", effect_span(drift_effect(verdict)))
    yield line("      → only reported (drift: report); correcting it", *correcting)
    yield line("      → to correct it: write `drift: correct` in the pack or its tenant, or change its entry there")
    yield line(f"      → to keep it: {'take it out of' if is_gone else 'write what is there into'} the file")


def seen_span(seen: Seen | None) -> tuple[Span, ...]:
    """`last changed 2026-11-19 09:30:00 UTC by ann@example.com`, as far as Databricks tells."""
    if seen is None or (seen.updated_at is None and not seen.updated_by):
        return ()
    at = "" if seen.updated_at is None else f" {utc(seen.updated_at)}"
    by = f" by {seen.updated_by}" if seen.updated_by else ""
    return (Span(f"   last changed{at}{by}", Tone.DRIFT),)


def _change(label: str, change: FieldChange) -> Iterator[Line]:
    match change:
        case ValueSet():
            yield from _three(label, change, field_line)
        case ElementAdded(_, element):
            yield field_line(label, Span(f"+ {element_text(element)}", Tone.ADD), *_there(is_desired=True))
        case ElementRemoved(_, element):
            yield field_line(label, Span(f"- {gone_text(element)}", Tone.REMOVE), *_there(is_desired=False))
        case ObjectChanged(_, after, sets):
            yield field_line(label, Span(f"~ {object_title(after)}", Tone.CHANGE))
            for each in sets:
                yield from _three(each.field, each, attribute_line)
        case TokenRotated() | TokenShortened():
            # A token is never drift: Databricks lets nobody lengthen one, and when it is due the file says.
            return
        case _:
            assert_never(change)


def _there(*, is_desired: bool) -> tuple[Span, ...]:
    if is_desired:
        return (Span("   removed by hand", Tone.DRIFT), Span(" (recorded: yes, actual: no, desired: yes)", Tone.DIM))
    return (Span("   added by hand", Tone.DRIFT), Span(" (recorded: no, actual: yes, desired: no)", Tone.DIM))


def _three(name: str, change: ValueSet, as_line: Callable[..., Line]) -> Iterator[Line]:
    """In one line where that is short enough to be read at a glance."""
    values = (
        Span(f"recorded {value_text(change.field, change.recorded)}", Tone.DIM),
        Span(f"actual {value_text(change.field, change.before)}", Tone.DRIFT),
        Span(f"desired {value_text(change.field, change.after)}", Tone.ADD),
    )
    if sum(width(each.text) for each in values) <= _ONE_LINE:
        yield as_line(name, values[0], Span(", "), values[1], Span(", "), values[2])
        return
    for index, value in enumerate(values):
        yield as_line("" if index else name, value)
