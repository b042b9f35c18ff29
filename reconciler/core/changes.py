"""Field by field: what makes the actual state into the desired one, and whose doing each difference is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.objects import pair, reduced, resends_content
from reconciler.core.recipient import FederationPolicy, Recipient
from reconciler.core.resource import Resource
from reconciler.core.share import Partition, Share, SharedObject, partition_text


class Cause(StrEnum):
    #: The pack changed.
    FILE = "file"
    #: The workspace was changed by somebody else.
    DRIFT = "drift"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class ValueSet:
    field: str
    before: str
    after: str
    cause: Cause
    #: What our record says; the same as `before` or `after` unless all three differ.
    recorded: str = ""


Element: TypeAlias = str | SharedObject | FederationPolicy


@dataclass(frozen=True, slots=True)
class ElementAdded:
    field: str
    element: Element
    cause: Cause


@dataclass(frozen=True, slots=True)
class ElementRemoved:
    field: str
    element: Element
    cause: Cause


@dataclass(frozen=True, slots=True)
class ObjectChanged:
    """A data object that stays in its share, shared otherwise than before."""

    #: As it is, reduced to what the pack manages.
    before: SharedObject
    after: SharedObject
    #: Attribute by attribute; never empty.
    sets: tuple[ValueSet, ...]
    #: As it is, with everything.
    found: SharedObject

    @property
    def alias(self) -> Managed[str]:
        """The alias it has, which an update has to repeat (contract 4.4)."""
        return self.found.shared_as

    @property
    def field(self) -> str:
        return "objects"

    @property
    def cause(self) -> Cause:
        return combined_cause(self.sets)


@dataclass(frozen=True, slots=True)
class TokenRotated:
    """The newest token is to be replaced; the old one goes on for `overlap` seconds."""

    token_id: str
    #: When the token that is replaced was issued, in epoch milliseconds.
    made_at: int
    overlap: int
    #: When it ends by itself, in epoch milliseconds; None: never.
    ends_at: int | None = None

    @property
    def field(self) -> str:
        return "token"

    @property
    def cause(self) -> Cause:
        return Cause.FILE


@dataclass(frozen=True, slots=True)
class TokenShortened:
    """The newest token lives longer than the pack allows."""

    token_id: str
    #: Epoch milliseconds; None: it never ended.
    before: int | None
    after: int

    @property
    def field(self) -> str:
        return "token"

    @property
    def cause(self) -> Cause:
        return Cause.FILE


TokenChange: TypeAlias = TokenRotated | TokenShortened
FieldChange: TypeAlias = ValueSet | ElementAdded | ElementRemoved | ObjectChanged | TokenRotated | TokenShortened


def field_changes(desired: Resource, recorded: Resource | None, actual: Resource) -> tuple[FieldChange, ...]:
    """Every difference in a managed field, in a stable order. The three must be of one kind."""
    match desired, actual:
        case Recipient(), Recipient():
            last = recorded if isinstance(recorded, Recipient) else Recipient(desired.name, desired.authentication)
            return tuple(_recipient_changes(desired, last, actual))
        case Share(), Share():
            return tuple(_share_changes(desired, recorded if isinstance(recorded, Share) else Share(""), actual))
        case _:
            raise TypeError(f"cannot compare {type(desired).__name__} with {type(actual).__name__}")


def _recipient_changes(desired: Recipient, recorded: Recipient, actual: Recipient) -> Iterator[FieldChange]:
    yield from _value_change("owner", desired.owner, recorded.owner, actual.owner)
    yield from _text_set_changes("allowed_ips", desired.allowed_ips, recorded.allowed_ips, actual.allowed_ips)
    yield from _value_change("comment", desired.comment, recorded.comment, actual.comment)
    yield from _property_changes(desired, recorded, actual)
    yield from _value_change(
        "expires_at", _moment(desired.expires_at), _moment(recorded.expires_at), _moment(actual.expires_at)
    )
    yield from _policy_changes(desired.policies, recorded.policies, actual.policies)


def _share_changes(desired: Share, recorded: Share, actual: Share) -> Iterator[FieldChange]:
    yield from _value_change("owner", desired.owner, recorded.owner, actual.owner)
    yield from _value_change("comment", desired.comment, recorded.comment, actual.comment)
    yield from _value_change("storage_root", desired.storage_root, recorded.storage_root, actual.storage_root)
    yield from _object_changes(desired.objects, recorded.objects, actual.objects)
    yield from _text_set_changes("recipients", desired.recipients, recorded.recipients, actual.recipients)


def _value_change(
    field: str, desired: Managed[str], recorded: Managed[str], actual: Managed[str]
) -> Iterator[ValueSet]:
    found = "" if actual is UNMANAGED else actual
    if desired is UNMANAGED or desired == found:
        return
    if recorded is UNMANAGED or recorded == found:
        cause = Cause.FILE
    elif recorded == desired:
        cause = Cause.DRIFT
    else:
        cause = Cause.BOTH
    yield ValueSet(field, found, desired, cause, found if recorded is UNMANAGED else recorded)


def _text_set_changes(
    field: str,
    desired: Managed[frozenset[str]],
    recorded: Managed[frozenset[str]],
    actual: Managed[frozenset[str]],
) -> Iterator[FieldChange]:
    """An element that our record has and the workspace lost was removed by hand; one the record never had is new in
    the file. The other way round for elements to be removed."""
    if desired is UNMANAGED:
        return
    found = frozenset() if actual is UNMANAGED else actual
    for element in sorted(found - desired):
        yield ElementRemoved(field, element, _removal_cause(element, recorded))
    for element in sorted(desired - found):
        yield ElementAdded(field, element, _addition_cause(element, recorded))


def _removal_cause(element: Element, recorded: Managed[frozenset[Element]] | Managed[frozenset[str]]) -> Cause:
    return Cause.DRIFT if recorded is not UNMANAGED and element not in recorded else Cause.FILE


def _addition_cause(element: Element, recorded: Managed[frozenset[Element]] | Managed[frozenset[str]]) -> Cause:
    return Cause.DRIFT if recorded is not UNMANAGED and element in recorded else Cause.FILE


def _property_changes(desired: Recipient, recorded: Recipient, actual: Recipient) -> Iterator[FieldChange]:
    if desired.properties is UNMANAGED:
        return
    wanted = dict(desired.properties)
    found = {} if actual.properties is UNMANAGED else dict(actual.properties)
    last = None if recorded.properties is UNMANAGED else dict(recorded.properties)
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) == found.get(name):
            continue
        if last is None or last.get(name) == found.get(name):
            cause = Cause.FILE
        else:
            cause = Cause.DRIFT if last.get(name) == wanted.get(name) else Cause.BOTH
        was = found.get(name, "") if last is None else last.get(name, "")
        yield ValueSet(f"properties.{name}", found.get(name, ""), wanted.get(name, ""), cause, was)


def _policy_changes(
    desired: Managed[frozenset[FederationPolicy]],
    recorded: Managed[frozenset[FederationPolicy]],
    actual: Managed[frozenset[FederationPolicy]],
) -> Iterator[FieldChange]:
    if desired is UNMANAGED:
        return
    found: frozenset[FederationPolicy] = frozenset() if actual is UNMANAGED else actual
    last = UNMANAGED if recorded is UNMANAGED else frozenset(recorded)
    for policy in sorted(found - desired, key=str):
        by_hand = last is not UNMANAGED and policy not in last
        yield ElementRemoved("policies", policy, Cause.DRIFT if by_hand else Cause.FILE)
    for policy in sorted(desired - found, key=str):
        by_hand = last is not UNMANAGED and policy in last
        yield ElementAdded("policies", policy, Cause.DRIFT if by_hand else Cause.FILE)


def _object_changes(
    desired: Managed[frozenset[SharedObject]],
    recorded: Managed[frozenset[SharedObject]],
    actual: Managed[frozenset[SharedObject]],
) -> Iterator[FieldChange]:
    """Removals, then changes, then additions. Whether an object was ours is told by what it is, not by how much of it
    is shared."""
    if desired is UNMANAGED:
        return
    last = None if recorded is UNMANAGED else recorded
    there = frozenset() if actual is UNMANAGED else actual
    paired = pair(desired, there)
    if not paired.gone and not paired.new and all(_is_surely_kept(*both) for both in paired.same):
        return
    before = dict(pair(desired, last).same) if last else {}
    foreign = frozenset() if last is None else frozenset(pair(last, there).gone)
    for item in paired.gone:
        by_hand = item in foreign
        yield ElementRemoved("objects", item, Cause.DRIFT if by_hand else Cause.FILE)
    for wanted, found in paired.same:
        sets = tuple(_attribute_changes(wanted, before.get(wanted), found))
        if sets:
            yield ObjectChanged(reduced(wanted, found), wanted, sets, found)
    for item in paired.new:
        by_hand = item in before
        yield ElementAdded("objects", item, Cause.DRIFT if by_hand else Cause.FILE)


def _is_surely_kept(desired: SharedObject, actual: SharedObject) -> bool:
    """That nothing of it changes, whatever is on record. Without the words for each attribute: of nearly all objects
    there is nothing to tell."""
    if desired.content is not UNMANAGED or (desired.cdf is not UNMANAGED and actual.history is True):
        return False
    return (
        (desired.comment is UNMANAGED or desired.comment == actual.comment)
        and (desired.partitions is UNMANAGED or desired.partitions == actual.partitions)
        and (desired.history is UNMANAGED or desired.history == actual.history)
        and (desired.cdf is UNMANAGED or desired.cdf == actual.cdf)
        and (desired.start_version is UNMANAGED or desired.start_version == actual.start_version)
    )


def _attribute_changes(
    desired: SharedObject, recorded: SharedObject | None, actual: SharedObject
) -> Iterator[ValueSet]:
    last = recorded or SharedObject(desired.name)
    yield from _value_change("comment", desired.comment, last.comment, actual.comment)
    yield from _value_change(
        "partitions", _partitions(desired.partitions), _partitions(last.partitions), _partitions(actual.partitions)
    )
    yield from _value_change("history", _flag(desired.history), _flag(last.history), _flag(actual.history))
    yield from _value_change("cdf", _flag(desired.cdf), _flag(last.cdf), _flag(_feed(desired, actual)))
    yield from _value_change(
        "start_version", _number(desired.start_version), _number(last.start_version), _number(actual.start_version)
    )
    if desired.content is not UNMANAGED and resends_content(desired, recorded):
        was = "" if last.content is UNMANAGED else last.content.digest[:12]
        yield ValueSet("content", was, desired.content.digest[:12], Cause.FILE, was)


def _feed(desired: SharedObject, actual: SharedObject) -> Managed[bool]:
    """Whether the change feed is shared. History includes it and hides whether it was asked for by itself; so, when the
    history goes, it is taken to be other than it should be."""
    if actual.history is not True or desired.cdf is UNMANAGED:
        return actual.cdf
    goes = desired.history is False or (desired.history is UNMANAGED and not desired.cdf)
    if goes:
        return not desired.cdf
    return True if desired.cdf else actual.cdf


def _partitions(partitions: Managed[frozenset[Partition]]) -> Managed[str]:
    return UNMANAGED if partitions is UNMANAGED else " OR ".join(sorted(map(partition_text, partitions)))


def _flag(value: Managed[bool]) -> Managed[str]:
    return UNMANAGED if value is UNMANAGED else "on" if value else "off"


def _number(value: Managed[int]) -> Managed[str]:
    return UNMANAGED if value is UNMANAGED else str(value)


def _moment(value: Managed[int]) -> Managed[str]:
    return UNMANAGED if value is UNMANAGED else moment_text(value)


def moment_text(milliseconds: int) -> str:
    """Epoch milliseconds as `2027-01-31T00:00:00Z`."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="seconds" if milliseconds % 1000 == 0 else "milliseconds").replace("+00:00", "Z")


def must_come_again(change: ObjectChanged) -> bool:
    """An update cannot clear partitions: an empty list does not reach Databricks (contract 4.4). Then the object is
    removed and added."""
    return any(each.field == "partitions" and not each.after for each in change.sets)


def combined_cause(changes: tuple[FieldChange, ...]) -> Cause:
    causes = {change.cause for change in changes}
    return causes.pop() if len(causes) == 1 else Cause.BOTH
