"""Plain HTTP against a sandbox, as a client without an SDK speaks it, and the few writes most tests begin with."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

UNITY = "/api/2.1/unity-catalog"
ADMIN, OWNER, USER, GUEST = (f"dapi-sandbox-{each}" for each in ("admin", "owner", "user", "guest"))
SALES = "prod_catalog.sales"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.body["error_code"]


@dataclass(frozen=True, slots=True)
class Plain:
    url: str
    token: str | None = ADMIN

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """`path` is below the Unity Catalog API unless it starts with a slash."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        sent = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(
                method, path if path.startswith("/") else f"{UNITY}/{path}", data, sent | dict(headers or {})
            )
            response = connection.getresponse()
            text = response.read().decode()
            is_json = response.headers.get_content_type() == "application/json"
            return Answer(response.status, json.loads(text) if is_json else text, dict(response.headers))
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any = None) -> Answer:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def as_(self, token: str | None) -> "Plain":
        return Plain(self.url, token)

    def a_recipient(self, name: str = "partner", **fields: Any) -> dict[str, Any]:
        return self._made(self.post("recipients", {"name": name, "authentication_type": "TOKEN", **fields}))

    def a_share(self, name: str = "sales", *objects: str) -> dict[str, Any]:
        made = self._made(self.post("shares", {"name": name}))
        return (
            self._made(self.patch(f"shares/{name}", {"updates": [an_add(each) for each in objects]}))
            if objects
            else made
        )

    def a_grant(self, share: str = "sales", recipient: str = "partner") -> None:
        changes = [{"principal": recipient, "add": ["SELECT"]}]
        self._made(self.patch(f"shares/{share}/permissions", {"changes": changes}))

    def objects(self, share: str = "sales") -> list[dict[str, Any]]:
        return list(self.get(f"shares/{share}?include_shared_data=true").body.get("objects", []))

    def _made(self, answer: Answer) -> dict[str, Any]:
        assert answer.status == 200, answer
        return dict(answer.body)


def an_update(action: str, name: str, data_object_type: str = "TABLE", **fields: Any) -> dict[str, Any]:
    return {"action": action, "data_object": {"name": name, "data_object_type": data_object_type, **fields}}


def an_add(name: str, data_object_type: str = "TABLE", **fields: Any) -> dict[str, Any]:
    return an_update("ADD", name, data_object_type, **fields)
