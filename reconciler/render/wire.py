"""The exact HTTP request a `Call` is: method, path, JSON body, as the Databricks SDK writes it. For showing only: the
Databricks adapter performs calls through the SDK, and a test holds both to the same requests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never
from urllib.parse import quote

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    Properties,
    Rename,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.encoding import managed
from reconciler.core.key import Key, Kind
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    TokenSharing,
)
from reconciler.core.share import TABLE_LIKE, Condition, NotebookContent, ObjectType, Partition, SharedObject
from reconciler.render.moments import span

Json = Mapping[str, Any]

_BASE: Final = "/api/2.1/unity-catalog"
_POLICIES: Final = "/api/2.0/data-sharing/recipients"
#: The answer would list everybody who can read the share.
_QUIETLY: Final = {"omit_permissions_list": True}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    #: None where the request has no body.
    body: Json | None = None


def request_of(call: Call) -> Request:
    """What depends on the moment of the call is shown as what it comes from: the end of a token that is given a
    lifetime, and the overlap of a rotation, which is no longer than the old token lasts. A notebook's bytes are shown
    as their number and digest."""
    match call:
        case CreateRecipient() | UpdateRecipient() | DeleteRecipient() | RotateToken():
            return _recipient_request(call)
        case CreatePolicy(key, policy):
            return Request("POST", _policies_path(key), _policy(policy))
        case DeletePolicy(key, name):
            return Request("DELETE", f"{_policies_path(key)}/{quote(name, safe='')}")
        case CreateShare() | UpdateShare() | ChangeGrants() | DeleteShare():
            return _share_request(call)
        case ChangeOwner(key, owner):
            return Request("PATCH", _path(key), {"owner": owner})
        case Rename(key, old_name):
            return Request("PATCH", _path(key, old_name), {"new_name": key.name})
        case _:
            assert_never(call)


def _recipient_request(call: CreateRecipient | UpdateRecipient | DeleteRecipient | RotateToken) -> Request:
    match call:
        case CreateRecipient(key, authentication):
            body = {"name": key.name, **_authentication(authentication), **_recipient_fields(call)}
            return Request("POST", f"{_BASE}/recipients", body)
        case UpdateRecipient(key):
            return Request("PATCH", _path(key), _recipient_fields(call))
        case RotateToken(key, _, overlap):
            return Request("POST", f"{_path(key)}/rotate-token", {"existing_token_expire_in_seconds": overlap})
        case DeleteRecipient(key):
            return Request("DELETE", _path(key))
        case _:
            assert_never(call)


def _share_request(call: CreateShare | UpdateShare | ChangeGrants | DeleteShare) -> Request:
    match call:
        case CreateShare(key, comment, storage_root):
            body = managed({"name": key.name}, comment=comment, storage_root=storage_root)
            return Request("POST", f"{_BASE}/shares", body)
        case UpdateShare(key, comment, storage_root):
            body = managed({}, comment=comment, storage_root=storage_root, updates=_updates(call) or UNMANAGED)
            return Request("PATCH", _path(key), body)
        case ChangeGrants(key):
            return Request("PATCH", f"{_path(key)}/permissions", {"changes": _grants(call), **_QUIETLY})
        case DeleteShare(key):
            return Request("DELETE", _path(key))
        case _:
            assert_never(call)


def _path(key: Key, name: str = "") -> str:
    folder = "recipients" if key.kind is Kind.RECIPIENT else "shares"
    return f"{_BASE}/{folder}/{quote(name or key.name, safe='')}"


def _policies_path(key: Key) -> str:
    return f"{_POLICIES}/{quote(key.name, safe='')}/federation-policies"


def _authentication(authentication: Authentication) -> Json:
    match authentication:
        case TokenSharing():
            return {"authentication_type": "TOKEN"}
        case OidcSharing():
            return {"authentication_type": "OIDC_FEDERATION"}
        case DatabricksSharing(metastore_id):
            return {"authentication_type": "DATABRICKS", "data_recipient_global_metastore_id": metastore_id}
        case OtherSharing(authentication_type):
            return {"authentication_type": authentication_type}
        case _:
            assert_never(authentication)


def _recipient_fields(call: CreateRecipient | UpdateRecipient) -> Json:
    return managed(
        {},
        ip_access_list=_addresses(call.allowed_ips),
        comment=call.comment,
        properties_kvpairs=_properties(call.properties),
        expiration_time=call.expires_at if call.expires_in is UNMANAGED else f"<{span(call.expires_in)} from the call>",
    )


def _addresses(allowed_ips: Managed[tuple[str, ...]]) -> Managed[Json]:
    """The empty list clears: it is sent as an empty wrapper object, because that is how the SDK writes it."""
    if allowed_ips is UNMANAGED:
        return UNMANAGED
    return {"allowed_ip_addresses": list(allowed_ips)} if allowed_ips else {}


def _properties(properties: Managed[Properties]) -> Managed[Json]:
    """As with addresses."""
    if properties is UNMANAGED:
        return UNMANAGED
    return {"properties": dict(properties)} if properties else {}


def _policy(policy: FederationPolicy) -> Json:
    oidc = {
        "issuer": policy.issuer,
        "subject_claim": policy.subject_claim.value,
        "subject": policy.subject,
        **({"audiences": sorted(policy.audiences)} if policy.audiences else {}),
    }
    return {"name": policy.name, **({"comment": policy.comment} if policy.comment else {}), "oidc_policy": oidc}


def _updates(call: UpdateShare) -> list[Json]:
    return [
        *_actions("REMOVE", [SharedObject(item.name, item.type, item.shared_as) for item in call.remove]),
        *_actions("UPDATE", call.change),
        *_actions("ADD", map(_new, call.add)),
    ]


def _actions(action: str, items: Iterable[SharedObject]) -> Iterator[Json]:
    return ({"action": action, "data_object": _object(item)} for item in items)


def _new(item: SharedObject) -> SharedObject:
    """History and change feed never go in one request (contract 4.3); what is left out is off in a new object."""
    if item.history is UNMANAGED or item.cdf is UNMANAGED:
        return item
    return replace(item, history=UNMANAGED) if item.cdf and not item.history else replace(item, cdf=UNMANAGED)


def _object(item: SharedObject) -> Json:
    """Empty partitions are left out, as the SDK does: so none can be cleared in place (contract 1.5)."""
    is_table_like = item.type is UNMANAGED or item.type in TABLE_LIKE
    alias = UNMANAGED if item.type is ObjectType.SCHEMA else item.shared_as
    history = UNMANAGED if item.history is UNMANAGED else "ENABLED" if item.history else "DISABLED"
    partitions: Managed[list[Json]] = UNMANAGED
    if item.partitions is not UNMANAGED and item.partitions:
        partitions = [_partition(each) for each in sorted(item.partitions, key=_sorted_conditions)]
    return managed(
        {"name": item.name},
        data_object_type=UNMANAGED if item.type is UNMANAGED else item.type.value,
        **{"shared_as" if is_table_like else "string_shared_as": alias},
        comment=item.comment,
        partitions=partitions,
        history_data_sharing_status=history,
        cdf_enabled=item.cdf,
        start_version=item.start_version,
        content=UNMANAGED if item.content is UNMANAGED else content_stands_for(item.content),
    )


def content_stands_for(content: NotebookContent) -> str:
    """What is shown in place of a notebook's bytes."""
    return f"<base64 of {len(content.source):,} bytes, sha256 {content.digest[:12]}>"


def _sorted_conditions(partition: Partition) -> list[str]:
    return sorted(map(str, partition))


def _partition(partition: Partition) -> Json:
    return {"values": [_condition(each) for each in sorted(partition, key=str)]}


def _condition(condition: Condition) -> Json:
    value = {} if condition.value is None else {"value": condition.value}
    key = {} if condition.recipient_property is None else {"recipient_property_key": condition.recipient_property}
    return {"name": condition.column, "op": "LIKE" if condition.is_like else "EQUAL", **value, **key}


def _grants(call: ChangeGrants) -> list[Json]:
    return [
        *({"principal": name, "remove": ["SELECT"]} for name in call.revoke),
        *({"principal": name, "add": ["SELECT"]} for name in call.grant),
    ]
