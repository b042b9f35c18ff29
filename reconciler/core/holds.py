"""What keeps a plan from bringing something into order for a while: a suspended pack, and fields that somebody else
keeps changing back. Every hold has an owner, a reason and an end; who places and lifts them is decided elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

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
from reconciler.core.encoding import digest
from reconciler.core.guard import Objection, only_removes_access
from reconciler.core.key import Key, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import FederationPolicy, Recipient
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.share import Share, SharedObject
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
    if not suspension.revocations_too and only_removes_access(verdict) and _is_committed(verdict):
        return
    yield Objection(
        "suspended",
        f"the pack is suspended until {suspension.until:%Y-%m-%d %H:%M %Z} by {suspension.by}: {suspension.reason}",
        "wait until then, or end it with `sharepack resume`",
    )


def _changes_something(verdict: Verdict) -> bool:
    match verdict:
        case Adopt(changes=changes):
            return bool(changes)
        case _:
            return isinstance(verdict, Create | Update | Rename | Replace | Delete)


def _is_committed(verdict: Verdict) -> bool:
    """Not what somebody did by hand and we would undo."""
    match verdict:
        case Update(changes=changes) | Adopt(changes=changes):
            return all(change.cause is Cause.FILE for change in changes)
        case _:
            return isinstance(verdict, Delete)


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


def as_left(desired: Resource, actual: Resource, left: Iterable[FieldChange]) -> Resource:
    """The desired resource, with the fields of these changes as they are in the workspace."""
    result = desired
    for change in left:
        result = _without(result, actual, change)
    return result


def _element_name(element: str | SharedObject | FederationPolicy) -> str:
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
            return _with_value(desired, name, getattr(desired, name) | {element})
        case ObjectChanged(before=before, after=after):
            # What a notebook holds cannot be read; it was not what changed.
            left = replace(before, content=after.content)
            return _with_value(desired, "objects", (_objects(desired) - {after}) | {left})


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
