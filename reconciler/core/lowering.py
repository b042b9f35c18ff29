"""From a verdict to the exact API calls, with what is true after each of them.

Within a share: revoke, remove and add objects, grant; so no reader is ever shown more than both states allow. Equal
states give no call, no call is empty, and none is larger than Databricks accepts. Performs nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar, assert_never

from reconciler.core.calls import (
    OBJECT_UPDATES_PER_CALL,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    Operation,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED, Managed
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

T = TypeVar("T")


def lower(key: Key, verdict: Verdict) -> tuple[Operation, ...]:
    """The operations that carry out a verdict; empty when nothing at Databricks has to change."""
    match verdict:
        case Create(after):
            return tuple(_create(key, after))
        case Update(before, after) | Adopt(before, after):
            return tuple(_update(key, before, after))
        case Delete(before):
            return tuple(_delete(key, before))
        case Record() | Keep() | Forget() | Conflict() | Unknown() | Ignore():
            return ()
        case _:
            assert_never(verdict)


def _create(key: Key, after: Resource) -> Iterator[Operation]:
    match after:
        case Recipient():
            call = CreateRecipient(key, after.authentication, _listed(after.allowed_ips), after.comment)
            yield Operation(call, after)
        case Share():
            empty = replace(after, objects=_emptied(after.objects), recipients=_emptied(after.recipients))
            yield Operation(CreateShare(key, after.comment), empty)
            yield from _change_share(key, empty, after)
        case _:
            assert_never(after)


def _update(key: Key, before: Resource, after: Resource) -> Iterator[Operation]:
    match before, after:
        case Recipient(), Recipient():
            ips = after.allowed_ips if after.allowed_ips != before.allowed_ips else UNMANAGED
            comment = _changed(before.comment, after.comment)
            if ips is not UNMANAGED or comment is not UNMANAGED:
                yield Operation(UpdateRecipient(key, _listed(ips), comment), after)
        case Share(), Share():
            yield from _change_share(key, _share_like(after, before), after)
        case _:
            raise TypeError(f"{key}: a {type(before).__name__} cannot become a {type(after).__name__}")


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


def _change_share(key: Key, now: Share, after: Share) -> Iterator[Operation]:
    """`now` has the same managed fields as `after`."""
    grant, revoke = _difference(now.recipients, after.recipients)
    add, remove = _difference(now.objects, after.objects)
    comment = _changed(now.comment, after.comment)
    revoke_first = bool(revoke and (add or (remove and grant)))
    if revoke_first:
        now = replace(now, recipients=_without(now.recipients, revoke))
        yield Operation(ChangeGrants(key, revoke=revoke), now)
    for removed, added in _chunks(remove, add):
        now = replace(now, objects=_with(_without(now.objects, removed), added))
        now = now if comment is UNMANAGED else replace(now, comment=comment)
        yield Operation(UpdateShare(key, comment, removed, added), now)
        comment = UNMANAGED
    if comment is not UNMANAGED:
        now = replace(now, comment=comment)
        yield Operation(UpdateShare(key, comment), now)
    if grant or (revoke and not revoke_first):
        yield Operation(ChangeGrants(key, grant, () if revoke_first else revoke), after)


def _chunks(
    remove: Sequence[SharedObject], add: Sequence[SharedObject]
) -> Iterator[tuple[tuple[SharedObject, ...], tuple[SharedObject, ...]]]:
    """Removals before additions, at most 100 a call. A name that is removed and added again (its type changed) must not
    stand twice in one call: that is refused as a duplicate (contract 4.4)."""
    again = {item.name for item in remove} & {item.name for item in add}
    both = [(item, True) for item in remove] + [(item, False) for item in add if item.name not in again]
    for start in range(0, len(both), OBJECT_UPDATES_PER_CALL):
        chunk = both[start : start + OBJECT_UPDATES_PER_CALL]
        yield tuple(item for item, removed in chunk if removed), tuple(item for item, removed in chunk if not removed)
    later = [item for item in add if item.name in again]
    for start in range(0, len(later), OBJECT_UPDATES_PER_CALL):
        yield (), tuple(later[start : start + OBJECT_UPDATES_PER_CALL])


def _difference(now: Managed[frozenset[T]], after: Managed[frozenset[T]]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """What to add and what to remove, each sorted."""
    if now is UNMANAGED or after is UNMANAGED:
        return (), ()
    return tuple(sorted(after - now, key=str)), tuple(sorted(now - after, key=str))


def _changed(before: Managed[str], after: Managed[str]) -> Managed[str]:
    return UNMANAGED if after == before else after


def _listed(ips: Managed[frozenset[str]]) -> Managed[tuple[str, ...]]:
    return UNMANAGED if ips is UNMANAGED else tuple(sorted(ips))


def _emptied(items: Managed[frozenset[T]]) -> Managed[frozenset[T]]:
    return UNMANAGED if items is UNMANAGED else frozenset()


def _with(items: Managed[frozenset[T]], added: Sequence[T]) -> Managed[frozenset[T]]:
    return UNMANAGED if items is UNMANAGED else items | frozenset(added)


def _without(items: Managed[frozenset[T]], removed: Sequence[T]) -> Managed[frozenset[T]]:
    return UNMANAGED if items is UNMANAGED else items - frozenset(removed)


def managed_like(pattern: Resource, actual: Resource) -> Resource:
    """The actual resource, reduced to the fields the pattern manages: what our record would say of it."""
    match pattern, actual:
        case Share(), Share():
            return _share_like(pattern, actual)
        case Recipient(), Recipient():
            return Recipient(
                name=pattern.name,
                authentication=actual.authentication,
                email=pattern.email,
                allowed_ips=UNMANAGED if pattern.allowed_ips is UNMANAGED else actual.allowed_ips,
                comment=UNMANAGED if pattern.comment is UNMANAGED else actual.comment,
            )
        case _:
            raise TypeError(f"a {type(actual).__name__} is not a {type(pattern).__name__}")


def _share_like(pattern: Share, actual: Share) -> Share:
    return Share(
        name=pattern.name,
        comment=UNMANAGED if pattern.comment is UNMANAGED else actual.comment,
        objects=UNMANAGED if pattern.objects is UNMANAGED else actual.objects,
        recipients=UNMANAGED if pattern.recipients is UNMANAGED else actual.recipients,
    )
