"""Values to plain JSON and back, and digests over them. The one shape used in work rows, saved plans and digests."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, assert_never

from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import SharePack
from reconciler.core.recipient import Authentication, DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject

Json = dict[str, Any]


def canonical(value: object) -> str:
    """JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: object) -> str:
    """SHA-256 over the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def encode_resource(resource: Resource) -> Json:
    """Unmanaged fields are left out; the words are those of a pack file."""
    match resource:
        case Recipient():
            return _managed(
                {"kind": "recipient", "name": resource.name, **_encode_authentication(resource.authentication)},
                email=resource.email,
                allowed_ips=_sorted(resource.allowed_ips),
                comment=resource.comment,
            )
        case Share():
            return _managed(
                {"kind": "share", "name": resource.name},
                comment=resource.comment,
                data_objects=_encode_objects(resource.objects),
                recipients=_sorted(resource.recipients),
            )
        case _:
            assert_never(resource)


def decode_resource(value: Mapping[str, Any]) -> Resource:
    """The inverse of `encode_resource`. Raises KeyError or ValueError on anything else."""
    if value["kind"] == "recipient":
        return Recipient(
            name=value["name"],
            authentication=_decode_authentication(value),
            email=value.get("email", UNMANAGED),
            allowed_ips=_set(value.get("allowed_ips")),
            comment=value.get("comment", UNMANAGED),
        )
    if value["kind"] == "share":
        objects = value.get("data_objects")
        return Share(
            name=value["name"],
            comment=value.get("comment", UNMANAGED),
            objects=UNMANAGED if objects is None else frozenset(_decode_object(item) for item in objects),
            recipients=_set(value.get("recipients")),
        )
    raise ValueError(f"not a resource: {value['kind']!r}")


def encode_pack(pack: SharePack) -> Json:
    """The content of a pack in the words of its file, sorted, so that equal content gives equal JSON."""
    metadata = _managed(
        {
            "requestor": pack.requestor,
            "project_name": pack.id.project_name,
            "business_line": pack.id.business_line,
        },
        region=pack.region,
        description=pack.description,
    )
    declared = [pack.resources[key] for key in sorted(pack.resources)]
    encoded = [encode_resource(item.resource) | ({"adopt": True} if item.adopt else {}) for item in declared]
    return {
        "metadata": metadata,
        "recipient": [_without_kind(item) for item in encoded if item["kind"] == "recipient"],
        "share": [_without_kind(item) for item in encoded if item["kind"] == "share"],
    }


def _without_kind(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != "kind"}


def _encode_authentication(authentication: Authentication) -> Json:
    match authentication:
        case TokenSharing():
            return {"type": "D2O"}
        case DatabricksSharing(metastore_id):
            return {"type": "D2D", "metastore_id": metastore_id}
        case OtherSharing(authentication_type):
            return {"type": authentication_type}
        case _:
            assert_never(authentication)


def _decode_authentication(value: Mapping[str, Any]) -> Authentication:
    match value["type"]:
        case "D2O":
            return TokenSharing()
        case "D2D":
            return DatabricksSharing(value["metastore_id"])
        case other:
            return OtherSharing(other)


def _encode_objects(objects: Managed[frozenset[SharedObject]]) -> Managed[list[Json]]:
    if objects is UNMANAGED:
        return UNMANAGED
    ordered = sorted(objects, key=lambda item: (item.name, str(item.type)))
    return [_managed({"name": item.name}, type=item.type) for item in ordered]


def _decode_object(value: Mapping[str, Any]) -> SharedObject:
    return SharedObject(value["name"], ObjectType(value["type"]) if "type" in value else UNMANAGED)


def _managed(fixed: Json, **fields: object) -> Json:
    return fixed | {name: value for name, value in fields.items() if value is not UNMANAGED}


def _sorted(items: Managed[frozenset[str]]) -> Managed[list[str]]:
    return UNMANAGED if items is UNMANAGED else sorted(items)


def _set(items: list[str] | None) -> Managed[frozenset[str]]:
    return UNMANAGED if items is None else frozenset(items)
