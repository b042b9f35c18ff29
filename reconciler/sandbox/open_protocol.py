"""The Delta Sharing protocol as far as it shows who may read what: listing shares, schemas, tables and their metadata.

The caller is a recipient with the bearer token of its credential file. No table data is served.
"""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.sandbox.errors import ApiError, invalid
from reconciler.sandbox.names import key
from reconciler.sandbox.paging import page
from reconciler.sandbox.privileges import lacks_for_sharing
from reconciler.sandbox.records import Recipient, Share
from reconciler.sandbox.share_objects import TABLE_LIKE
from reconciler.sandbox.state import State
from reconciler.sandbox.tokens import holder_of
from reconciler.sandbox.wire import ApiRequest, Reply, json_reply

_ROUTE = "/api/2.0/delta-sharing"
_LOCAL = "127.0.0.1"


def protocol_reply(state: State, request: ApiRequest) -> tuple[str, Reply] | None:
    """Answers the route's name and its reply, or None when the request is not of this protocol."""
    match request.segments:
        case ("api", "2.0", "delta-sharing", "metastores", _, *rest) if request.method == "GET":
            try:
                return _ROUTE, _reply(state, _recipient(state, request), request, tuple(rest))
            except ApiError as error:
                payload = {"errorCode": error.error_code, "message": error.message}
                return _ROUTE, json_reply(payload, error.status)
        case _:
            return None


def _reply(state: State, recipient: Recipient, request: ApiRequest, rest: tuple[str, ...]) -> Reply:
    granted = {key(each.name): each for each in state.shares.values() if recipient.id in each.grants}
    match rest:
        case ("shares",):
            rows = [(each.name, {"name": each.name}) for each in granted.values()]
        case ("shares", share):
            return json_reply({"share": {"name": _granted(granted, share).name}})
        case ("shares", share, "schemas"):
            found = _granted(granted, share)
            names = {schema for schema, _ in _tables(state, found)}
            rows = [(each, {"name": each, "share": found.name}) for each in names]
        case ("shares", share, "all-tables"):
            rows = _table_rows(state, _granted(granted, share), None)
        case ("shares", share, "schemas", schema, "tables"):
            rows = _table_rows(state, _granted(granted, share), key(schema))
        case ("shares", share, "schemas", schema, "tables", table, "version" | "metadata" as what):
            return _table_reply(state, _granted(granted, share), (key(schema), key(table)), what)
        case _:
            raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for 'GET {request.path}'")
    items, token = page(rows, _renamed(request.query), state.knobs)
    return json_reply({"items": items} if token is None else {"items": items, "nextPageToken": token})


def _recipient(state: State, request: ApiRequest) -> Recipient:
    scheme, _, bearer = (request.headers.get("Authorization") or "").partition(" ")
    recipient = holder_of(state, bearer) if scheme.lower() == "bearer" else None
    if recipient is None:
        raise ApiError(401, "UNAUTHENTICATED", "The bearer token is unknown or has expired")
    address = request.headers.get("X-Forwarded-For", _LOCAL)
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        raise invalid("X-Forwarded-For is not an IP address") from None
    allowed = [ipaddress.ip_network(each) for each in recipient.ip_addresses]
    if allowed and not any(peer in each for each in allowed):
        raise ApiError(403, "PERMISSION_DENIED", f"The address {address} is not in the IP access list of the recipient")
    return recipient


def _granted(granted: Mapping[str, Share], name: str) -> Share:
    found = granted.get(key(name))
    if found is None:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Share '{name}' does not exist")
    return found


def _tables(state: State, share: Share) -> Iterator[tuple[str, str]]:
    """Answers schema and name, as shared, of every table that can be read now."""
    for item in share.objects:
        if lacks_for_sharing(state, share.owner, item.data_object_type, key(item.name)):
            continue
        if item.data_object_type in TABLE_LIKE:
            schema, _, table = item.alias.partition(".")
            yield schema, table
        elif item.data_object_type == "SCHEMA":
            yield from ((item.alias, name.rpartition(".")[2]) for name in state.below(key(item.name)))


def _table_rows(state: State, share: Share, schema: str | None) -> list[tuple[str, dict[str, str]]]:
    found = sorted(set(_tables(state, share)))
    if schema is not None and not any(key(each) == schema for each, _ in found):
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Schema '{schema}' does not exist in share '{share.name}'")
    return [
        (f"{each}.{table}", {"name": table, "schema": each, "share": share.name})
        for each, table in found
        if schema in {None, key(each)}
    ]


def _table_reply(state: State, share: Share, wanted: tuple[str, str], what: str) -> Reply:
    if wanted not in {(key(schema), key(table)) for schema, table in _tables(state, share)}:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Table '{'.'.join(wanted)}' is not shared")
    headers = {"Delta-Table-Version": "0"}
    if what == "version":
        return Reply(200, b"{}", headers=headers)
    lines: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": 1}},
        {"metaData": {"id": ".".join(wanted), "format": {"provider": "parquet"}, "partitionColumns": []}},
    ]
    return Reply(200, "".join(json.dumps(each) + "\n" for each in lines).encode(), "application/x-ndjson", headers)


def _renamed(query: Mapping[str, str]) -> dict[str, str]:
    names = {"maxResults": "max_results", "pageToken": "page_token"}
    return {names.get(name, name): value for name, value in query.items() if value}
