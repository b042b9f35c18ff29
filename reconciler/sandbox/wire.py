"""Requests and replies as the handlers see them: decoded segments, a query, a JSON body; a status and bytes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from reconciler.sandbox.errors import ApiError, malformed

_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    method: str
    #: as sent, without query and without a trailing slash
    path: str
    #: as sent
    raw_query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    #: what the placeholders of the route stand for
    names: tuple[str, ...] = ()

    @property
    def segments(self) -> tuple[str, ...]:
        """Split first, decoded after: a slash that was sent as %2F belongs to its segment."""
        return tuple(unquote(each) for each in self.path.split("/")[1:])

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True)) if self.raw_query else {}

    @property
    def values(self) -> dict[str, Any]:
        """The JSON object in the body, whatever the content type says; no body is an empty object."""
        if not self.body:
            return {}
        try:
            found = json.loads(self.body)
        except ValueError:
            raise malformed("The request body is not valid JSON") from None
        if not isinstance(found, dict):
            raise malformed("The request body must be a JSON object")
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = field(repr=False)
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def read_target(raw: str) -> tuple[str, str]:
    """Answers path and query of a request target; an absolute one, as a proxy gets it, loses scheme and host."""
    path, _, query = raw.partition("?")
    host = _ABSOLUTE.match(path)
    path = path[host.end() :] if host else path
    return (path.rstrip("/") or "/"), query


def json_reply(payload: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(payload, separators=(",", ":")).encode())


def error_reply(error: ApiError, request_id: str) -> Reply:
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": error.error_code,
            "domain": "unity-catalog.databricks.com",
        },
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": request_id, "serving_data": ""},
    ]
    payload = {"error_code": error.error_code, "message": error.message, "details": details}
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return Reply(error.status, json.dumps(payload).encode(), headers=headers)
