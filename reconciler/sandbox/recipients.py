"""Recipients: who may make, see, change and delete them, and what a valid one is."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox import tokens
from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import (
    ApiError,
    already_exists,
    denied,
    feature_disabled,
    invalid,
    invalid_state,
    missing_field,
    not_owner,
    quota_exceeded,
)
from reconciler.sandbox.names import checked_name, is_global_metastore_id, is_ip_or_cidr, key, stored
from reconciler.sandbox.paging import listing, page
from reconciler.sandbox.privileges import check_on_metastore, check_principal, on_metastore, owns
from reconciler.sandbox.records import Principal, Recipient, Token
from reconciler.sandbox.state import State

_TYPES = frozenset({"TOKEN", "DATABRICKS", "OIDC_FEDERATION", "OAUTH_CLIENT_CREDENTIALS"})
_MOST_IPS = 100
_UPDATABLE = ("comment", "expiration_time", "ip_access_list", "new_name", "owner", "properties_kvpairs", "name")


def create(state: State, caller: Principal, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("CreateRecipient", values)
    check_on_metastore(state, caller, "CREATE_RECIPIENT")
    name = stored(checked_name(body.text("name"), body.operation), state.knobs)
    kind = body.choice("authentication_type", _TYPES)
    partner = body.text("data_recipient_global_metastore_id")
    kind = kind or ("DATABRICKS" if partner else "TOKEN")
    _check_kind(state, body, kind, partner)
    if key(name) in state.recipients:
        raise already_exists("Recipient", name, state.knobs.already_exists_status)
    if len(state.recipients) >= state.knobs.max_recipients:
        raise quota_exceeded("recipients", state.knobs.max_recipients, state.knobs.quota_status)
    owner = body.text("owner") or caller.name
    check_principal(state, owner)
    expires_at = body.integer("expiration_time")
    recipient = Recipient(
        id=str(uuid.uuid4()),
        name=name,
        authentication_type=kind,
        owner=owner,
        comment=body.text("comment"),
        global_metastore_id=partner.lower() if partner else None,
        sharing_code=body.text("sharing_code"),
        ip_addresses=_ip_addresses(body, kind) or (),
        properties=_properties(state, body) or {},
        tokens=(tokens.new_token(state, caller.name, expires_at),) if kind == "TOKEN" else (),
        policies=(),
        stamp=state.created(caller.name),
    )
    state.newborn.born("Recipient", name, state.knobs)
    return recipient_json(state, state.put_recipient(recipient))


def get(state: State, caller: Principal, name: str) -> dict[str, Any]:
    recipient = state.recipient_as_read(name)
    check_may_read(state, caller, recipient)
    return recipient_json(state, recipient)


def list_all(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    partner = query.get("data_recipient_global_metastore_id")
    seen = (
        (each.name, each)
        for each in state.recipients.values()
        if (caller.is_metastore_admin or owns(state, caller, each.owner))
        and (partner is None or each.global_metastore_id == partner.lower())
    )
    found, token = page(seen, query, state.knobs)
    with_tokens = state.knobs.list_includes_tokens
    return listing(
        "recipients", [recipient_json(state, each, with_tokens=with_tokens) for each in found], token, state.knobs
    )


def update(state: State, caller: Principal, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("UpdateRecipient", values)
    recipient = state.recipient_to_change(name)
    if not caller.is_metastore_admin and not owns(state, caller, recipient.owner):
        raise not_owner("Recipient", recipient.name)
    if not any(body.has(each) for each in _UPDATABLE):
        if state.knobs.empty_recipient_update == "error":
            raise invalid("UpdateRecipient no fields to update")
        return recipient_json(state, recipient)
    renamed = _new_name(state, caller, recipient, body)
    owner = body.text("owner")
    if owner is not None:
        check_principal(state, owner)
    ips, properties, comment = (
        _ip_addresses(body, recipient.authentication_type),
        _properties(state, body),
        body.text("comment"),
    )
    changed = replace(
        recipient,
        name=renamed,
        owner=recipient.owner if owner is None else owner,
        comment=recipient.comment if comment is None else comment,
        ip_addresses=recipient.ip_addresses if ips is None else ips,
        properties=recipient.properties if properties is None else properties,
        tokens=_tokens_with_expiry(state, recipient, caller, body),
        stamp=state.touched(recipient.stamp, caller.name),
    )
    return recipient_json(state, state.put_recipient(changed, instead_of=recipient.name))


def delete(state: State, caller: Principal, name: str) -> dict[str, Any]:
    recipient = state.recipient(name)
    if not owns(state, caller, recipient.owner):
        raise not_owner("Recipient", recipient.name)
    holds_grants = any(recipient.id in each.grants for each in state.shares.values())
    if holds_grants and state.knobs.delete_with_grants == "refused":
        raise invalid_state(f"Recipient '{recipient.name}' still has access to shares")
    state.remove_recipient(recipient)
    return {}


def rotate_token(state: State, caller: Principal, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("RotateRecipientToken", values)
    recipient = state.recipient_to_change(name)
    if not owns(state, caller, recipient.owner):
        raise not_owner("Recipient", recipient.name)
    if recipient.authentication_type != "TOKEN":
        raise invalid(f"Cannot rotate the token of recipient {recipient.name} with non-TOKEN authentication type")
    seconds = body.integer("existing_token_expire_in_seconds")
    stamp = state.touched(recipient.stamp, caller.name) if state.knobs.rotate_bumps_updated_at else recipient.stamp
    changed = replace(recipient, tokens=tokens.rotated(state, recipient, caller.name, seconds), stamp=stamp)
    return recipient_json(state, state.put_recipient(changed, instead_of=recipient.name))


def share_permissions(state: State, caller: Principal, name: str, query: Mapping[str, str]) -> dict[str, Any]:
    state.newborn.read("Recipient", name)
    recipient = state.recipient(name)
    check_may_read(state, caller, recipient)
    granted = ((each.name, each) for each in state.shares.values() if recipient.id in each.grants)
    found, token = page(granted, query, state.knobs)
    rows = [
        {
            "share_name": share.name,
            "privilege_assignments": [{"principal": recipient.name, "privileges": sorted(share.grants[recipient.id])}],
        }
        for share in found
    ]
    return listing("permissions_out", rows, token, state.knobs)


def check_may_read(state: State, caller: Principal, recipient: Recipient) -> None:
    if not owns(state, caller, recipient.owner) and not on_metastore(state, caller, "USE_RECIPIENT"):
        raise denied(f"User does not have USE RECIPIENT on Recipient '{recipient.name}'")


def recipient_json(state: State, recipient: Recipient, *, with_tokens: bool = True) -> dict[str, Any]:
    stamp = recipient.stamp
    answer: dict[str, Any] = {
        "id": recipient.id,
        "name": recipient.name,
        "full_name": recipient.name,
        "authentication_type": recipient.authentication_type,
        "owner": recipient.owner,
        "created_at": stamp.created_at,
        "created_by": stamp.created_by,
        "updated_at": stamp.updated_at,
        "updated_by": stamp.updated_by,
        "securable_type": "RECIPIENT",
        "activated": True,
        "properties_kvpairs": {"properties": {**recipient.properties, "databricks.name": recipient.name}},
    }
    optional = {
        "comment": recipient.comment,
        "sharing_code": recipient.sharing_code,
        "ip_access_list": {"allowed_ip_addresses": list(recipient.ip_addresses)} if recipient.ip_addresses else None,
    }
    answer |= {name: value for name, value in optional.items() if value is not None}
    if recipient.global_metastore_id:
        cloud, region, metastore = recipient.global_metastore_id.split(":")
        answer |= {"data_recipient_global_metastore_id": recipient.global_metastore_id}
        answer |= {"cloud": cloud, "region": region, "metastore_id": metastore}
    if recipient.tokens:
        answer |= _token_fields(state, recipient, with_tokens=with_tokens)
    return answer


def _token_fields(state: State, recipient: Recipient, *, with_tokens: bool) -> dict[str, Any]:
    current = recipient.tokens[-1]
    fields: dict[str, Any] = {"activated": current.is_activated, "expiration_time": current.expires_at}
    if with_tokens:
        if not current.is_activated:
            fields["activation_url"] = tokens.activation_url(state, current)
        fields["tokens"] = tokens.tokens_json(state, recipient.tokens)
    return fields


def _check_kind(state: State, body: Body, kind: str, partner: str | None) -> None:
    if kind != "DATABRICKS":
        if partner:
            raise invalid(f"data_recipient_global_metastore_id cannot be set on a {kind} recipient")
        if state.metastore.sharing_scope == "INTERNAL":
            raise feature_disabled("External Delta Sharing is not enabled on the metastore")
        if kind != "TOKEN" and body.has("expiration_time"):
            raise invalid(f"expiration_time cannot be set on a {kind} recipient")
        return
    if not partner:
        raise missing_field(body.operation, "data_recipient_global_metastore_id")
    if body.has("expiration_time"):
        raise invalid("expiration_time cannot be set on a DATABRICKS recipient")
    if not is_global_metastore_id(partner):
        raise invalid(f"Cannot resolve target shard for the global metastore id {partner}")
    if key(partner) == key(state.metastore.global_id):
        raise invalid("A recipient cannot be made for the metastore it belongs to")
    if any(each.global_metastore_id == partner.lower() for each in state.recipients.values()):
        raise ApiError(
            state.knobs.already_exists_status,
            "RECIPIENT_ALREADY_EXISTS",
            f"There is already a Recipient object with the same sharing identifier {partner}",
        )


def _ip_addresses(body: Body, kind: str) -> tuple[str, ...] | None:
    given = body.part("ip_access_list")
    if given is None:
        return None
    addresses = given.texts("allowed_ip_addresses") or ()
    if kind == "DATABRICKS":
        raise invalid("ip_access_list cannot be set on a DATABRICKS recipient")
    if len(addresses) > _MOST_IPS:
        raise invalid(f"ip_access_list has {len(addresses)} entries; at most {_MOST_IPS} are allowed")
    for each in addresses:
        if not is_ip_or_cidr(each):
            raise invalid(f"'{each}' is not a valid IPv4 address or CIDR range")
    return addresses


def _properties(state: State, body: Body) -> dict[str, str] | None:
    given = body.part("properties_kvpairs")
    if given is None:
        return None
    held = given.values.get("properties") or {}
    if isinstance(held, list) and state.knobs.properties_as_list_accepted:
        pairs = given.parts("properties") or ()
        held = {pair.required("key"): pair.text("value") or "" for pair in pairs}
    if not isinstance(held, dict) or not all(isinstance(each, str) for each in held.values()):
        raise invalid("properties_kvpairs.properties must be an object of strings")
    reserved = sorted(name for name in held if name.startswith("databricks."))
    if reserved:
        raise invalid(f"The property {reserved[0]} is reserved and cannot be set")
    return held


def _new_name(state: State, caller: Principal, recipient: Recipient, body: Body) -> str:
    asked = body.text("new_name") or (body.text("name") if state.knobs.name_in_patch_renames else None)
    if asked is None or key(asked) == key(recipient.name):
        return recipient.name
    if not (caller.is_metastore_admin and owns(state, caller, recipient.owner)):
        raise denied(f"Only administrators that own it can rename Recipient '{recipient.name}'")
    name = stored(checked_name(asked, body.operation), state.knobs)
    if key(name) in state.recipients:
        raise already_exists("Recipient", name, state.knobs.already_exists_status)
    return name


def _tokens_with_expiry(state: State, recipient: Recipient, caller: Principal, body: Body) -> tuple[Token, ...]:
    expires_at = body.integer("expiration_time")
    if expires_at is None:
        return recipient.tokens
    if not recipient.tokens:
        raise invalid(f"expiration_time cannot be set on a {recipient.authentication_type} recipient")
    return tokens.with_expiry(state, recipient, caller.name, expires_at)
