"""What a step does to whoever reads the data: the order in which a reviewer should worry."""

from collections.abc import Collection
from enum import IntEnum
from typing import assert_never

from reconciler.core.changes import (
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
)
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.share import Share
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


class Effect(IntEnum):
    """From harmless to worst; a step has the worst of its changes."""

    NONE = 0
    METADATA = 1
    WIDENS = 2
    NARROWS = 3
    BREAKS = 4
    REVOKES_ALL = 5

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Effect.NONE: "no effect",
    Effect.METADATA: "metadata only",
    Effect.WIDENS: "widens access",
    Effect.NARROWS: "narrows access",
    Effect.BREAKS: "breaks the consumer",
    Effect.REVOKES_ALL: "revokes all",
}


def effect(verdict: Verdict) -> Effect:
    match verdict:
        case Create(after):
            is_read = isinstance(after, Share) and _some(after.objects) and _some(after.recipients)
            return Effect.WIDENS if is_read else Effect.METADATA
        case Update(before, after, changes) | Adopt(before, after, changes):
            return _effect_of(before, after, changes)
        case Rename(before, after, changes):
            renamed = Effect.BREAKS if isinstance(after, Share) and _some(_readers(before)) else Effect.METADATA
            return max(renamed, _effect_of(before, after, changes))
        case Replace():
            return Effect.REVOKES_ALL
        case Delete(before):
            is_unread = isinstance(before, Share) and not _some(before.recipients)
            return Effect.METADATA if is_unread else Effect.REVOKES_ALL
        case Record() | Keep() | Drifted() | Forget() | Release() | Conflict() | Unknown() | Ignore():
            return Effect.NONE
        case _:
            assert_never(verdict)


def also_widens(verdict: Verdict) -> bool:
    """Whether somebody gains something besides the worse effect that the step has."""
    match verdict:
        case Update(changes=changes) | Adopt(changes=changes) | Rename(changes=changes):
            widens = any(change_effect(change) is Effect.WIDENS for change in changes)
            return widens and effect(verdict) > Effect.WIDENS and not _replaces_an_object(changes)
        case _:
            return False


def drift_effect(verdict: Drifted) -> Effect:
    """What correcting a reported drift would do."""
    return max(map(change_effect, verdict.changes), default=Effect.METADATA)


def change_effect(change: FieldChange) -> Effect:
    """The effect of one change, seen for itself."""
    match change:
        case ValueSet(field, before, after):
            return _value_effect(field, before, after)
        case ElementAdded():
            return Effect.WIDENS
        case ElementRemoved():
            return Effect.NARROWS
        case ObjectChanged(sets=sets):
            return max(_value_effect(each.field, each.before, each.after) for each in sets)
        case TokenRotated(overlap=overlap):
            return Effect.METADATA if overlap else Effect.BREAKS
        case TokenShortened():
            return Effect.NARROWS
        case _:
            assert_never(change)


def _value_effect(field: str, before: str, after: str) -> Effect:
    match field:
        case "partitions":
            return (Effect.BREAKS if before else Effect.NARROWS) if after else Effect.WIDENS
        case "history" | "cdf":
            return Effect.WIDENS if after == "on" else Effect.NARROWS
        case "start_version":
            return Effect.WIDENS if int(after or 0) < int(before or 0) else Effect.NARROWS
        case "expires_at":
            return Effect.NARROWS
        case _ if field.startswith("properties."):
            # Rows and partitions may be chosen by it: it can mean other data.
            return Effect.BREAKS if before and after else Effect.WIDENS if after else Effect.NARROWS
        case _:
            return Effect.METADATA


def _effect_of(before: Resource, after: Resource, changes: Collection[FieldChange]) -> Effect:
    if _empties(before, after):
        return Effect.REVOKES_ALL
    if _replaces_an_object(changes):
        return Effect.BREAKS
    effects = [change_effect(change) for change in changes if change.field != "allowed_ips"]
    return max([*effects, _address_effect(before, after)], default=Effect.NONE)


def _empties(before: Resource, after: Resource) -> bool:
    """Whether a share that somebody could read has nobody, or nothing, left."""
    if not isinstance(before, Share) or not isinstance(after, Share):
        return False
    was_read = _some(before.recipients) and _some(before.objects)
    return was_read and (after.recipients == frozenset() or after.objects == frozenset())


def _replaces_an_object(changes: Collection[FieldChange]) -> bool:
    """The same source leaves and comes back under another alias or type: its readers have to follow."""
    removed = {str(each.element) for each in changes if isinstance(each, ElementRemoved) and each.field == "objects"}
    added = {str(each.element) for each in changes if isinstance(each, ElementAdded) and each.field == "objects"}
    return bool(removed & added)


def _address_effect(before: Resource, after: Resource) -> Effect:
    """An empty list lets everybody in: emptying it widens, filling an empty one narrows."""
    if not isinstance(before, Recipient) or not isinstance(after, Recipient) or after.allowed_ips is UNMANAGED:
        return Effect.NONE
    was = frozenset() if before.allowed_ips is UNMANAGED else before.allowed_ips
    if was == after.allowed_ips:
        return Effect.NONE
    if not after.allowed_ips:
        return Effect.WIDENS
    return Effect.WIDENS if was and was < after.allowed_ips else Effect.NARROWS


def _readers(resource: Resource) -> Managed[frozenset[str]]:
    return resource.recipients if isinstance(resource, Share) else UNMANAGED


def _some(items: Managed[frozenset[object]] | Managed[frozenset[str]]) -> bool:
    return items is not UNMANAGED and bool(items)
