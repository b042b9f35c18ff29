"""Orders as JSON, to be carried out later by another process, perhaps of a newer version of this program."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.core.key import Key, Kind, PackId
from reconciler.core.pack import Strategy
from reconciler.core.resource_encoding import (
    decode_resource,
    decode_token_change,
    encode_resource,
    encode_token_change,
)
from reconciler.core.review import Review
from reconciler.ports.ledger import PackOrder, Wanted

#: Rises when an order means something that an older version of this program would not do, or would do wrongly. Orders
#: without one are of the first.
VERSION: Final = 1


def order_to_json(order: PackOrder) -> Mapping[str, object]:
    """Without the generation, which matters only when it is submitted."""
    return {
        "v": VERSION,
        "pack": _pack_to_json(order.pack),
        "path": order.path,
        "workspace": order.workspace,
        "requestor": order.requestor,
        "strategy": order.strategy.value,
        "file_format": order.file_format,
        "config": order.config,
        "region": order.region,
        "wanted": [_wanted_to_json(wanted) for wanted in order.wanted],
        "actions": sorted(order.actions),
        "needs": [_pack_to_json(pack) for pack in sorted(order.needs)],
        "held": list(order.held),
        "fingerprint": order.fingerprint,
        "narrows": order.narrows,
        "basis": order.basis,
        "review": {
            "pull_requests": list(order.review.pull_requests),
            "approved_by": list(order.review.approved_by),
        },
    }


def order_from_json(document: Mapping[str, Any]) -> PackOrder:
    return PackOrder(
        pack=pack_from_json(document["pack"]),
        path=document["path"],
        workspace=document["workspace"],
        requestor=document["requestor"],
        strategy=Strategy(document["strategy"]),
        file_format=document["file_format"],
        config=document["config"],
        region=document["region"],
        wanted=tuple(_wanted_from_json(wanted) for wanted in document["wanted"]),
        actions=frozenset(document["actions"]),
        needs=frozenset(pack_from_json(pack) for pack in document["needs"]),
        held=tuple(document["held"]),
        fingerprint=document["fingerprint"],
        narrows=document["narrows"],
        basis=document.get("basis", ""),
        review=review_from_json(document.get("review")),
    )


def review_from_json(document: Mapping[str, Any] | None) -> Review:
    """None: the order is of an older version of this program."""
    return Review() if document is None else Review(tuple(document["pull_requests"]), tuple(document["approved_by"]))


def pack_from_json(document: Mapping[str, str]) -> PackId:
    return PackId.of(document["business_line"], document["project_name"])


def _pack_to_json(pack: PackId) -> Mapping[str, str]:
    return {"business_line": pack.business_line, "project_name": pack.project_name}


def _wanted_to_json(wanted: Wanted) -> Mapping[str, object]:
    """With the bytes of notebooks: the worker has no other place to take them from."""
    return {
        "kind": wanted.key.kind.value,
        "name": wanted.key.name,
        "workspace": wanted.key.workspace,
        "resource": None if wanted.resource is None else encode_resource(wanted.resource, with_content=True),
        "adopt": wanted.adopt,
        "renamed_from": wanted.renamed_from,
        "token": None if wanted.token is None else encode_token_change(wanted.token),
        "released": wanted.released,
        "contested": sorted(wanted.contested),
    }


def _wanted_from_json(document: Mapping[str, Any]) -> Wanted:
    """Orders of older versions of this program know neither renames, tokens, releases nor contested fields."""
    resource, token = document["resource"], document.get("token")
    return Wanted(
        key=Key(Kind(document["kind"]), document["name"], document["workspace"]),
        resource=None if resource is None else decode_resource(resource),
        adopt=document["adopt"],
        renamed_from=document.get("renamed_from", ""),
        token=None if token is None else decode_token_change(token),
        released=document.get("released", False),
        contested=frozenset(document.get("contested", ())),
    )
