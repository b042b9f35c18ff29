"""What keeps a plan from bringing something into order for a while: a suspended pack, and fields that somebody else
keeps changing back. Every hold has an owner, a reason and an end; who places and lifts them is decided elsewhere."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.core.changes import (
    Cause,
    Element,
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
    field_changes,
)
from reconciler.core.encoding import digest
from reconciler.core.guard import Objection
from reconciler.core.key import Key, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.objects import bare
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.severity import Effect, change_effect
from reconciler.core.share import TABLE_LIKE, ObjectType, Share, SharedObject
from reconciler.core.verdict import Adopt, Create, Delete, Rename, Replace, Update, Verdict

#: So many corrections of one field within `CONTEST_WINDOW` seconds, and the next change by hand is left alone.
CONTESTED_AFTER: Final = 3
CONTEST_WINDOW: Final = 24 * 3600.0
#: Seconds after which a contested field is corrected again.
CONTEST_LASTS: Final = 7 * 24 * 3600.0
#: The field of a resource that was deleted as a whole.
EXISTENCE: Final = "existence"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Nothing of the pack is changed until then; what is committed to be taken away goes through all the same, unless
    `revocations_too`."""

    by: str
    reason: str
    since: datetime
    until: datetime
    revocations_too: bool = False


@dataclass(frozen=True, slots=True)
class Contest:
    """A field that was corrected too often: it is left as somebody else keeps setting it."""

    #: As `path_of` names it.
    field: str
    #: Who changed the resource last when it was corrected; empty where Databricks did not tell.
    actor: str
    since: datetime
    until: datetime
    #: `declared_digest` of what the pack wanted then. A pack that wants something else ends the contest.
    declared: str


@dataclass(frozen=True, slots=True)
class Holds:
    """Those in force."""

    suspensions: Mapping[PackId, Suspension] = field(default_factory=dict)
    contests: Mapping[Key, tuple[Contest, ...]] = field(default_factory=dict)

    def contests_of(self, key: Key, desired: Resource | None) -> tuple[Contest, ...]:
        """Those that the pack has not ended by wanting something else."""
        found = self.contests.get(key, ())
        if not found or desired is None:
            return ()
        declared = declared_digest(desired)
        return tuple(each for each in found if each.declared == declared)


def suspension_objections(verdict: Verdict, suspension: Suspension | None) -> Iterator[Objection]:
    """Against every change at Databricks, but for those that only take away what a commit took away."""
    if suspension is None or not _changes_something(verdict):
        return
    if not suspension.revocations_too and _only_takes_away(verdict):
        return
    until = suspension.until.astimezone(UTC)
    yield Objection(
        "suspended",
        f"the pack is suspended until {until:%Y-%m-%d %H:%M} UTC by {suspension.by}: {suspension.reason}",
        "wait until then, or end it with `sharepack resume PACK`",
    )


def _changes_something(verdict: Verdict) -> bool:
    match verdict:
        case Adopt(changes=changes):
            return bool(changes)
        case _:
            return isinstance(verdict, Create | Update | Rename | Replace | Delete)


def _only_takes_away(verdict: Verdict) -> bool:
    """Every single change leaves its readers less, and none undoes what somebody did by hand. That a deletion is
    committed is `core.guard`'s to see to."""
    match verdict:
        case Update(before, after, changes) | Adopt(before, after, changes):
            return all(change.cause is Cause.FILE and _takes_away(change, before, after) for change in changes)
        case _:
            return isinstance(verdict, Delete)


def _takes_away(change: FieldChange, before: Resource, after: Resource) -> bool:
    match change:
        case ElementAdded(field="allowed_ips") | ElementRemoved(field="allowed_ips"):
            # An empty list lets everybody in.
            was, now = _addresses(before), _addresses(after)
            return bool(now) and (not was or now < was)
        case ObjectChanged(sets=sets):
            return all(change_effect(replace(change, sets=(each,))) is Effect.NARROWS for each in sets)
        case _:
            return change_effect(change) is Effect.NARROWS


def _addresses(resource: Resource) -> frozenset[str]:
    if not isinstance(resource, Recipient) or resource.allowed_ips is UNMANAGED:
        return frozenset()
    return resource.allowed_ips


def declared_digest(desired: Resource) -> str:
    return digest(encode_resource(desired))


def path_of(change: FieldChange) -> str:
    """The field that a change is about: `comment`, `properties.region`, `recipients[partner-x]`, `objects[c.s.t]`."""
    match change:
        case ValueSet(field=name):
            return name
        case ElementAdded(field=name, element=element) | ElementRemoved(field=name, element=element):
            return f"{name}[{_element_name(element)}]"
        case ObjectChanged(after=after):
            return f"objects[{after.name}]"
        case TokenRotated() | TokenShortened():
            return "token"


def changed_by_hand(changes: Iterable[FieldChange]) -> frozenset[str]:
    """The fields somebody else changed."""
    return frozenset(path_of(change) for change in changes if change.cause in {Cause.DRIFT, Cause.BOTH})


def parted(
    changes: Iterable[FieldChange], contested: Collection[str]
) -> tuple[tuple[FieldChange, ...], tuple[FieldChange, ...]]:
    """Those that are not made because their field is contested, and the rest. What a notebook holds cannot be read, so
    nobody contests it: it is sent, and everything else of the notebook is left."""
    left: list[FieldChange] = []
    rest: list[FieldChange] = []
    for change in changes:
        if path_of(change) not in contested:
            rest.append(change)
        elif isinstance(change, ObjectChanged):
            sent, kept = _by_content(change)
            left += [replace(change, sets=kept)] if kept else []
            rest += [replace(change, sets=sent, after=_left_object(change))] if sent else []
        else:
            left.append(change)
    return _without_room(left, rest)


def as_left(desired: Resource, actual: Resource, left: Iterable[FieldChange]) -> Resource:
    """The desired resource, with the fields of these changes as they are in the workspace."""
    result = desired
    for change in left:
        result = _without(result, actual, change)
    return result


def is_as_recorded(desired: Resource, recorded: Resource | None, contested: Collection[str]) -> bool:
    """Whether our record is what is desired; contested fields may be on record as somebody left them."""
    if recorded is None or not contested:
        return recorded == desired
    left, _ = parted(field_changes(desired, None, recorded), contested)
    return as_left(desired, recorded, left) == recorded


def _by_content(change: ObjectChanged) -> tuple[tuple[ValueSet, ...], tuple[ValueSet, ...]]:
    sent = tuple(each for each in change.sets if each.field == "content")
    return sent, tuple(each for each in change.sets if each not in sent)


def _left_object(change: ObjectChanged) -> SharedObject:
    return replace(change.before, content=change.after.content)


def _without_room(
    left: Sequence[FieldChange], rest: Sequence[FieldChange]
) -> tuple[tuple[FieldChange, ...], tuple[FieldChange, ...]]:
    """An object whose alias belongs to one that is left in the share cannot be added: it is left out with it."""
    taken = {_place(each.element) for each in left if isinstance(each, ElementRemoved)}
    barred = [each for each in rest if isinstance(each, ElementAdded) and _place(each.element) in taken - {None}]
    return (*left, *barred), tuple(each for each in rest if each not in barred)


def _place(element: Element) -> tuple[str, str] | None:
    """What no two objects of a share may have in common (contract 4.4)."""
    if not isinstance(element, SharedObject):
        return None
    space = "table" if element.type is UNMANAGED or element.type in TABLE_LIKE else str(element.type)
    is_notebook = element.type is ObjectType.NOTEBOOK_FILE
    default = element.name if is_notebook else element.name.partition(".")[2]
    return space, default if element.shared_as is UNMANAGED else element.shared_as


def _element_name(element: Element) -> str:
    return element if isinstance(element, str) else element.name


def _without(desired: Resource, actual: Resource, change: FieldChange) -> Resource:
    match change:
        case TokenRotated() | TokenShortened():
            return desired
        case ValueSet(field=name) if name.startswith("properties."):
            return _property_as_is(desired, actual, name.removeprefix("properties."))
        case ValueSet(field=name):
            return _with_value(desired, name, getattr(actual, name))
        case ElementAdded(field=name, element=element):
            return _with_value(desired, name, getattr(desired, name) - {element})
        case ElementRemoved(field=name, element=element):
            # As our record tells of what no pack manages.
            there = bare(element) if isinstance(element, SharedObject) else element
            return _with_value(desired, name, getattr(desired, name) | {there})
        case ObjectChanged(after=after):
            return _with_value(desired, "objects", (_objects(desired) - {after}) | {_left_object(change)})


def _objects(resource: Resource) -> frozenset[SharedObject]:
    if not isinstance(resource, Share) or resource.objects is UNMANAGED:
        raise TypeError("only shares have objects")
    return resource.objects


def _with_value(resource: Resource, name: str, value: Any) -> Resource:
    fields: dict[str, Any] = {name: value}
    return replace(resource, **fields)


def _property_as_is(desired: Resource, actual: Resource, name: str) -> Resource:
    if not isinstance(desired, Recipient) or not isinstance(actual, Recipient):
        raise TypeError("only recipients have properties")
    wanted = {} if desired.properties is UNMANAGED else dict(desired.properties)
    found = {} if actual.properties is UNMANAGED else dict(actual.properties)
    wanted.pop(name, None)
    if name in found:
        wanted[name] = found[name]
    return replace(desired, properties=frozenset(wanted.items()))
