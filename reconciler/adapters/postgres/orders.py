"""Orders and calls as JSON: an order to be carried out later by another process, a call only to be read by people."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from reconciler.core.calls import Call
from reconciler.core.resource_encoding import decode_resource, encode_resource
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import Strategy
from reconciler.core.resource import Resource
from reconciler.core.share import SharedObject
from reconciler.ports.ledger import PackOrder, Wanted


def order_to_json(order: PackOrder) -> Mapping[str, object]:
    return {
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
    )


def pack_from_json(document: Mapping[str, str]) -> PackId:
    return PackId.of(document["business_line"], document["project_name"])


def resource_to_json(resource: Resource | None) -> Mapping[str, object] | None:
    return None if resource is None else encode_resource(resource)


def resource_from_json(document: Mapping[str, Any] | None) -> Resource | None:
    return None if document is None else decode_resource(document)


def call_to_json(call: Call) -> Mapping[str, object]:
    """Fields that are not sent are not shown. No call holds a secret: Databricks makes those, and we drop them."""
    return {"call": type(call).__name__} | {
        field.name: _plain(value)
        for field in fields(call)
        if field.name != "key" and (value := getattr(call, field.name)) is not UNMANAGED
    }


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case SharedObject():
            return str(value) if value.type is UNMANAGED else f"{value} ({value.type})"
        case _:
            return str(value)


def _pack_to_json(pack: PackId) -> Mapping[str, str]:
    return {"business_line": pack.business_line, "project_name": pack.project_name}


def _wanted_to_json(wanted: Wanted) -> Mapping[str, object]:
    return {
        "kind": wanted.key.kind.value,
        "name": wanted.key.name,
        "workspace": wanted.key.workspace,
        "resource": resource_to_json(wanted.resource),
        "adopt": wanted.adopt,
    }


def _wanted_from_json(document: Mapping[str, Any]) -> Wanted:
    key = Key(Kind(document["kind"]), document["name"], document["workspace"])
    return Wanted(key, resource_from_json(document["resource"]), document["adopt"])
