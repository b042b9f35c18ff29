"""Who can read what: the union of a recipient's shares, before and after. Does not decide whether that is right."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final, assert_never

from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange, ObjectChanged
from reconciler.core.managed import UNMANAGED
from reconciler.core.resource import Resource
from reconciler.core.severity import Effect, change_effect
from reconciler.core.share import ObjectType, Share, SharedObject
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
    Verdict,
)

#: Names of data objects by name of recipient.
Access = Mapping[str, frozenset[str]]

#: What is in a shared schema comes with it (contract 4.4).
_IN_SCHEMA: Final = frozenset(ObjectType) - {
    ObjectType.SCHEMA,
    ObjectType.NOTEBOOK_FILE,
    ObjectType.MODEL,
    ObjectType.FUNCTION,
    ObjectType.FEATURE_SPEC,
}


@dataclass(frozen=True, slots=True)
class AccessChange:
    recipient: str
    #: Objects, and schemas with all that is in them. What a shared schema covers anyway is neither gained nor lost.
    gains: tuple[str, ...]
    loses: tuple[str, ...]
    #: How many objects it can read afterwards.
    reads_after: int
    #: Nothing in the file asked for this: a grant made or taken by hand is being corrected.
    is_drift: bool = False
    #: Objects it goes on reading, but more, less or another part of.
    reads_otherwise: tuple[str, ...] = ()


def access_changes(verdicts: Iterable[Verdict]) -> tuple[AccessChange, ...]:
    """Per recipient, what it gains and loses when these verdicts are carried out, sorted by name."""
    shares: list[tuple[list[Share], list[Share]]] = []
    by_file: set[str] = set()
    otherwise: dict[str, set[str]] = {}
    for verdict in verdicts:
        shares.append(share_states(verdict))
        by_file |= _touched_by_file(verdict)
        for recipient, names in _read_otherwise(verdict).items():
            otherwise.setdefault(recipient, set()).update(names)
    # Whoever reads none of the shares that change reads what it read.
    touched = otherwise.keys() | {
        name for was, becomes in shares if was != becomes for name in access([*was, *becomes])
    }
    readable = _readable((each for was, _ in shares for each in was), touched)
    will_read = _readable((each for _, becomes in shares for each in becomes), touched)
    changes = []
    for recipient in sorted(readable.keys() | will_read.keys()):
        old, new = readable.get(recipient, frozenset()), will_read.get(recipient, frozenset())
        gains, loses = _beyond(new, old), _beyond(old, new)
        still = otherwise.get(recipient, set()) & {item.name for item in old & new}
        if gains or loses or still:
            change = AccessChange(
                recipient, gains, loses, len(new), recipient not in by_file, reads_otherwise=tuple(sorted(still))
            )
            changes.append(change)
    return tuple(changes)


@dataclass(frozen=True, slots=True)
class _Readable:
    name: str
    #: The schema that brings it along when that is shared; None: no schema does.
    schema: str | None
    is_schema: bool


def _readable(shares: Iterable[Share], recipients: AbstractSet[str]) -> Mapping[str, frozenset[_Readable]]:
    """By these recipients."""
    found: dict[str, frozenset[_Readable]] = {}
    for share in shares:
        readers = () if share.recipients is UNMANAGED else share.recipients & recipients
        if not readers:
            continue
        items = frozenset() if share.objects is UNMANAGED else frozenset(map(_as_readable, share.objects))
        for recipient in readers:
            found[recipient] = found.get(recipient, frozenset()) | items
    return found


def _as_readable(item: SharedObject) -> _Readable:
    is_schema = item.type == ObjectType.SCHEMA or (item.type is UNMANAGED and item.name.count(".") == 1)
    comes_along = not is_schema and (item.type is UNMANAGED or item.type in _IN_SCHEMA)
    return _Readable(item.name, item.name.rpartition(".")[0] if comes_along else None, is_schema)


def _beyond(these: frozenset[_Readable], those: frozenset[_Readable]) -> tuple[str, ...]:
    """What only these hold, without what a schema among those brings along."""
    schemas = {item.name for item in those if item.is_schema}
    return tuple(sorted({item.name for item in these - those if item.schema not in schemas}))


def access(shares: Iterable[Share]) -> Access:
    readable: dict[str, frozenset[str]] = {}
    for share in shares:
        objects = frozenset() if share.objects is UNMANAGED else frozenset(item.name for item in share.objects)
        for recipient in () if share.recipients is UNMANAGED else share.recipients:
            readable[recipient] = readable.get(recipient, frozenset()) | objects
    return readable


def share_states(verdict: Verdict) -> tuple[list[Share], list[Share]]:
    """Before and after the verdict is carried out; each holds one share or none."""
    match verdict:
        case Create(after):
            return [], _shares(after)
        case Update(before, after) | Adopt(before, after) | Rename(before, after):
            if isinstance(before, Share) and isinstance(after, Share):
                return [before], [overlay(before, after)]
            return [], []
        case Keep(same) | Record(_, same) | Drifted(same):
            return _shares(same), _shares(same)
        case Delete(before):
            return _shares(before), []
        case Replace() | Forget() | Release() | Conflict() | Unknown() | Ignore():
            return [], []
        case _:
            assert_never(verdict)


def _shares(resource: Resource | None) -> list[Share]:
    return [resource] if isinstance(resource, Share) else []


def overlay(actual: Share, desired: Share) -> Share:
    """The share once the desired fields hold; what is not managed stays as it is."""
    return replace(
        desired,
        comment=actual.comment if desired.comment is UNMANAGED else desired.comment,
        objects=actual.objects if desired.objects is UNMANAGED else desired.objects,
        recipients=actual.recipients if desired.recipients is UNMANAGED else desired.recipients,
    )


def _read_otherwise(verdict: Verdict) -> Access:
    """The objects that stay in a share and are shared in another extent, for each of its readers."""
    match verdict:
        case (
            Update(_, Share() as after, changes)
            | Adopt(_, Share() as after, changes)
            | Rename(_, Share() as after, changes)
        ):
            names = frozenset(
                change.after.name
                for change in changes
                if isinstance(change, ObjectChanged) and change_effect(change) > Effect.METADATA
            )
            readers = frozenset() if after.recipients is UNMANAGED else after.recipients
            return dict.fromkeys(readers, names) if names else {}
        case _:
            return {}


def _touched_by_file(verdict: Verdict) -> set[str]:
    """The recipients whose access the pack's own words change, not only somebody's hand."""
    match verdict:
        case Create(Share(recipients=recipients), cause):
            return set() if recipients is UNMANAGED or cause is Cause.DRIFT else set(recipients)
        case Delete(Share(recipients=recipients)):
            return set() if recipients is UNMANAGED else set(recipients)
        case Update(before, after, changes) | Adopt(before, after, changes) | Rename(before, after, changes):
            return set(_named(before, after, changes))
        case _:
            return set()


def _named(before: Resource, after: Resource, changes: Iterable[FieldChange]) -> Iterator[str]:
    for change in changes:
        if change.cause is Cause.DRIFT:
            continue
        match change:
            case ElementAdded("recipients", element) | ElementRemoved("recipients", element):
                yield str(element)
            case ElementAdded("objects") | ObjectChanged():
                yield from _readers(after)
            case ElementRemoved("objects"):
                yield from _readers(before)
            case _:
                pass


def _readers(resource: Resource) -> frozenset[str]:
    if not isinstance(resource, Share) or resource.recipients is UNMANAGED:
        return frozenset()
    return resource.recipients
