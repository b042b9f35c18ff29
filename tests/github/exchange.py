"""What a request and an answer are, and GitHub's ways to refuse."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.github.records import AppRecord, Token

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    def body(self) -> dict[str, Any]:
        try:
            found = json.loads(self.raw or b"{}")
        except ValueError:
            raise RefusedError(400, "Problems parsing JSON") from None
        if not isinstance(found, dict):
            raise RefusedError(400, "Body should be a JSON object")
        return found


@dataclass
class Reply:
    status: int
    data: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """Signed in by a token, or as an App itself."""

    token: Token | None = None
    app: AppRecord | None = None

    @property
    def login(self) -> str:
        return self.token.user.login if self.token else self.app.user.login if self.app else ""


class RefusedError(Exception):
    def __init__(
        self, status: int, message: str, errors: list[dict[str, str]] | None = None, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers)

    def reply(self) -> Reply:
        data: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            data["errors"] = self.errors
        data |= {"documentation_url": DOCUMENTATION, "status": str(self.status)}
        return Reply(self.status, data, self.headers)


class UnexpectedError(Exception):
    """Not among what is used, or sent as the real one would not understand it."""


def not_found() -> RefusedError:
    return RefusedError(404, "Not Found")


def invalid(resource: str, field_: str, code: str, message: str = "") -> RefusedError:
    """422, as for https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed"""
    told = {"resource": resource, "code": code, "field": field_}
    return RefusedError(422, "Validation Failed", [told | ({"message": message} if message else {})])


def too_long(resource: str, field_: str, most: int) -> RefusedError:
    return invalid(resource, field_, "custom", f"{field_} is too long (maximum is {most} characters)")
