"""Shares: who may make, see, change and delete them. What may be put into one is decided by share_updates."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import already_exists, invalid, invalid_state, lacks, not_owner, quota_exceeded
from reconciler.sandbox.names import checked_name, key, stored
from reconciler.sandbox.paging import in_order, listing, page
from reconciler.sandbox.privileges import check_on_metastore, check_principal, on_metastore, owns
from reconciler.sandbox.records import Principal, Share
from reconciler.sandbox.share_objects import object_json
from reconciler.sandbox.share_updates import apply_updates
from reconciler.sandbox.state import State

_UPDATABLE = ("comment", "new_name", "owner", "storage_root", "name")


def create(state: State, caller: Principal, values: Mapping[str, Any]) -> dict[str, Any]:
    """A new share is empty and belongs to its maker, whatever else the request says."""
    body = Body("CreateShare", values)
    check_on_metastore(state, caller, "CREATE_SHARE")
    name = stored(checked_name(body.text("name"), body.operation), state.knobs)
    if key(name) in state.shares:
        raise already_exists("Share", name, state.knobs.already_exists_status)
    if len(state.shares) >= state.knobs.max_shares:
        raise quota_exceeded("shares", state.knobs.max_shares, state.knobs.quota_status)
    share = Share(
        name=name,
        owner=caller.name,
        comment=body.text("comment"),
        storage_root=body.text("storage_root"),
        objects=(),
        grants={},
        stamp=state.created(caller.name),
    )
    state.newborn.born("Share", name, state.knobs)
    return share_json(state, state.put_share(share), with_objects=False)


def get(state: State, caller: Principal, name: str, query: Mapping[str, str]) -> dict[str, Any]:
    share = state.share_as_read(name, "share")
    check_may_read(state, caller, share)
    return share_json(state, share, with_objects=query.get("include_shared_data") == "true")


def list_all(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    sees_all = on_metastore(state, caller, "USE_SHARE")
    seen = ((each.name, each) for each in state.shares.values() if sees_all or owns(state, caller, each.owner))
    found, token = page(seen, query, state.knobs)
    return listing("shares", [share_json(state, each, with_objects=False) for each in found], token, state.knobs)


def update(state: State, caller: Principal, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("UpdateShare", values)
    share = state.share_to_change(name)
    _check_may_update(state, caller, share, body)
    updates = body.parts("updates") or ()
    if not updates and not any(body.has(each) for each in _UPDATABLE):
        if state.knobs.empty_share_update == "error":
            raise invalid("UpdateShare no fields to update")
        return share_json(state, share, with_objects=True)
    changed = _with_fields(state, caller, share, body)
    outcome = apply_updates(state, changed, caller.name, updates)
    if outcome.failure is not None and state.knobs.multi_update_atomic:
        raise outcome.failure
    objects_count_as_change = bool(updates) and state.knobs.object_change_bumps_updated_at
    if objects_count_as_change or any(body.has(each) for each in _UPDATABLE):
        changed = replace(changed, stamp=state.touched(share.stamp, caller.name))
    changed = state.put_share(replace(changed, objects=outcome.objects), instead_of=share.name)
    if outcome.failure is not None:
        raise outcome.failure
    return share_json(state, changed, with_objects=True)


def delete(state: State, caller: Principal, name: str) -> dict[str, Any]:
    share = state.share(name)
    if not owns(state, caller, share.owner):
        raise not_owner("Share", share.name)
    if share.grants and state.knobs.delete_with_grants == "refused":
        raise invalid_state(f"Share '{share.name}' is still granted to recipients")
    state.remove_share(share)
    return {}


def check_may_read(state: State, caller: Principal, share: Share) -> None:
    if not owns(state, caller, share.owner) and not on_metastore(state, caller, "USE_SHARE"):
        raise lacks("USE_SHARE", "Share", share.name)


def share_json(state: State, share: Share, *, with_objects: bool) -> dict[str, Any]:
    stamp = share.stamp
    answer: dict[str, Any] = {
        "name": share.name,
        "owner": share.owner,
        "created_at": stamp.created_at,
        "created_by": stamp.created_by,
        "updated_at": stamp.updated_at,
        "updated_by": stamp.updated_by,
    }
    if share.comment is not None:
        answer["comment"] = share.comment
    if share.storage_root is not None:
        answer["storage_root"] = share.storage_root
        answer["storage_location"] = share.storage_root
    if with_objects:
        items = in_order(((each.name, each) for each in share.objects), state.knobs)
        answer |= listing("objects", [object_json(state, share, each) for each in items], None, state.knobs)
    return answer


def _check_may_update(state: State, caller: Principal, share: Share, body: Body) -> None:
    if owns(state, caller, share.owner):
        return
    named = {name for name, value in body.values.items() if value is not None}
    if not (caller.is_metastore_admin and named == {"owner"}):
        raise not_owner("Share", share.name)


def _with_fields(state: State, caller: Principal, share: Share, body: Body) -> Share:
    owner, comment, root = body.text("owner"), body.text("comment"), body.text("storage_root")
    if owner is not None:
        check_principal(state, owner)
    holds_notebooks = any(each.data_object_type == "NOTEBOOK_FILE" for each in share.objects)
    if root is not None and root != share.storage_root and holds_notebooks:
        raise invalid_state("storage_root cannot be changed while the share contains notebook files")
    return replace(
        share,
        name=_new_name(state, caller, share, body),
        owner=share.owner if owner is None else owner,
        comment=share.comment if comment is None else comment,
        storage_root=share.storage_root if root is None else root,
    )


def _new_name(state: State, caller: Principal, share: Share, body: Body) -> str:
    asked = body.text("new_name") or (body.text("name") if state.knobs.name_in_patch_renames else None)
    if asked is None or key(asked) == key(share.name):
        return share.name
    check_on_metastore(state, caller, "CREATE_SHARE")
    name = stored(checked_name(asked, body.operation), state.knobs)
    if key(name) in state.shares:
        raise already_exists("Share", name, state.knobs.already_exists_status)
    return name
