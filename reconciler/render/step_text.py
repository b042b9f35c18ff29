"""One step of a plan as lines: what is done to which resource, what that does to its readers, what stands against it,
and its fields before and after. A step that the file and somebody's hand both ask for is shown in two parts."""

from collections.abc import Iterator
from typing import assert_never

from reconciler.core.changes import Cause, FieldChange
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Step
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.severity import Effect
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Unknown,
    Update,
)
from reconciler.render.change_text import by_file, by_hand, change_lines
from reconciler.render.contest_text import contest_lines
from reconciler.render.drift_text import drift_lines, left_lines, seen_span
from reconciler.render.effect_text import step_effect
from reconciler.render.element_text import note_line
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.render.objection_text import objection_lines, trouble_lines
from reconciler.render.resource_text import gone_lines, new_token_line, whole_lines
from reconciler.render.step_title import short_place, step_sign


def is_by_file(step: Step) -> bool:
    """Whether it has a part that is not drift: what the file asks for, or what the program found in the way."""
    match step.verdict:
        case Create(_, cause):
            return cause is not Cause.DRIFT
        case Update(changes=changes):
            return bool(by_file(changes))
        case Drifted():
            return False
        case _:
            return True


def is_by_hand(step: Step) -> bool:
    """Whether it has a part that somebody's hand in the workspace asks for."""
    match step.verdict:
        case Create(_, cause):
            return cause is not Cause.FILE
        case Update(changes=changes) | Rename(changes=changes) | Adopt(changes=changes):
            return bool(by_hand(changes))
        case Drifted():
            return True
        case _:
            return False


def step_lines(step: Step, title: str, limit: int) -> Iterator[Line]:
    """The file's part. `limit` elements of a field are listed one by one."""
    yield _headline(step, title)
    yield from objection_lines(step)
    yield from _body(step, limit)
    if not is_by_hand(step):
        yield from contest_lines(step)


def drift_step_lines(step: Step, title: str, limit: int) -> Iterator[Line]:
    """The part that somebody changed by hand. What holds a step is told with the file's part when there is one."""
    if is_by_file(step):
        sign, tone = step_sign(step)
        yield line(
            "  ", Span(f"{sign} {title}  ", tone), Span("also changed by hand", Tone.DRIFT), *seen_span(step.seen)
        )
    else:
        yield (*_headline(step, title), *seen_span(step.seen))
        yield from objection_lines(step)
    match step.verdict:
        case Create(after):
            yield note_line("deleted by hand (recorded: yes, actual: no, desired: yes), made again", Tone.DRIFT)
            yield from whole_lines(after, limit)
            yield from new_token_line(after) if isinstance(after, Recipient) else ()
        case Update(_, after, changes) | Rename(_, after, changes) | Adopt(_, after, changes):
            yield from drift_lines(by_hand(changes), limit)
            yield from () if is_by_file(step) else _opened(after, changes)
        case Drifted() as verdict:
            yield from left_lines(step, verdict, limit)
            return
        case _:
            return
    yield from contest_lines(step)


def _headline(step: Step, title: str) -> Line:
    sign, tone = step_sign(step)
    effect = (step_effect(step), Span("  ")) if step.effect is not Effect.NONE else ()
    place = () if step.where is None else (Span(short_place(step.where), Tone.DIM),)
    return line("  ", Span(f"{sign} {title}  ", tone), *effect, *place)


def _body(step: Step, limit: int) -> Iterator[Line]:
    match step.verdict:
        case Create(after):
            yield from whole_lines(after, limit)
        case Update(_, after, changes) | Adopt(_, after, changes):
            yield from _changed(after, changes, limit)
        case Rename(before, after, changes):
            yield note_line(_what_a_rename_keeps(before))
            yield from _changed(after, changes, limit)
        case Replace(before, after):
            yield from _replaced(before, after, limit)
        case Delete(before):
            yield from gone_lines(before, limit)
        case Conflict():
            yield from _conflict(step, step.verdict, limit)
        case Unknown(reason):
            yield from trouble_lines(reason, "nothing is done about it until it can be read")
        case Drifted() | Record() | Forget() | Release() | Keep() | Ignore():
            return
        case _:
            assert_never(step.verdict)


def _changed(after: Resource, changes: tuple[FieldChange, ...], limit: int) -> Iterator[Line]:
    yield from change_lines(by_file(changes), limit)
    yield from _opened(after, changes)


def _opened(after: Resource, changes: tuple[FieldChange, ...]) -> Iterator[Line]:
    touched = any(change.field == "allowed_ips" for change in changes)
    if touched and isinstance(after, Recipient) and after.allowed_ips is not UNMANAGED and not after.allowed_ips:
        yield note_line("no address left in the list: it can then read from any address", Tone.CHANGE)


def _what_a_rename_keeps(before: Resource) -> str:
    match before:
        case Recipient():
            return "in place: its token, its activation link and its grants stay"
        case _:
            return "in place: its objects and grants stay; its readers must ask for it by the new name"


def _replaced(before: Resource, after: Resource, limit: int) -> Iterator[Line]:
    yield from gone_lines(before, limit)
    yield note_line("made anew, and granted again what it was granted:")
    yield from whole_lines(after, limit)
    yield from new_token_line(after) if isinstance(after, Recipient) else ()


def _conflict(step: Step, conflict: Conflict, limit: int) -> Iterator[Line]:
    yield from trouble_lines(conflict.message, conflict.hint)
    if conflict.rule != "exists-not-ours":
        yield from change_lines(conflict.changes, limit)
        return
    if step.seen is not None and step.seen.owner:
        yield line(Span(f"      owned by {step.seen.owner}", Tone.DIM), *seen_span(step.seen))
    changes = "would change this:" if conflict.changes else "would change nothing at Databricks"
    yield note_line(f"`adopt: true` {changes}")
    yield from change_lines(conflict.changes, limit)
