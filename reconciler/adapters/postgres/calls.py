"""Calls as JSON, only to be read by people: what was sent, but for a notebook, of which digest and size are told."""

from collections.abc import Mapping
from dataclasses import fields

from reconciler.core.calls import Call
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import FederationPolicy
from reconciler.core.resource_encoding import encode_object
from reconciler.core.share import SharedObject


def call_to_json(call: Call) -> Mapping[str, object]:
    """Fields that are not sent are not shown. No call holds a secret: Databricks makes those, and we drop them."""
    return {"call": type(call).__name__} | {
        field.name: dict(value) if field.name == "properties" else _plain(value)
        for field in fields(call)
        if field.name != "key" and (value := getattr(call, field.name)) is not UNMANAGED
    }


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case frozenset():
            return sorted(map(str, value))
        case int():
            return value
        case SharedObject():
            return _object(value)
        case FederationPolicy():
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)


def _object(item: SharedObject) -> Mapping[str, object]:
    encoded = encode_object(item)
    return encoded if item.content is UNMANAGED else {**encoded, "content_bytes": len(item.content.source)}
