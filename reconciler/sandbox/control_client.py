"""A small client of the control surface, for tests and demonstrations. Standard library only."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen


class ControlRefused(ValueError):  # noqa: N818 (says what happened)
    """The sandbox did not accept what the control surface was asked."""


@dataclass(frozen=True, slots=True)
class ControlClient:
    #: address of the sandbox, http://127.0.0.1:PORT
    url: str

    def fault(self, pattern: str, **fields: Any) -> str:
        """Adds a fault rule, see `faults.FaultRule` for its fields; answers its id."""
        return str(self._call("POST", "fault", {"pattern": pattern, **fields})["id"])

    def faults(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "fault")["faults"])

    def clear_faults(self) -> None:
        self._call("DELETE", "fault")

    def remove_fault(self, rule_id: str) -> None:
        """One that is gone already is no error."""
        self._call("DELETE", f"fault?{urlencode({'id': rule_id})}")

    def latency(self, milliseconds: int) -> None:
        self._call("POST", "latency", {"ms": milliseconds})

    def throttle(self, rate: float | None, burst: int | None = None, *, writes_only: bool = False) -> None:
        """Answers 429 beyond `rate` requests a second; None lets everything through again."""
        self._call("POST", "throttle", {"rate": rate, "burst": burst, "writes_only": writes_only})

    def advance_clock(self, seconds: float) -> int:
        """Answers the sandbox's time in epoch milliseconds."""
        return int(self._call("POST", "clock", {"advance_seconds": seconds})["now"])

    def set_clock(self, at: int | str) -> int:
        """`at` is epoch milliseconds or ISO text; answers the sandbox's time."""
        return int(self._call("POST", "clock", {"set": at})["now"])

    def log(self, *, writes_only: bool = False, since: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """Oldest first; with a limit the newest of them. The oldest are forgotten (`--log-capacity`)."""
        asked = (
            {"since": since} | ({"writes": "true"} if writes_only else {}) | ({} if limit is None else {"limit": limit})
        )
        return list(self._call("GET", f"log?{urlencode(asked)}")["entries"])

    def clear_log(self) -> None:
        self._call("DELETE", "log")

    def counts(self) -> dict[str, Any]:
        """`total`, `writes`, `by_route`, `by_status`, `by_fault`: of all requests since the log was emptied."""
        return self._call("GET", "counts")

    def knobs(self, **changes: Any) -> dict[str, Any]:
        """Turns knobs, and answers them all."""
        return self._call("POST", "knobs", changes)

    def seed(self, text: str) -> None:
        """Starts the sandbox again from another seed, given as YAML."""
        self._call("POST", "seed", text.encode())

    def reset(self) -> None:
        self._call("POST", "reset")

    def rename_table(self, old: str, new: str) -> None:
        self._call("POST", "rename-table", {"from": old, "to": new})

    def grant(self, securable: str, name: str, principal: str, *privileges: str) -> None:
        """`securable` is CATALOG, SCHEMA, TABLE, VOLUME, FUNCTION (also for models) or METASTORE, with any name."""
        self._grant(securable, name, principal, add=privileges)

    def revoke(self, securable: str, name: str, principal: str, *privileges: str) -> None:
        """ALL_PRIVILEGES takes everything that was granted there."""
        self._grant(securable, name, principal, remove=privileges)

    def metastore(self, **changes: Any) -> dict[str, Any]:
        """Changes such as `delta_sharing_scope="INTERNAL"`, `owner`, or
        `delta_sharing_recipient_token_lifetime_in_seconds`; answers its summary."""
        return self._call("POST", "metastore", changes)

    def tokens(self, recipient: str) -> list[dict[str, Any]]:
        """The tokens of a recipient, oldest first: id, created_at, expires_at, is_activated, is_live."""
        return list(self._call("GET", f"tokens?{urlencode({'recipient': recipient})}")["tokens"])

    def state(self) -> dict[str, Any]:
        return self._call("GET", "state")

    def _grant(self, securable: str, name: str, principal: str, **change: tuple[str, ...]) -> None:
        self._call("POST", "grant", {"securable": securable, "name": name, "principal": principal, **change})

    def _call(self, method: str, name: str, body: dict[str, Any] | bytes | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = Request(f"{self.url}/__sandbox/{name}", data=data, method=method)  # noqa: S310 (a local address)
        try:
            with urlopen(request, timeout=30) as response:  # noqa: S310
                found = json.load(response)
        except HTTPError as error:
            with error:
                raise ControlRefused(f"{method} {name}: {error.read().decode(errors='replace')}") from None
        if not isinstance(found, dict):
            raise ControlRefused(f"{method} {name}: answered {type(found).__name__}, not an object")
        return found
