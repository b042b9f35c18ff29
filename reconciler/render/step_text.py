"""One step of a plan as lines: its fields before and after, whose doing each difference is, what holds it up."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import assert_never

from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange, ValueSet
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Step
from reconciler.core.problem import Where
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import Share, SharedObject
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Forget,
    Ignore,
    Keep,
    Record,
    Unknown,
    Update,
)
from reconciler.render.access_text import object_name, short_workspace
from reconciler.render.lines import Line, Span, Tone, line, pad, width

_FIELD = 13
_LONGEST_VALUE = 200


def step_lines(step: Step, title: str, limit: int) -> Iterator[Line]:
    """`limit` elements of a field are listed one by one."""
    sign, tone = step_sign(step)
    place = () if step.where is None else (Span(short_place(step.where), Tone.DIM),)
    yield line("  ", Span(f"{sign} {title}  ", tone), *place, *_step_cause(step))
    for objection in step.objections:
        yield from _objection(objection.message, objection.hint)
    yield from _body(step, limit)


def step_title(step: Step, workspace: str) -> str:
    """The key, where it is when that is not `workspace`, and what is done beyond what the sign says."""
    elsewhere = "" if step.key.workspace == workspace else f" in {short_workspace(step.key.workspace)}"
    words = _words(step)
    return f"{step.key}{elsewhere}  {words}" if words else f"{step.key}{elsewhere}"


def step_sign(step: Step) -> tuple[str, Tone]:
    if step.is_held:
        return "!", Tone.TROUBLE
    match step.verdict:
        case Create():
            return "+", Tone.ADD
        case Update() | Adopt():
            return "~", Tone.CHANGE
        case Delete():
            return "-", Tone.REMOVE
        case _:
            return "=", Tone.DIM


def short_place(where: Where) -> str:
    name = PurePosixPath(where.path).name
    if where.sheet:
        return f"{name}:{where.sheet}!{where.cell}" if where.cell else f"{name}:{where.sheet}"
    return f"{name}:{where.line}" if where.line else name


def _words(step: Step) -> str:
    match step.verdict:
        case Create():
            words, done = "would be created", ""
        case Update():
            words, done = "would be updated", ""
        case Delete():
            words, done = "would be deleted", "deleted"
        case Adopt():
            words, done = "would be taken over", "taken over (adopt: true)"
        case Record():
            words, done = "waits", "as the file says; our record is brought up to date"
        case Forget():
            words, done = "waits", "gone already; our record is closed"
        case Keep() | Ignore():
            words, done = "nothing else to do", ""
        case Conflict():
            return "conflict"
        case Unknown():
            return "cannot be read"
        case _:
            assert_never(step.verdict)
    return f"held: {words}" if step.is_held else done


def _step_cause(step: Step) -> tuple[Span, ...]:
    match step.verdict:
        case Create(_, Cause.DRIFT):
            return (Span("   ← drift: deleted by hand, made again", Tone.DRIFT),)
        case _:
            return ()


def _objection(message: str, hint: str) -> Iterator[Line]:
    yield line("      ", Span(message, Tone.TROUBLE))
    if hint:
        yield line(f"      → {hint}")


def _body(step: Step, limit: int) -> Iterator[Line]:
    match step.verdict:
        case Create(after, cause):
            yield from whole_lines(after, limit)
            if isinstance(after, Recipient) and isinstance(after.authentication, TokenSharing) and cause != Cause.FILE:
                yield _note("a new token: its partner needs a new activation link")
        case Update(_, after, changes) | Adopt(_, after, changes):
            yield from change_lines(changes, limit)
            yield from _opened(after, changes)
        case Delete(before):
            yield _note(_what_goes(before))
        case Conflict(_, message, hint, changes):
            yield from _objection(message, hint)
            yield from change_lines(changes, limit)
        case Unknown(reason):
            yield from _objection(reason, "nothing is done about it until it can be read")
        case Record() | Forget() | Keep() | Ignore():
            return
        case _:
            assert_never(step.verdict)


def whole_lines(after: Resource, limit: int) -> Iterator[Line]:
    """Every field a new resource will have."""
    match after:
        case Recipient():
            yield _field("type", Span(str(after.authentication)))
            if after.email is not UNMANAGED and after.email:
                yield _field("email", Span(after.email))
            yield from _addresses(after)
            yield from _text("comment", after.comment)
        case Share():
            yield from _text("comment", after.comment)
            if after.objects is not UNMANAGED:
                names = [_element(item) for item in sorted(after.objects, key=str)]
                yield from _elements("objects", "+", names, limit)
            if after.recipients is not UNMANAGED:
                yield from _elements("recipients", "+", sorted(after.recipients), limit=len(after.recipients))
        case _:
            assert_never(after)


def _addresses(after: Recipient) -> Iterator[Line]:
    if not isinstance(after.authentication, TokenSharing):
        return
    if after.allowed_ips is UNMANAGED or not after.allowed_ips:
        yield _field("allowed_ips", Span("none: it can read from any address", Tone.CHANGE))
    else:
        yield _field("allowed_ips", Span(", ".join(sorted(after.allowed_ips))))


def _text(field: str, value: object) -> Iterator[Line]:
    if isinstance(value, str) and value:
        yield _field(field, Span(quoted(value)))


def _elements(field: str, sign: str, names: Sequence[str], limit: int) -> Iterator[Line]:
    if not names:
        yield _field(field, Span("none", Tone.DIM))
    tone = Tone.ADD if sign == "+" else Tone.REMOVE
    for index, name in enumerate(names[:limit]):
        yield _field("" if index else field, Span(f"{sign} {name}", tone))
    if len(names) > limit:
        yield _field("", Span(f"… and {len(names) - limit:,} more (--full shows all)"))


def change_lines(changes: Sequence[FieldChange], limit: int) -> Iterator[Line]:
    """Changes of recipients and addresses are all listed: they say who can read. Long lists of objects are cut, and
    the cut says how many it hides."""
    shown = 0
    field = ""
    for change in changes:
        shown = shown + 1 if change.field == field else 1
        label = "" if change.field == field else change.field
        field = change.field
        if field != "objects" or shown <= limit:
            yield _field(label, *_change(change))
    hidden = sum(change.field == "objects" for change in changes) - limit
    if hidden > 0:
        yield _field("", Span(f"… and {hidden:,} more changes of objects (--full shows all)"))


def _change(change: FieldChange) -> tuple[Span, ...]:
    said: tuple[Span, ...]
    match change:
        case ValueSet(_, before, after, cause):
            said = (Span(quoted(before), Tone.REMOVE), Span(" → "), Span(quoted(after), Tone.ADD))
        case ElementAdded(_, element, cause):
            said = (Span(f"+ {_element(element)}", Tone.ADD),)
        case ElementRemoved(_, element, cause):
            said = (Span(f"- {_element(element)}", Tone.REMOVE),)
        case _:
            assert_never(change)
    return (*said, *_cause(change, cause))


def _cause(change: FieldChange, cause: Cause) -> tuple[Span, ...]:
    match cause:
        case Cause.FILE:
            return ()
        case Cause.DRIFT:
            return (Span(f"   ← drift: {_deed(change)} by hand", Tone.DRIFT),)
        case Cause.BOTH:
            return (Span("   ← changed in the file and by hand", Tone.DRIFT),)
        case _:
            assert_never(cause)


def _deed(change: FieldChange) -> str:
    match change:
        case ValueSet():
            return "changed"
        case ElementAdded():
            return "removed"
        case ElementRemoved():
            return "added"
        case _:
            assert_never(change)


def _opened(after: Resource, changes: Sequence[FieldChange]) -> Iterator[Line]:
    closed = any(change.field == "allowed_ips" for change in changes)
    if closed and isinstance(after, Recipient) and after.allowed_ips is not UNMANAGED and not after.allowed_ips:
        yield _note("no address left in the list: it can then read from any address")


def _what_goes(before: Resource) -> str:
    match before:
        case Recipient(authentication=TokenSharing()):
            return "its token stops working, and a recipient made later needs a new one"
        case Recipient():
            return "it loses every share granted to it"
        case Share():
            objects = 0 if before.objects is UNMANAGED else len(before.objects)
            readers = 0 if before.recipients is UNMANAGED else len(before.recipients)
            return f"{_counted(objects, 'object')}, {_counted(readers, 'reader')}"
        case _:
            assert_never(before)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _element(element: str | SharedObject) -> str:
    if isinstance(element, str):
        return element
    if element.type is UNMANAGED or element.type == "TABLE" or element.name.count(".") == 1:
        return object_name(element.name)
    return f"{element.name} ({str(element.type).lower().replace('_', ' ')})"


def quoted(value: str) -> str:
    if len(value) <= _LONGEST_VALUE:
        return f'"{value}"'
    return f'"{value[:_LONGEST_VALUE]}…" (+{len(value) - _LONGEST_VALUE:,} characters)'


def _field(name: str, *spans: Span) -> Line:
    return line(f"      {pad(name, max(_FIELD, width(name) + 2))}", *spans)


def _note(text: str) -> Line:
    return line(Span(f"      {text}", Tone.DIM))
