"""What the product did at Databricks, read off the sandbox's request log: nothing foreign touched, nothing deleted that
Git had not removed, nothing made twice, nothing rotated that nobody asked for."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.landscape import PRODUCT
from tests.chaos.workspace import FOREIGN, Workspace

_RESOURCE = re.compile(r"/api/2\.1/unity-catalog/(share|recipient)s(?:/([^/]+))?(/.*)?")


@dataclass(slots=True)
class Given:
    """What gives the product cause for deeds."""

    #: Tokens that somebody asked to be rotated.
    rotations: int = 0
    #: Calls that may have been under way when their workers were held up past their lease, and came too late.
    late_calls: int = 0


@dataclass(slots=True)
class Deeds:
    """The writes so far; `look` takes in what came since."""

    #: Requests by method and status, for the table at the end.
    requests: Counter[str] = field(default_factory=Counter)
    #: Deeds of the product that took effect: `DELETE share/NAME`, `POST share/NAME`, `ROTATE recipient/NAME`.
    done: Counter[str] = field(default_factory=Counter)
    #: Requests to make what was there already.
    doubled: list[str] = field(default_factory=list)
    #: Requests of the product to change something foreign.
    touched: list[str] = field(default_factory=list)
    _there: set[str] = field(default_factory=set)
    _seen: int = 0

    def look(self, workspace: Workspace) -> None:
        for entry in workspace.control.log(since=self._seen):
            self._seen = entry["sequence"]
            self._take(entry)

    def wrong(self, removed: Mapping[str, float], given: Given) -> Iterator[str]:
        """One line each. `removed`: what Git took away at any time."""
        if len(self.doubled) > given.late_calls:
            yield f"made twice, {given.late_calls} late calls of stalled workers at most: {', '.join(self.doubled)}"
        yield from (f"foreign, and touched: {each}" for each in self.touched)
        for deed, times in self.done.items():
            verb, _, key = deed.partition(" ")
            if verb == "DELETE" and times and key not in removed:
                yield f"{key} was deleted, and Git never removed it"
        rotated = sum(times for deed, times in self.done.items() if deed.startswith("ROTATE "))
        if rotated > given.rotations:
            yield f"tokens were rotated {rotated} times, and that was asked for {given.rotations} times"

    def _take(self, entry: Mapping[str, Any]) -> None:
        status, method = entry["status"], entry["method"]
        self.requests[f"{method} {status or 'dropped'}{' *' if entry['fault'] else ''}"] += 1
        found = _RESOURCE.fullmatch(entry["path"])
        if found is None or method == "GET":
            return
        kind, name, rest = found[1], found[2], found[3] or ""
        made = str((entry["body"] or {}).get("name", "")).lower()
        key = f"{kind}/{name or made}".lower()
        # Of a request that was struck down before anybody looked at it, nobody knows whose it was.
        is_ours = entry["principal"] == PRODUCT
        if is_ours and name is not None and name.startswith(FOREIGN):
            self.touched.append(f"{method} {entry['path']}")
        elif entry["fault"] != "before":
            self._take_deed(entry, key, rest, is_ours=is_ours)

    def _take_deed(self, entry: Mapping[str, Any], key: str, rest: str, *, is_ours: bool) -> None:
        """An answer that was replaced does not say whether the deed was done: what was there before does."""
        method, is_done = entry["method"], entry["fault"] == "after" or (entry["status"] or 500) < 300
        renamed = (entry["body"] or {}).get("new_name") if method == "PATCH" and not rest else None
        match method:
            case "POST" if rest.endswith("/rotate-token"):
                self.done[f"ROTATE {key}"] += is_done and is_ours
            case "POST" if not rest:
                if is_ours and not is_done and key in self._there:
                    self.doubled.append(key)
                if is_done and key not in self._there:
                    self._there.add(key)
                    self.done[f"POST {key}"] += is_ours
            case "DELETE" if not rest:
                if is_done and key in self._there:
                    self._there.discard(key)
                    self.done[f"DELETE {key}"] += is_ours
            case "PATCH" if renamed and is_done and key in self._there:
                self._there.discard(key)
                self._there.add(f"{key.partition('/')[0]}/{renamed}".lower())
            case _:
                pass
