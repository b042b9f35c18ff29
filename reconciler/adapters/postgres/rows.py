"""Resources as columns and back. NULL is a field the pack does not manage; empty text and empty lists are cleared."""

from collections.abc import Mapping
from typing import Any, assert_never

from reconciler.adapters.postgres.tables import RECIPIENTS, SHARES, Table
from reconciler.core.key import Kind
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Authentication, DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject


def table_of(kind: Kind) -> Table:
    match kind:
        case Kind.RECIPIENT:
            return RECIPIENTS
        case Kind.SHARE:
            return SHARES
        case _:
            assert_never(kind)


def to_columns(resource: Resource) -> Mapping[str, object]:
    match resource:
        case Recipient():
            return {
                "recipient_name": resource.name,
                **_authentication_columns(resource.authentication),
                "email": _nullable(resource.email),
                "allowed_ips": None if resource.allowed_ips is UNMANAGED else sorted(resource.allowed_ips),
                "comment": _nullable(resource.comment),
            }
        case Share():
            return {
                "share_name": resource.name,
                "comment": _nullable(resource.comment),
                "data_objects": None
                if resource.objects is UNMANAGED
                else [_object_columns(item) for item in sorted(resource.objects, key=_object_order)],
                "recipients": None if resource.recipients is UNMANAGED else sorted(resource.recipients),
            }
        case _:
            assert_never(resource)


def from_columns(kind: Kind, row: Mapping[str, Any]) -> Resource:
    match kind:
        case Kind.RECIPIENT:
            return Recipient(
                name=row["recipient_name"],
                authentication=_authentication(row["type"], row["metastore_id"]),
                email=_managed(row["email"]),
                allowed_ips=UNMANAGED if row["allowed_ips"] is None else frozenset(row["allowed_ips"]),
                comment=_managed(row["comment"]),
            )
        case Kind.SHARE:
            objects = row["data_objects"]
            return Share(
                name=row["share_name"],
                comment=_managed(row["comment"]),
                objects=UNMANAGED if objects is None else frozenset(_object(item) for item in objects),
                recipients=UNMANAGED if row["recipients"] is None else frozenset(row["recipients"]),
            )
        case _:
            assert_never(kind)


def _authentication_columns(authentication: Authentication) -> Mapping[str, object]:
    match authentication:
        case TokenSharing():
            return {"type": "D2O", "metastore_id": None}
        case DatabricksSharing(metastore_id):
            return {"type": "D2D", "metastore_id": metastore_id}
        case OtherSharing(authentication_type):
            return {"type": authentication_type, "metastore_id": None}
        case _:
            assert_never(authentication)


def _authentication(sharing_type: str, metastore_id: str | None) -> Authentication:
    if sharing_type == "D2O":
        return TokenSharing()
    return OtherSharing(sharing_type) if metastore_id is None else DatabricksSharing(metastore_id)


def _object_columns(item: SharedObject) -> Mapping[str, object]:
    return {"name": item.name, "type": None if item.type is UNMANAGED else item.type.value}


def _object_order(item: SharedObject) -> tuple[str, str]:
    """An unmanaged type has no order of its own."""
    return item.name, "" if item.type is UNMANAGED else item.type.value


def _object(item: Mapping[str, Any]) -> SharedObject:
    return SharedObject(item["name"], UNMANAGED if item["type"] is None else ObjectType(item["type"]))


def _nullable(value: Managed[str]) -> str | None:
    return None if value is UNMANAGED else value


def _managed(value: str | None) -> Managed[str]:
    return UNMANAGED if value is None else value
