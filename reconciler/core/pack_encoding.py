"""A pack as plain JSON in the words of its file: what is stored as its content and compared by digest."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.encoding import Json, digest, managed
from reconciler.core.key import Key
from reconciler.core.pack import Declared, SharePack
from reconciler.core.resource_encoding import encode_resource


@dataclass(frozen=True, slots=True)
class Digests:
    """Of what a pack says."""

    #: Of all of it (`encode_pack`).
    pack: str
    #: Of the resources that it declares, by key.
    resources: str


def digests(pack: SharePack) -> Digests:
    encoded = _encode_resources(pack)
    return Digests(digest(_content(pack, encoded)), digest([encoded[key] for key in sorted(encoded)]))


def encode_pack(pack: SharePack) -> Json:
    """The content of a pack in the words of its file, sorted, so that equal content gives equal JSON."""
    return _content(pack, _encode_resources(pack))


def _encode_resources(pack: SharePack) -> Mapping[Key, Json]:
    return {key: encode_resource(declared.resource) for key, declared in pack.resources.items()}


def _content(pack: SharePack, resources: Mapping[Key, Json]) -> Json:
    metadata = managed(
        {
            "requestor": pack.requestor,
            "project_name": pack.id.project_name,
            "business_line": pack.id.business_line,
        },
        region=pack.region,
        description=pack.description,
        drift=pack.drift,
    )
    encoded = [_encode_declared(pack.resources[key], resources[key]) for key in sorted(pack.resources)]
    content: Json = {
        "metadata": metadata,
        "recipient": [_without_kind(item) for item in encoded if item["kind"] == "recipient"],
        "share": [_without_kind(item) for item in encoded if item["kind"] == "share"],
    }
    if pack.allowances:
        content["allow"] = [
            {"action": each.action, "until": each.until.isoformat(), "reason": each.reason}
            for each in sorted(pack.allowances, key=lambda each: (each.action, each.until))
        ]
    if pack.released:
        content["release"] = sorted(map(str, pack.released))
    return content


def _encode_declared(declared: Declared, resource: Json) -> Json:
    encoded = dict(resource)
    if declared.adopt:
        encoded["adopt"] = True
    if declared.renamed_from:
        encoded["renamed_from"] = declared.renamed_from
    return encoded


def _without_kind(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != "kind"}
