"""Fields of a request body, read with their types checked. A null means the same as a missing field: unchanged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.errors import invalid, missing_field


@dataclass(frozen=True, slots=True)
class Body:
    #: as in messages: CreateShare, UpdateRecipient
    operation: str
    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def choice(self, name: str, choices: frozenset[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            raise invalid(f"{self.operation} {name} '{value}' is not one of {', '.join(sorted(choices))}")
        return value

    def integer(self, name: str) -> int | None:
        value = self.values.get(name)
        if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self._wrong(name, "a whole number")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def part(self, name: str) -> "Body | None":
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Body(self.operation, value)

    def parts(self, name: str) -> "tuple[Body, ...] | None":
        """Answers the objects of a list; None when the field is missing."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self._wrong(name, "a list of objects")
        return tuple(Body(self.operation, each) for each in value)

    def texts(self, name: str) -> tuple[str, ...] | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(name, "a list of strings")
        return tuple(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise missing_field(self.operation, name)
        return value

    def _wrong(self, name: str, expected: str) -> Exception:
        return invalid(f"{self.operation} field {name} must be {expected}")
