"""The canonical actions of a verdict: what a reviewer approves and what a fingerprint is made of.

One line of text per smallest thing that can be done, without causes, times, counts or order, so that the same or fewer
actions can be told from new or worse ones by comparing sets.
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
    match verdict:
        case Create(after):
            return frozenset([_created(key, after), *_changed(key, field_changes(after, None, _nothing_like(after)))])
        case Adopt(changes=changes):
            return frozenset([f"{key} adopt", *_changed(key, changes)])
        case Update(changes=changes):
            return frozenset(_changed(key, changes))
        case Delete():
            return frozenset([f"{key} delete"])
        case Record() | Keep() | Forget() | Conflict() | Unknown() | Ignore():
            return frozenset()
        case _:
            assert_never(verdict)


def _created(key: Key, after: Resource) -> str:
    return f"{key} create as {after.authentication}" if isinstance(after, Recipient) else f"{key} create"


def _nothing_like(resource: Resource) -> Resource:
    match resource:
        case Recipient():
            return Recipient(resource.name, resource.authentication)
        case Share():
            return Share(resource.name)
        case _:
            assert_never(resource)


def _changed(key: Key, changes: tuple[FieldChange, ...]) -> Iterator[str]:
    for change in changes:
        match change:
            case ValueSet(field, _, after):
                yield f"{key} {field} = {json.dumps(after)}"
            case ElementAdded(field, element):
                yield f"{key} {field} + {_element(element)}"
            case ElementRemoved(field, element):
                yield f"{key} {field} - {_element(element)}"
            case _:
                assert_never(change)


def _element(element: str | SharedObject) -> str:
    return element if isinstance(element, str) else f"{element.name} ({element.type})"
