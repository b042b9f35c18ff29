"""The exact API call a `Call` is: method, path, JSON body. For showing; the Databricks adapter performs calls through
the SDK, and a test holds both to the same requests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, assert_never
from urllib.parse import quote

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import Key, Kind
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.plan import Plan, Step
from reconciler.core.recipient import Authentication, DatabricksSharing, OtherSharing, TokenSharing
from reconciler.core.share import SharedObject
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render

Json = Mapping[str, Any]

_BASE: Final = "/api/2.1/unity-catalog"
#: The answer would list everybody who can read the share.
_QUIETLY: Final = {"omit_permissions_list": True}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    #: None where the request has no body.
    body: Json | None = None


def request_of(call: Call) -> Request:
    match call:
        case CreateRecipient(key, authentication, allowed_ips, comment):
            body = {"name": key.name, **_authentication(authentication), **_addresses(allowed_ips), **_text(comment)}
            return Request("POST", f"{_BASE}/recipients", body)
        case UpdateRecipient(key, allowed_ips, comment):
            return Request("PATCH", _path(key), {**_addresses(allowed_ips), **_text(comment)})
        case CreateShare(key, comment):
            return Request("POST", f"{_BASE}/shares", {"name": key.name, **_text(comment)})
        case UpdateShare(key, comment, remove, add):
            updates = [*(_update("REMOVE", item) for item in remove), *(_update("ADD", item) for item in add)]
            return Request("PATCH", _path(key), {**_text(comment), **({"updates": updates} if updates else {})})
        case ChangeGrants():
            return Request("PATCH", f"{_path(call.key)}/permissions", {"changes": _grants(call), **_QUIETLY})
        case DeleteRecipient(key) | DeleteShare(key):
            return Request("DELETE", _path(key))
        case _:
            assert_never(call)


def requests_of(step: Step) -> Iterator[Request]:
    """What a worker would send for a step, were the world as it was when the plan was made; none for a held step."""
    if not step.is_held:
        yield from (request_of(operation.call) for operation in lower(step.key, step.verdict))


def calls_text(plan: Plan, style: Style = PLAIN) -> str:
    return render(tuple(_lines(plan)), style)


def _lines(plan: Plan) -> Iterator[Line]:
    count = 0
    for pack in plan.packs:
        calls = [(step.key.workspace, request) for step in pack.steps for request in requests_of(step)]
        count += len(calls)
        for workspace, group in groupby(calls, key=itemgetter(0)):
            yield line(Span(f"{pack.path or pack.pack}   {workspace}", Tone.HEADING))
            for _, request in group:
                yield from _request_lines(request)
            yield EMPTY
    yield line(Span(f"{count:,} API call{'s'[: count != 1]}.", Tone.HEADING))


def _request_lines(request: Request) -> Iterator[Line]:
    yield line(Span(f"  {request.method:<6} ", _METHOD_TONES[request.method]), request.path)
    if request.body is not None:
        yield line(Span(f"         {json.dumps(request.body, ensure_ascii=False)}", Tone.DIM))


_METHOD_TONES: Final = {"POST": Tone.ADD, "PATCH": Tone.CHANGE, "DELETE": Tone.REMOVE}


def _path(key: Key) -> str:
    folder = "recipients" if key.kind is Kind.RECIPIENT else "shares"
    return f"{_BASE}/{folder}/{quote(key.name, safe='')}"


def _authentication(authentication: Authentication) -> Json:
    match authentication:
        case TokenSharing():
            return {"authentication_type": "TOKEN"}
        case DatabricksSharing(metastore_id):
            return {"authentication_type": "DATABRICKS", "data_recipient_global_metastore_id": metastore_id}
        case OtherSharing(authentication_type):
            return {"authentication_type": authentication_type}
        case _:
            assert_never(authentication)


def _addresses(allowed_ips: Managed[tuple[str, ...]]) -> Json:
    """The empty list clears: it is sent as an empty wrapper object, because that is how the SDK writes it."""
    if allowed_ips is UNMANAGED:
        return {}
    return {"ip_access_list": {"allowed_ip_addresses": list(allowed_ips)} if allowed_ips else {}}


def _text(comment: Managed[str]) -> Json:
    return {} if comment is UNMANAGED else {"comment": comment}


def _update(action: str, item: SharedObject) -> Json:
    kind = {} if item.type is UNMANAGED else {"data_object_type": str(item.type)}
    return {"action": action, "data_object": {"name": item.name, **kind}}


def _grants(call: ChangeGrants) -> list[Json]:
    return [
        *({"principal": name, "remove": ["SELECT"]} for name in call.revoke),
        *({"principal": name, "add": ["SELECT"]} for name in call.grant),
    ]
