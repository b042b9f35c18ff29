"""Field by field: what makes the actual state into the desired one, and whose doing each difference is."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.share import Share, SharedObject


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


@dataclass(frozen=True, slots=True)
class ElementAdded:
    field: str
    element: str | SharedObject
    cause: Cause


@dataclass(frozen=True, slots=True)
class ElementRemoved:
    field: str
    element: str | SharedObject
    cause: Cause


FieldChange: TypeAlias = ValueSet | ElementAdded | ElementRemoved

E = TypeVar("E", str, SharedObject)


def field_changes(desired: Resource, recorded: Resource | None, actual: Resource) -> tuple[FieldChange, ...]:
    """Every difference in a managed field, in a stable order. The three must be of one kind."""
    match desired, actual:
        case Recipient(), Recipient():
            before = recorded if isinstance(recorded, Recipient) else Recipient(desired.name, desired.authentication)
            return (
                *_set_changes("allowed_ips", desired.allowed_ips, before.allowed_ips, actual.allowed_ips),
                *_value_change("comment", desired.comment, before.comment, actual.comment),
            )
        case Share(), Share():
            last = recorded if isinstance(recorded, Share) else Share(desired.name)
            return (
                *_value_change("comment", desired.comment, last.comment, actual.comment),
                *_set_changes("objects", desired.objects, last.objects, actual.objects),
                *_set_changes("recipients", desired.recipients, last.recipients, actual.recipients),
            )
        case _:
            raise TypeError(f"cannot compare {type(desired).__name__} with {type(actual).__name__}")


def _value_change(
    field: str, desired: Managed[str], recorded: Managed[str], actual: Managed[str]
) -> Iterator[FieldChange]:
    found = "" if actual is UNMANAGED else actual
    if desired is UNMANAGED or desired == found:
        return
    if recorded is UNMANAGED or recorded == found:
        cause = Cause.FILE
    elif recorded == desired:
        cause = Cause.DRIFT
    else:
        cause = Cause.BOTH
    yield ValueSet(field, found, desired, cause)


def _set_changes(
    field: str, desired: Managed[frozenset[E]], recorded: Managed[frozenset[E]], actual: Managed[frozenset[E]]
) -> Iterator[FieldChange]:
    """An element that our record has and the workspace lost was removed by hand; one the record never had is new in
    the file. The other way round for elements to be removed."""
    if desired is UNMANAGED:
        return
    found = frozenset() if actual is UNMANAGED else actual
    for element in sorted(found - desired, key=_order):
        by_hand = recorded is not UNMANAGED and element not in recorded
        yield ElementRemoved(field, element, Cause.DRIFT if by_hand else Cause.FILE)
    for element in sorted(desired - found, key=_order):
        by_hand = recorded is not UNMANAGED and element in recorded
        yield ElementAdded(field, element, Cause.DRIFT if by_hand else Cause.FILE)


def _order(element: str | SharedObject) -> tuple[str, str]:
    return (element, "") if isinstance(element, str) else (element.name, str(element.type))


def combined_cause(changes: tuple[FieldChange, ...]) -> Cause:
    causes = {change.cause for change in changes}
    return causes.pop() if len(causes) == 1 else Cause.BOTH
