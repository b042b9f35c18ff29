"""The canonical actions of a verdict: what a reviewer approves and what a fingerprint is made of.

One line of text per smallest thing that can be done and the workspace it is done in, without causes, times, counts or
order, so that the same or fewer actions can be told from new or worse ones by comparing sets.
"""

import json
from collections.abc import Iterator
from typing import assert_never

from reconciler.core.changes import ElementAdded, ElementRemoved, FieldChange, ValueSet, field_changes
from reconciler.core.key import Key
from reconciler.core.recipient import Recipient
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
    Verdict,
)


def actions(key: Key, verdict: Verdict) -> frozenset[str]:
    """Such as `share/s objects + main.sales.t (TABLE) in https://adb-1.example`."""
    return frozenset(f"{key} {action} in {key.workspace}" for action in _actions(verdict))


def _actions(verdict: Verdict) -> Iterator[str]:
    match verdict:
        case Create(after):
            yield f"create as {after.authentication}" if isinstance(after, Recipient) else "create"
            yield from _changed(field_changes(after, None, _nothing_like(after)))
        case Adopt(changes=changes):
            yield "adopt"
            yield from _changed(changes)
        case Update(changes=changes):
            yield from _changed(changes)
        case Delete():
            yield "delete"
        case Record() | Keep() | Forget() | Conflict() | Unknown() | Ignore():
            pass
        case _:
            assert_never(verdict)


def _nothing_like(resource: Resource) -> Resource:
    match resource:
        case Recipient():
            return Recipient(resource.name, resource.authentication)
        case Share():
            return Share(resource.name)
        case _:
            assert_never(resource)


def _changed(changes: tuple[FieldChange, ...]) -> Iterator[str]:
    for change in changes:
        match change:
            case ValueSet(field, _, after):
                yield f"{field} = {json.dumps(after)}"
            case ElementAdded(field, element):
                yield f"{field} + {_element(element)}"
            case ElementRemoved(field, element):
                yield f"{field} - {_element(element)}"
            case _:
                assert_never(change)


def _element(element: str | SharedObject) -> str:
    return element if isinstance(element, str) else f"{element.name} ({element.type})"
