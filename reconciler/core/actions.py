"""The canonical actions of a verdict: what a reviewer approves and what a fingerprint is made of.

One line of text per smallest thing that can be done and the workspace it is done in, without causes, times, counts or
order, so that the same or fewer actions can be told from new or worse ones by comparing sets.
"""

import json
from collections.abc import Iterator
from typing import Final, assert_never

from reconciler.core.changes import (
    Element,
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
    field_changes,
    moment_text,
    must_come_again,
)
from reconciler.core.encoding import canonical
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import FederationPolicy, Recipient
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import encode_object, encode_policies
from reconciler.core.share import Share, SharedObject
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

#: Which token and until when follow from when it is looked at; it is never less than the overlap from then.
_SHORTEN: Final = "token: shorten the newest"


def actions(key: Key, verdict: Verdict) -> frozenset[str]:
    """Such as `share/s objects + main.sales.t (TABLE) in https://adb-1.example`."""
    done = [*_actions(verdict), *_after_rotation(verdict)]
    return frozenset(f"{key} {action} in {key.workspace}" for action in done)


def _actions(verdict: Verdict) -> Iterator[str]:
    match verdict:
        case Create(after):
            yield f"create as {after.authentication}" if isinstance(after, Recipient) else "create"
            yield from _changed(field_changes(after, None, _nothing_like(after)))
            yield from _contents(after)
        case Adopt(_, after, changes):
            yield "adopt"
            yield from _changed(changes)
            yield from _contents(after)
        case Update(_, after, changes):
            yield from _changed(changes)
            yield from _contents(after)
        case Rename(before, after, changes):
            yield f"rename from {before.name}"
            yield from _changed(changes)
            yield from _contents(after)
        case Replace(before, after):
            # What follows the deletion is named as well: after a crash it stands alone.
            yield f"replace {_authentication(before)}"
            yield f"create as {_authentication(after)}"
            yield from _changed(field_changes(after, None, _nothing_like(after)))
        case Delete():
            yield "delete"
        case Release():
            yield "release"
        case Record() | Keep() | Drifted() | Forget() | Conflict() | Unknown() | Ignore():
            pass
        case _:
            assert_never(verdict)


def _authentication(resource: Resource) -> str:
    return str(resource.authentication) if isinstance(resource, Recipient) else resource.name


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
                yield f"{field} - {_removed(element)}"
            case ObjectChanged(_, after, sets):
                for each in sets:
                    yield f"objects {_element(after)} {each.field} = {json.dumps(each.after)}"
                if must_come_again(change):
                    # It goes and comes; after a crash in between, the coming stands alone.
                    yield f"objects + {_element(after)}"
            case TokenRotated(token_id, _, overlap):
                yield f"token: rotate {token_id}, which goes on for {overlap} s"
            case TokenShortened():
                yield _SHORTEN
            case _:
                assert_never(change)


def _contents(after: Resource) -> Iterator[str]:
    """After a crash nobody knows what a share's notebooks hold (`core.sight`), and they are sent again as they are."""
    if isinstance(after, Share) and after.objects is not UNMANAGED:
        for item in after.objects:
            if item.content is not UNMANAGED:
                yield f"objects {_element(item)} content = {json.dumps(item.content.digest[:12])}"


def _after_rotation(verdict: Verdict) -> Iterator[str]:
    """A new token gets its end in a call of its own; after a crash in between, that stands alone."""
    if not isinstance(verdict, Update | Adopt | Rename) or not isinstance(verdict.after, Recipient):
        return
    if not any(isinstance(change, TokenRotated) for change in verdict.changes):
        return
    if verdict.after.token_lifetime is not UNMANAGED:
        yield _SHORTEN
    elif verdict.after.expires_at is not UNMANAGED:
        yield f"expires_at = {json.dumps(moment_text(verdict.after.expires_at))}"


def _removed(element: Element) -> str:
    """What goes is told by what it is: how much of it was shared does not matter any more."""
    if not isinstance(element, SharedObject):
        return _element(element)
    has_own_alias = element.shared_as not in {UNMANAGED, element.name.partition(".")[2]}
    alias = f" as {element.shared_as}" if has_own_alias else ""
    return f"{element.name} ({element.type}){alias}"


def _element(element: Element) -> str:
    match element:
        case str():
            return element
        case FederationPolicy():
            return canonical(encode_policies(frozenset([element])))
        case SharedObject():
            options = encode_object(element)
            said = f"{options.pop('name')} ({options.pop('type', UNMANAGED)})"
            return f"{said} {canonical(options)}" if options else said
        case _:
            assert_never(element)
