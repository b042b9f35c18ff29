"""The calls that make and change one recipient, its token and its policies."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from reconciler.core.calls import (
    CreatePolicy,
    CreateRecipient,
    DeletePolicy,
    Operation,
    Properties,
    RotateToken,
    UpdateRecipient,
)
from reconciler.core.changes import ElementAdded, ElementRemoved, FieldChange, TokenRotated, TokenShortened
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import FederationPolicy, Recipient


def create_recipient(key: Key, after: Recipient) -> Iterator[Operation]:
    """`after` without an owner."""
    policies = frozenset() if after.policies is UNMANAGED else after.policies
    now = after if after.policies is UNMANAGED else replace(after, policies=frozenset())
    call = CreateRecipient(
        key,
        after.authentication,
        listed(after.allowed_ips),
        after.comment,
        _properties(after.properties),
        after.expires_at,
        after.token_lifetime,
    )
    yield Operation(call, now)
    yield from _add_policies(key, now, sorted(policies, key=str))


def update_recipient(
    key: Key, now: Recipient, after: Recipient, changes: Collection[FieldChange]
) -> Iterator[Operation]:
    """`now` is the recipient as it is, with the managed fields of `after`. Policies go before others come, and one that
    changes goes and comes; the new token comes last, when everything else is as its reader will find it."""
    for policy in _policies(changes, ElementRemoved):
        now = replace(now, policies=_some(now.policies) - {policy})
        yield Operation(DeletePolicy(key, policy.name), now)
    fields = {change.field.partition(".")[0] for change in changes}
    shortened = next((change for change in changes if isinstance(change, TokenShortened)), None)
    call = UpdateRecipient(
        key,
        allowed_ips=listed(after.allowed_ips) if "allowed_ips" in fields else UNMANAGED,
        comment=after.comment if "comment" in fields else UNMANAGED,
        properties=_properties(after.properties) if "properties" in fields else UNMANAGED,
        # The end of a new token is set once it is there: that of the old one can only be brought forward.
        expires_at=UNMANAGED if "token" in fields and shortened is None else _end(after, shortened, fields),
    )
    if call != UpdateRecipient(key):
        ends_at = now.expires_at if call.expires_at is UNMANAGED else after.expires_at
        now = replace(after, owner=now.owner, policies=now.policies, expires_at=ends_at)
        yield Operation(call, now)
    added = list(_policies(changes, ElementAdded))
    for operation in _add_policies(key, now, added):
        now = replace(now, policies=_some(now.policies) | {added[0]})
        added = added[1:]
        yield operation
    yield from _rotate(key, after, changes)


def _rotate(key: Key, after: Recipient, changes: Collection[FieldChange]) -> Iterator[Operation]:
    # When the new token ends is Databricks' choice, until the next call has been made.
    endless = replace(after, expires_at=UNMANAGED)
    for change in changes:
        if isinstance(change, TokenRotated):
            ends_at = UNMANAGED if change.ends_at is None else change.ends_at
            yield Operation(RotateToken(key, change.token_id, change.overlap, ends_at), endless)
            if after.token_lifetime is not UNMANAGED:
                yield Operation(UpdateRecipient(key, expires_in=after.token_lifetime), after)
            elif after.expires_at is not UNMANAGED:
                yield Operation(UpdateRecipient(key, expires_at=after.expires_at), after)


def _end(after: Recipient, shortened: TokenShortened | None, fields: Collection[str]) -> Managed[int]:
    if shortened is not None:
        return shortened.after
    return after.expires_at if "expires_at" in fields else UNMANAGED


def _add_policies(key: Key, now: Recipient, policies: Collection[FederationPolicy]) -> Iterator[Operation]:
    for policy in policies:
        now = replace(now, policies=_some(now.policies) | {policy})
        yield Operation(CreatePolicy(key, policy), now)


def _policies(
    changes: Collection[FieldChange], wanted: type[ElementAdded] | type[ElementRemoved]
) -> Iterator[FederationPolicy]:
    for change in changes:
        if isinstance(change, wanted) and isinstance(change.element, FederationPolicy):
            yield change.element


def _some(policies: Managed[frozenset[FederationPolicy]]) -> frozenset[FederationPolicy]:
    return frozenset() if policies is UNMANAGED else policies


def _properties(properties: Managed[frozenset[tuple[str, str]]]) -> Managed[Properties]:
    return UNMANAGED if properties is UNMANAGED else tuple(sorted(properties))


def listed(ips: Managed[frozenset[str]]) -> Managed[tuple[str, ...]]:
    return UNMANAGED if ips is UNMANAGED else tuple(sorted(ips))
