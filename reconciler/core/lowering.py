"""From a verdict to the exact API calls, with what is true after each of them.

Within a share: revoke, remove, change and add objects, grant; so no reader is ever shown more than both states allow.
Equal states give no call, no call is empty, and none is larger than Databricks accepts. Performs nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import assert_never

from reconciler.core.calls import ChangeGrants, ChangeOwner, DeleteRecipient, DeleteShare, Operation
from reconciler.core.calls import Rename as RenameCall
from reconciler.core.changes import FieldChange, field_changes
from reconciler.core.key import Key
from reconciler.core.lowering_recipient import create_recipient, update_recipient
from reconciler.core.lowering_share import create_share, untouched_as_desired, update_share
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.objects import objects_like
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
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


def lower(key: Key, verdict: Verdict) -> tuple[Operation, ...]:
    """The operations that carry out a verdict; empty when nothing at Databricks has to change."""
    match verdict:
        case Create(after):
            return tuple(_create(key, after))
        case Update() | Adopt():
            return tuple(_update(key, verdict))
        case Rename():
            return tuple(_rename(key, verdict))
        case Replace(_, after):
            return (Operation(DeleteRecipient(key), None), *_create(key, after))
        case Delete(before):
            return tuple(_delete(key, before))
        case Record() | Keep() | Drifted() | Forget() | Release() | Conflict() | Unknown() | Ignore():
            return ()
        case _:
            assert_never(verdict)


def _create(key: Key, after: Resource) -> Iterator[Operation]:
    """The owner last: giving it away can cost the right to do the rest (lesson 8)."""
    unowned = replace(after, owner=UNMANAGED)
    match unowned:
        case Recipient():
            yield from create_recipient(key, unowned)
        case Share():
            yield from create_share(key, unowned, field_changes(unowned, None, Share(after.name)))
        case _:
            assert_never(unowned)
    if after.owner is not UNMANAGED:
        yield Operation(ChangeOwner(key, after.owner), after)


def _update(key: Key, verdict: Update | Adopt | Rename) -> Iterator[Operation]:
    """The owner first: whoever may only take ownership can do nothing else before (contract 4.5), and a plan that would
    lock this program out is held."""
    before, after, changes = verdict.before, verdict.after, verdict.changes
    now = _now(after, before, changes)
    if any(change.field == "owner" for change in changes) and after.owner is not UNMANAGED:
        now = replace(now, owner=after.owner)
        yield Operation(ChangeOwner(key, after.owner), now)
    match now, after:
        case Recipient(), Recipient():
            yield from update_recipient(key, now, after, changes)
        case Share(), Share():
            yield from update_share(key, now, after, changes)
        case _:
            raise TypeError(f"{key}: a {type(before).__name__} cannot become a {type(after).__name__}")


def _rename(key: Key, verdict: Rename) -> Iterator[Operation]:
    now = _now(verdict.after, verdict.before, verdict.changes)
    yield Operation(RenameCall(key, verdict.before.name), replace(now, name=verdict.after.name))
    yield from _update(key, replace(verdict, before=replace(verdict.before, name=verdict.after.name)))


def _now(after: Resource, before: Resource, changes: Collection[FieldChange]) -> Resource:
    """What our record says before the first call: the actual state in the fields that are managed."""
    now = managed_like(after, before)
    if isinstance(now, Share) and isinstance(after, Share):
        return untouched_as_desired(now, after, changes)
    return now


def _delete(key: Key, before: Resource) -> Iterator[Operation]:
    """A share is taken from its readers first: whether one that is still granted can be deleted is not confirmed
    (contract 4.5)."""
    match before:
        case Recipient():
            yield Operation(DeleteRecipient(key), None)
        case Share(recipients=recipients):
            if recipients is not UNMANAGED and recipients:
                revoked = replace(before, recipients=frozenset())
                yield Operation(ChangeGrants(key, revoke=tuple(sorted(recipients))), revoked)
            yield Operation(DeleteShare(key), None)
        case _:
            assert_never(before)


def managed_like(pattern: Resource, actual: Resource) -> Resource:
    """The actual resource, reduced to the fields the pattern manages: what our record would say of it. What Databricks
    has no place for is as the pattern says."""
    match pattern, actual:
        case Share(), Share():
            return Share(
                name=actual.name,
                comment=UNMANAGED if pattern.comment is UNMANAGED else actual.comment,
                objects=_objects_like(pattern, actual),
                recipients=UNMANAGED if pattern.recipients is UNMANAGED else actual.recipients,
                owner=UNMANAGED if pattern.owner is UNMANAGED else actual.owner,
                storage_root=UNMANAGED if pattern.storage_root is UNMANAGED else actual.storage_root,
                protect=pattern.protect,
            )
        case Recipient(), Recipient():
            return replace(
                pattern,
                name=actual.name,
                authentication=actual.authentication,
                allowed_ips=UNMANAGED if pattern.allowed_ips is UNMANAGED else actual.allowed_ips,
                comment=UNMANAGED if pattern.comment is UNMANAGED else actual.comment,
                owner=UNMANAGED if pattern.owner is UNMANAGED else actual.owner,
                properties=UNMANAGED if pattern.properties is UNMANAGED else actual.properties,
                expires_at=UNMANAGED if pattern.expires_at is UNMANAGED else actual.expires_at,
                policies=UNMANAGED if pattern.policies is UNMANAGED else actual.policies,
            )
        case _:
            raise TypeError(f"a {type(actual).__name__} is not a {type(pattern).__name__}")


def _objects_like(pattern: Share, actual: Share) -> Managed[frozenset[SharedObject]]:
    if pattern.objects is UNMANAGED or actual.objects is UNMANAGED:
        return UNMANAGED
    return objects_like(pattern.objects, actual.objects)
