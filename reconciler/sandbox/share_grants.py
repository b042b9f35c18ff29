"""Which recipient may read which share: reading and changing the permissions of a share."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import ApiError, invalid, missing_field, not_owner, unknown_principal
from reconciler.sandbox.names import key
from reconciler.sandbox.paging import listing, page
from reconciler.sandbox.privileges import on_metastore, owns
from reconciler.sandbox.records import Principal, Recipient, Share
from reconciler.sandbox.shares import check_may_read
from reconciler.sandbox.state import State

_PRIVILEGES = frozenset({"SELECT"})


def get(state: State, caller: Principal, name: str, query: Mapping[str, str]) -> dict[str, Any]:
    share = state.share_as_read(name, "share-permissions")
    check_may_read(state, caller, share)
    found, token = page(assignments(state, share), query, state.knobs)
    return listing("privilege_assignments", found, token, state.knobs)


def update(state: State, caller: Principal, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("UpdateSharePermissions", values)
    share = state.share_to_change(name)
    if not _may_grant(state, caller, share):
        raise not_owner("Share", share.name)
    changes = body.parts("changes")
    if not changes:
        raise missing_field(body.operation, "permissions_diff")
    grants = dict(share.grants)
    for change in changes:
        _apply(state, caller, grants, change)
    if grants != share.grants:
        bumped = state.knobs.permission_change_bumps_updated_at
        stamp = state.touched(share.stamp, caller.name) if bumped else share.stamp
        share = state.put_share(replace(share, grants=grants, stamp=stamp), instead_of=share.name)
    if body.flag("omit_permissions_list"):
        return {}
    return listing("privilege_assignments", [row for _, row in assignments(state, share)], None, state.knobs)


def _may_grant(state: State, caller: Principal, share: Share) -> bool:
    if owns(state, caller, share.owner):
        return True
    return on_metastore(state, caller, "USE_SHARE") and on_metastore(state, caller, "SET_SHARE_PERMISSION")


def _apply(state: State, caller: Principal, grants: dict[str, frozenset[str]], change: Body) -> None:
    principal = change.text("principal")
    if not principal:
        return
    added, removed = _privileges(change, "add"), _privileges(change, "remove")
    if added & removed:
        raise invalid(f"Duplicate privileges to add and delete for principal {principal}.")
    recipient = state.recipients.get(key(principal))
    if recipient is None:
        if added:
            raise _unknown(state, principal)
        return
    if added and not state.newborn.is_known("Recipient", principal):
        raise _unknown(state, principal)
    held = grants.get(recipient.id, frozenset())
    if added - held:
        _check_may_receive(state, caller, recipient)
    left = (held - removed) | added
    if left:
        grants[recipient.id] = left
    else:
        grants.pop(recipient.id, None)


def _privileges(change: Body, name: str) -> frozenset[str]:
    given = {each.upper().replace(" ", "_") for each in change.texts(name) or ()}
    unknown = sorted(given - _PRIVILEGES)
    if unknown:
        raise invalid(f"Privilege {unknown[0]} is not applicable to a share")
    return frozenset(given)


def _unknown(state: State, principal: str) -> ApiError:
    if state.knobs.unknown_share_principal == "RECIPIENT_DOES_NOT_EXIST":
        return ApiError(404, "RECIPIENT_DOES_NOT_EXIST", f"Recipient '{principal}' does not exist")
    return unknown_principal(principal)


def _check_may_receive(state: State, caller: Principal, recipient: Recipient) -> None:
    if not owns(state, caller, recipient.owner):
        raise not_owner("Recipient", recipient.name)


def assignments(state: State, share: Share) -> list[tuple[str, dict[str, Any]]]:
    named = ((state.recipient_name(recipient), privileges) for recipient, privileges in share.grants.items())
    return [(name, {"principal": name, "privileges": sorted(held)}) for name, held in named if name is not None]
