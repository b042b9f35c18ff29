"""Resources as plain JSON values and back: the one shape used in work rows, record columns, saved plans and digests."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

from reconciler.core.changes import TokenChange, TokenRotated, TokenShortened
from reconciler.core.encoding import Json, canonical, managed
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.objects import order
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, NotebookContent, ObjectType, Partition, Share, SharedObject

#: What is written of most objects: nothing else has to be looked for in them.
_MOST_HAVE: Final = frozenset({"name", "type"})


def encode_resource(resource: Resource, *, with_content: bool = False) -> Json:
    """Unmanaged fields are left out; the words are those of a pack file. A notebook is a digest unless its content is
    asked for."""
    match resource:
        case Recipient():
            return _encode_recipient(resource)
        case Share():
            return managed(
                {"kind": "share", "name": resource.name},
                comment=resource.comment,
                owner=resource.owner,
                storage_root=resource.storage_root,
                data_objects=encode_objects(resource.objects, with_content=with_content),
                recipients=_sorted(resource.recipients),
                protect=resource.protect or UNMANAGED,
            )
        case _:
            assert_never(resource)


def _encode_recipient(resource: Recipient) -> Json:
    return managed(
        {"kind": "recipient", "name": resource.name, **_encode_authentication(resource.authentication)},
        email=resource.email,
        allowed_ips=_sorted(resource.allowed_ips),
        comment=resource.comment,
        owner=resource.owner,
        properties=UNMANAGED if resource.properties is UNMANAGED else dict(sorted(resource.properties)),
        expires_at=resource.expires_at,
        federation_policies=encode_policies(resource.policies),
        token_lifetime=resource.token_lifetime,
        rotate_every=resource.rotate_every,
        rotation_overlap=resource.rotation_overlap,
        protect=resource.protect or UNMANAGED,
    )


def decode_resource(value: Mapping[str, Any]) -> Resource:
    """The inverse of `encode_resource`. Raises KeyError or ValueError on anything else."""
    if value["kind"] == "recipient":
        properties = value.get("properties")
        return Recipient(
            name=value["name"],
            authentication=decode_authentication(value["type"], value.get("metastore_id")),
            email=value.get("email", UNMANAGED),
            allowed_ips=_set(value.get("allowed_ips")),
            comment=value.get("comment", UNMANAGED),
            owner=value.get("owner", UNMANAGED),
            properties=UNMANAGED if properties is None else frozenset(properties.items()),
            expires_at=value.get("expires_at", UNMANAGED),
            policies=decode_policies(value.get("federation_policies")),
            token_lifetime=value.get("token_lifetime", UNMANAGED),
            rotate_every=value.get("rotate_every", UNMANAGED),
            rotation_overlap=value.get("rotation_overlap", UNMANAGED),
            protect=value.get("protect", False),
        )
    if value["kind"] == "share":
        return Share(
            name=value["name"],
            comment=value.get("comment", UNMANAGED),
            objects=decode_objects(value.get("data_objects")),
            recipients=_set(value.get("recipients")),
            owner=value.get("owner", UNMANAGED),
            storage_root=value.get("storage_root", UNMANAGED),
            protect=value.get("protect", False),
        )
    raise ValueError(f"not a resource: {value['kind']!r}")


def _encode_authentication(authentication: Authentication) -> Json:
    """`type` alone tells them apart: the guide's D2O and D2D, and OIDC for a D2O recipient without a token."""
    match authentication:
        case TokenSharing():
            return {"type": "D2O"}
        case OidcSharing():
            return {"type": "OIDC"}
        case DatabricksSharing(metastore_id):
            return {"type": "D2D", "metastore_id": metastore_id}
        case OtherSharing(authentication_type):
            return {"type": authentication_type}
        case _:
            assert_never(authentication)


def decode_authentication(sharing_type: str, metastore_id: str | None) -> Authentication:
    match sharing_type:
        case "D2O":
            return TokenSharing()
        case "OIDC":
            return OidcSharing()
        case "D2D" if metastore_id is not None:
            return DatabricksSharing(metastore_id)
        case other:
            return OtherSharing(other)


def encode_objects(objects: Managed[frozenset[SharedObject]], *, with_content: bool = False) -> Managed[list[Json]]:
    if objects is UNMANAGED:
        return UNMANAGED
    ordered = sorted(objects, key=order)
    if len({item.name for item in ordered}) < len(ordered):
        # Those that `order` does not tell apart.
        ordered.sort(key=lambda item: (order(item), canonical(encode_object(item))))
    return [encode_object(item, with_content=with_content) for item in ordered]


def decode_objects(values: Iterable[Mapping[str, Any]] | None) -> Managed[frozenset[SharedObject]]:
    return UNMANAGED if values is None else frozenset(map(decode_object, values))


def encode_object(item: SharedObject, *, with_content: bool = False) -> Json:
    fields = (
        ("name", item.name),
        ("type", item.type),
        ("shared_as", item.shared_as),
        ("comment", item.comment),
        ("history", item.history),
        ("cdf", item.cdf),
        ("start_version", item.start_version),
    )
    encoded: Json = {name: value for name, value in fields if value is not UNMANAGED}
    if item.partitions is not UNMANAGED:
        encoded["partitions"] = sorted(
            (_encode_partition(each) for each in item.partitions), key=lambda conditions: [str(c) for c in conditions]
        )
    if item.content is not UNMANAGED:
        encoded["content_digest"] = item.content.digest
        if with_content:
            encoded["content"] = base64.b64encode(item.content.source).decode()
    return encoded


def decode_object(value: Mapping[str, Any]) -> SharedObject:
    """A type that is null or left out is not managed."""
    if value.keys() == _MOST_HAVE and value["type"] is not None:
        return SharedObject(value["name"], ObjectType(value["type"]))
    partitions = value.get("partitions")
    digest = value.get("content_digest")
    return SharedObject(
        name=value["name"],
        type=ObjectType(value["type"]) if value.get("type") is not None else UNMANAGED,
        shared_as=value.get("shared_as", UNMANAGED),
        comment=value.get("comment", UNMANAGED),
        partitions=UNMANAGED if partitions is None else frozenset(map(_decode_partition, partitions)),
        history=value.get("history", UNMANAGED),
        cdf=value.get("cdf", UNMANAGED),
        start_version=value.get("start_version", UNMANAGED),
        content=UNMANAGED if digest is None else NotebookContent(digest, base64.b64decode(value.get("content", ""))),
    )


def _encode_partition(partition: Partition) -> list[Json]:
    return [
        managed(
            {"column": each.column},
            like=each.is_like or UNMANAGED,
            value=UNMANAGED if each.value is None else each.value,
            recipient_property=UNMANAGED if each.recipient_property is None else each.recipient_property,
        )
        for each in sorted(partition, key=str)
    ]


def _decode_partition(values: Iterable[Mapping[str, Any]]) -> Partition:
    return frozenset(
        Condition(each["column"], each.get("like", False), each.get("value"), each.get("recipient_property"))
        for each in values
    )


def encode_policies(policies: Managed[frozenset[FederationPolicy]]) -> Managed[list[Json]]:
    if policies is UNMANAGED:
        return UNMANAGED
    encoded = [
        {
            "name": each.name,
            "issuer": each.issuer,
            "subject_claim": each.subject_claim.value,
            "subject": each.subject,
            "audiences": sorted(each.audiences),
            "comment": each.comment,
        }
        for each in policies
    ]
    return sorted(encoded, key=lambda each: (each["name"], canonical(each)))


def decode_policies(values: Iterable[Mapping[str, Any]] | None) -> Managed[frozenset[FederationPolicy]]:
    if values is None:
        return UNMANAGED
    return frozenset(
        FederationPolicy(
            each["name"],
            each["issuer"],
            SubjectClaim(each["subject_claim"]),
            each["subject"],
            frozenset(each["audiences"]),
            each["comment"],
        )
        for each in values
    )


def encode_token_change(change: TokenChange) -> Json:
    match change:
        case TokenRotated(token_id, made_at, overlap, ends_at):
            return {"token_id": token_id, "made_at": made_at, "overlap": overlap, "ends_at": ends_at}
        case TokenShortened(token_id, before, after):
            return {"token_id": token_id, "before": before, "after": after}
        case _:
            assert_never(change)


def decode_token_change(value: Mapping[str, Any]) -> TokenChange:
    if "overlap" in value:
        return TokenRotated(value["token_id"], value["made_at"], value["overlap"], value.get("ends_at"))
    return TokenShortened(value["token_id"], value["before"], value["after"])


def _sorted(items: Managed[frozenset[str]]) -> Managed[list[str]]:
    return UNMANAGED if items is UNMANAGED else sorted(items)


def _set(items: list[str] | None) -> Managed[frozenset[str]]:
    return UNMANAGED if items is None else frozenset(items)
