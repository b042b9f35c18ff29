"""The requests a sandbox got, kept without secrets and within bounds, and counted for ever."""

import json
import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.clock import iso

_HIDDEN = "***"
_SECRET_FIELDS = frozenset(
    {
        "activation_url",
        "bearer_token",
        "bearertoken",
        "client_secret",
        "password",
        "recipient_profile_str",
        "sharing_code",
        "token",
    }
)
_SECRET_PATH = re.compile(r"((?:data_sharing_activation(?:_info)?)/).*")
_SECRET_QUERY = re.compile(r"(?i)((?:^|&)[^=&]*(?:token|secret|password)[^=&]*=)[^&]*")
MOST_BODY_CHARACTERS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogEntry:
    sequence: int
    at: int
    method: str
    path: str
    query: str
    #: the JSON body as text, secrets hidden
    body: str | None
    principal: str | None
    #: None when the connection was dropped without an answer
    status: int | None
    request_id: str
    #: path with placeholders; None for an unknown one
    route: str | None
    #: "before" or "after" when a fault replaced the answer of the handler, "delayed" when it came late only
    fault: str | None

    @property
    def is_write(self) -> bool:
        return self.method not in {"GET", "HEAD"} and self.path.startswith("/api/")

    def as_json(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "time": iso(self.at),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "body": None if self.body is None else json.loads(self.body),
            "principal": self.principal,
            "status": self.status,
            "request_id": self.request_id,
            "route": self.route,
            "fault": self.fault,
        }


class RequestLog:
    """Drops its oldest entries beyond `capacity` entries or MOST_BODY_CHARACTERS; the counts are of all there were."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: deque[LogEntry] = deque()
        self._characters = 0
        self._sequence = 0
        self._counts: Counter[tuple[str, str | None, int | None]] = Counter()
        self._faults: Counter[str] = Counter()
        self._writes = 0

    def add(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._characters += len(entry.body or "")
        self._counts[entry.method, entry.route, entry.status] += 1
        self._writes += entry.is_write
        if entry.fault:
            self._faults[f"{entry.status or 'dropped'} {entry.fault}"] += 1
        while len(self._entries) > self._capacity or self._characters > MOST_BODY_CHARACTERS:
            self._characters -= len(self._entries.popleft().body or "")

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def entries(self, *, is_write: bool = False, since: int = 0, limit: int | None = None) -> list[LogEntry]:
        """Answers entries with a sequence above `since`, oldest first; with a limit the newest of them."""
        found = [each for each in self._entries if each.sequence > since and (each.is_write or not is_write)]
        return found if limit is None else found[-limit:]

    def counts(self) -> dict[str, Any]:
        by_route: Counter[str] = Counter()
        by_status: Counter[str] = Counter()
        for (method, route, status), count in self._counts.items():
            by_route[f"{method} {route or 'unknown'}"] += count
            by_status[str(status or "dropped")] += count
        return {
            "total": sum(by_status.values()),
            "writes": self._writes,
            "by_route": dict(sorted(by_route.items())),
            "by_status": dict(sorted(by_status.items())),
            "by_fault": dict(sorted(self._faults.items())),
        }

    def clear(self) -> None:
        self._entries.clear()
        self._counts.clear()
        self._faults.clear()
        self._characters = self._writes = 0


def without_secrets(path: str, query: str) -> tuple[str, str]:
    """Hides activation secrets wherever a client may have put them, and token-like query fields."""
    if "data_sharing_activation" in path or "retrieve_config" in path:
        return _SECRET_PATH.sub(rf"\1{_HIDDEN}", path), _HIDDEN if query else ""
    return path, _SECRET_QUERY.sub(rf"\1{_HIDDEN}", query)


def body_without_secrets(body: bytes) -> str | None:
    """Answers the JSON text to log; what is not JSON, such as a sign-in form, is not logged."""
    if not body:
        return None
    try:
        return json.dumps(_hidden(json.loads(body)), separators=(",", ":"))
    except ValueError:
        return None


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _HIDDEN if name.lower() in _SECRET_FIELDS and isinstance(each, str) else _hidden(each)
            for name, each in value.items()
        }
    return [_hidden(each) for each in value] if isinstance(value, list) else value
