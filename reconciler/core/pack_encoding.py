"""A pack as plain JSON in the words of its file: what is stored as its content and compared by digest."""

from reconciler.core.encoding import Json, managed
from reconciler.core.pack import Declared, SharePack
from reconciler.core.resource_encoding import encode_resource


def encode_pack(pack: SharePack) -> Json:
    """The content of a pack in the words of its file, sorted, so that equal content gives equal JSON."""
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
    encoded = [_encode_declared(pack.resources[key]) for key in sorted(pack.resources)]
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


def _encode_declared(declared: Declared) -> Json:
    encoded = encode_resource(declared.resource)
    if declared.adopt:
        encoded["adopt"] = True
    if declared.renamed_from:
        encoded["renamed_from"] = declared.renamed_from
    return encoded


def _without_kind(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != "kind"}
