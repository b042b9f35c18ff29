"""The expressions of workflows, as far as these use them: literals, names, `!`, `==`, `!=`, `&&`, `||`, parentheses and
a few functions, with GitHub's rules of comparing. Everything else is an error.

https://docs.github.com/actions/reference/workflows-and-actions/expressions"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Null, boolean, number, text, or what came of an event's JSON.
Value = Any
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,]))"
)
_WORDS: Final[Mapping[str, Value]] = {"null": None, "true": True, "false": False}
#: Which say by themselves when a step or job runs; without one of them, `success()` is meant.
STATUS_FUNCTIONS: Final = frozenset({"cancelled", "success", "failure", "always"})


class ExpressionError(Exception):
    """It cannot be read, or uses something that is not known here."""


@dataclass(frozen=True, slots=True)
class Context:
    """What names stand for. Reading a name that is in none of them is an error; a property that is missing is null."""

    names: Mapping[str, Value]
    is_failed: bool = False
    is_cancelled: bool = False


def evaluate(text: str, context: Context) -> Value:
    reading = _Reading(text, context)
    value = reading.either()
    reading.end()
    return value


def interpolate(text: str, context: Context) -> str:
    """With each `${{ … }}` replaced by its value as text."""
    parts = re.split(r"\$\{\{(.*?)\}\}", text, flags=re.DOTALL)
    return "".join(part if number % 2 == 0 else as_text(evaluate(part, context)) for number, part in enumerate(parts))


def is_met(condition: str | bool | None, context: Context) -> bool:
    """Of an `if`; missing, `success()` is meant."""
    if condition is None:
        return not (context.is_failed or context.is_cancelled)
    text = str(condition).strip().lower() if isinstance(condition, bool) else condition.strip()
    inner = re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", text, flags=re.DOTALL)
    text = inner[1] if inner else text
    is_told = any(re.search(rf"\b{name}\s*\(", text) for name in STATUS_FUNCTIONS)
    if not is_told and (context.is_failed or context.is_cancelled):
        return False
    return truth(evaluate(text, context))


def truth(value: Value) -> bool:
    return value not in (None, False, 0, "") if not isinstance(value, dict | list) else True


def as_text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case str():
            return value
        case _:
            raise ExpressionError(f"{type(value).__name__} as text is not known here")


def _is_equal(left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if type(left) is type(right):
        return bool(left == right)
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    # Of different kinds: as numbers. NaN equals nothing.
    return _number(left) == _number(right)


def _number(value: Value) -> float:
    match value:
        case None | "":
            return 0.0
        case str():
            try:
                return float(value)
            except ValueError:
                return float("nan")
        case _:
            return float(value)


class _Reading:
    """Evaluates while it reads; `&&` and `||` give one of their sides, and both are evaluated: nothing has effects."""

    def __init__(self, text: str, context: Context) -> None:
        self._text = text
        self._context = context
        self._at = 0
        self._kind, self._token = "", ""
        self._next()

    def end(self) -> None:
        if self._kind:
            raise ExpressionError(f"{self._token!r} is too much in: {self._text}")

    def either(self) -> Value:
        value = self._both()
        while self._is("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._is("&&"):
            other = self._compared()
            value = other if truth(value) else value
        return value

    def _compared(self) -> Value:
        value = self._negated()
        while self._token in {"==", "!="} and self._kind == "sign":
            is_wanted = self._token == "=="
            self._next()
            value = _is_equal(value, self._negated()) is is_wanted
        return value

    def _negated(self) -> Value:
        return not truth(self._negated()) if self._is("!") else self._single()

    def _single(self) -> Value:
        kind, token = self._kind, self._token
        self._next()
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind == "number":
            return float(token) if "." in token else int(token)
        if kind == "sign" and token == "(":
            value = self.either()
            self._expect(")")
            return value
        if kind != "name":
            raise ExpressionError(f"{token or 'the end'} is unexpected in: {self._text}")
        if self._is("("):
            return self._call(token)
        return _WORDS[token] if token in _WORDS else self._property(token)

    def _call(self, name: str) -> Value:
        values = []
        while not self._is(")"):
            values.append(self.either())
            if not (self._token == ")" and self._kind == "sign"):
                self._expect(",")
        if name in STATUS_FUNCTIONS:
            return self._status(name)
        if name not in _FUNCTIONS:
            raise ExpressionError(f"the function {name} is not known here")
        return _FUNCTIONS[name](*values)

    def _status(self, name: str) -> bool:
        match name:
            case "cancelled":
                return self._context.is_cancelled
            case "always":
                return True
            case "failure":
                return self._context.is_failed
            case _:
                return not (self._context.is_failed or self._context.is_cancelled)

    def _property(self, name: str) -> Value:
        if name not in self._context.names:
            raise ExpressionError(f"there is no {name} here: {self._text}")
        value = self._context.names[name]
        while self._is("."):
            if self._kind != "name":
                raise ExpressionError(f"a name is missing in: {self._text}")
            value = value.get(self._token) if isinstance(value, Mapping) else None
            self._next()
        return value

    def _is(self, sign: str) -> bool:
        if self._kind == "sign" and self._token == sign:
            self._next()
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._is(sign):
            raise ExpressionError(f"{sign} is missing in: {self._text}")

    def _next(self) -> None:
        rest = self._text[self._at :]
        if not rest.strip():
            self._kind, self._token = "", ""
            return
        found = _TOKEN.match(rest)
        if found is None or found.lastgroup is None:
            raise ExpressionError(f"{rest.strip()[:20]} is not known here, in: {self._text}")
        self._at += found.end()
        self._kind, self._token = found.lastgroup, found[found.lastgroup]


def _format(pattern: str, *values: Value) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: as_text(values[int(found[1])]), pattern)


def _contains(where: Value, what: Value) -> bool:
    if where is None:
        return False
    if not isinstance(where, str):
        raise ExpressionError("contains is known for text only")
    return as_text(what).casefold() in where.casefold()


_FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {"format": _format, "contains": _contains}
