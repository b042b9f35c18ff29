"""YAML as people write it: the same document with comments, blank lines, brackets, quotes, odd indentation and in any
order. Each comment beside a value repeats it, so that a test can see whether it stayed there."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.packs.yaml_file import is_plain_text

_SAME_EVERYWHERE = re.compile(r"[A-Za-z0-9_.@/-]+")
_REMARKS = ["", " ask Ann", ": {not yaml", " - neither", "é 東 🚀", ' "quotes', "#", "\ttab"]


@dataclass
class NoisyWriter:
    chance: random.Random
    #: How likely a comment, a blank line or brackets are at each place.
    noise: float = 0.3
    comments: list[str] = field(default_factory=list)

    def text(self, document: Mapping[str, Any]) -> str:
        lines = self._above(0)
        if self._is_lucky():
            lines.append("---" + self._beside("---"))
        lines += self._mapping(document, 0)
        return "\n".join(lines) + "\n" * self.chance.choice([0, 1, 3])

    def _is_lucky(self) -> bool:
        return self.chance.random() < self.noise

    def _comment(self, about: str = "") -> str:
        """Unique, and without a blank at its end."""
        text = f"#{self.chance.choice(_REMARKS)} {len(self.comments)}{f' beside {about}' if about else ''}"
        self.comments.append(text)
        return text

    def _above(self, indent: int) -> list[str]:
        lines: list[str] = []
        while self._is_lucky():
            odd = self.chance.choice([indent, indent, indent, max(0, indent - 1), indent + 1])
            blank = self.chance.choice(["", "  ", None])
            lines.append(" " * odd + self._comment() if blank is None else blank)
        return lines

    def _beside(self, about: str) -> str:
        # What may be written in another way is not looked for.
        marked = about if _SAME_EVERYWHERE.fullmatch(about) else ""
        return f"{self.chance.choice([' ', '   '])}{self._comment(marked)}" if self._is_lucky() else ""

    def _mapping(self, content: Mapping[str, Any], indent: int) -> list[str]:
        lines: list[str] = []
        for key in self.chance.sample(list(content), len(content)):
            lines += self._above(indent)
            lines += self._under(f"{' ' * indent}{self._scalar(key, '', is_key=True)[0]}:", content[key], indent)
        return [*lines, *self._above(indent)]

    def _list(self, content: list[Any], indent: int) -> list[str]:
        lines: list[str] = []
        for item in content:
            lines += self._above(indent)
            if isinstance(item, dict) and item and not self._is_lucky():
                inner = self._mapping(item, indent + 2)
                first = next(number for number, line in enumerate(inner) if line.strip() and line.strip()[0] != "#")
                inner[first] = f"{' ' * indent}- {inner[first][indent + 2 :]}"
                lines += inner
            else:
                lines += self._under(" " * indent + "-", item, indent)
        return [*lines, *self._above(indent)]

    def _under(self, before: str, value: Any, indent: int) -> list[str]:
        if isinstance(value, dict | list):
            is_item = before.endswith("-")
            if not value or self._is_lucky() or is_item:
                return self._brackets(before, value, indent)
            deeper = indent + self.chance.choice([2, 3, 4])
            if isinstance(value, dict):
                return [before + self._beside(""), *self._mapping(value, deeper)]
            return [before + self._beside(""), *self._list(value, self.chance.choice([indent, deeper]))]
        first, *more = self._scalar(value, " " * (indent + self.chance.choice([2, 5])))
        is_block = bool(more)
        return [f"{before} {first}{self._beside(value if isinstance(value, str) and not is_block else '')}", *more]

    def _brackets(self, before: str, value: Any, indent: int) -> list[str]:
        flat = self._flat(value)
        if self._is_lucky() and value:
            pad = " " * (indent + 1)
            opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
            parts = (
                [(self._flat(each), each) for each in value]
                if isinstance(value, list)
                else [(f"{self._flat(key)}: {self._flat(each)}", each) for key, each in value.items()]
            )
            lines = [f"{before} {opening}{self._beside('')}"]
            for text, each in parts:
                lines += self._above(indent + 1)
                lines.append(f"{pad}{text},{self._beside(each if isinstance(each, str) else '')}")
            return [*lines, *self._above(indent + 1), f"{pad}{closing}{self._beside('')}"]
        return [f"{before} {flat}{self._beside('')}"]

    def _flat(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self._flat(key)}: {self._flat(each)}" for key, each in value.items()) + "}"
        if isinstance(value, list):
            return f"[{' , '.join(map(self._flat, value))}]"
        return _quoted(value) if isinstance(value, str) else json.dumps(value)

    def _scalar(self, value: Any, pad: str, *, is_key: bool = False) -> list[str]:
        if not isinstance(value, str):
            return [json.dumps(value)]
        if not is_key and _is_simple(value) and self._is_lucky():
            body = value.removesuffix("\n")
            chomping = "" if value.endswith("\n") else "-"
            return [f"|{chomping}", *(pad + line if line else "" for line in body.split("\n"))]
        if not is_key and set(value) <= _WORD and "  " not in value and value.strip() == value and self._is_lucky():
            return [">-", *(pad + word for word in value.split(" "))]
        if self._is_lucky():
            return [json.dumps(value, ensure_ascii=False) if value.isprintable() else _quoted(value)]
        return [_plain(value)]


_WORD = frozenset("abcdefghijklmnopqrstuvwxyz ")


def _is_simple(text: str) -> bool:
    body = text.removesuffix("\n")
    lines = body.split("\n")
    return bool(body) and not body[0].isspace() and lines[-1] != "" and all(line.isprintable() for line in lines)


def _quoted(text: str) -> str:
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


def _plain(text: str) -> str:
    """Without quotes where YAML 1.1 and 1.2 agree that it is this text."""

    if not is_plain_text(text) or "\n" in text:
        return _quoted(text)
    return str(yaml.safe_dump(text, allow_unicode=True, width=10**9)).removesuffix("\n").removesuffix("\n...")
