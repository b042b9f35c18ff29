"""The values of a YAML text in which nothing is unusual, at half the cost of `yaml_file`: only of the entries of the
top lists it knows where they stand. Whatever `yaml_file` would tell or refuse gives None here; it says what it is."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import yaml
from yaml._yaml import CParser
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.packs.tree import Loc, Position
from reconciler.packs.yaml_file import MAX_DEPTH, MAX_VALUES, plain_value

#: How a text begins that may be a number, a truth value or null when it stands unquoted; "" is null.
_ODD_BEGINNINGS: Final = frozenset(["", *"+-.0123456789~nNtTfF"])


class PlainYaml(NamedTuple):
    data: dict[str, Any]
    #: Where the entries of the lists right below the top stand.
    entries: Mapping[Loc, Position]


def read_plain(text: str) -> PlainYaml | None:
    # Only a parser: nothing is constructed, so no tag can do anything.
    parser: Any = CParser(text)
    reading = _Reading(parser.get_event)
    try:
        return PlainYaml(reading.document(), reading.entries)
    except (_UnusualError, yaml.YAMLError):
        return None


class _UnusualError(Exception):
    """To be read with care."""


class _Reading:
    """Recursion is as deep as a pack may be nested, and ends there."""

    __slots__ = ("_left", "_next", "entries")

    def __init__(self, next_event: Any) -> None:
        self._next = next_event
        self._left = MAX_VALUES - 1
        self.entries: dict[Loc, Position] = {}

    def document(self) -> dict[str, Any]:
        self._next()
        self._expect(DocumentStartEvent)
        top = self._next()
        if type(top) is not MappingStartEvent or top.anchor or top.tag:
            raise _UnusualError
        values = self._mapping(1)
        self._expect(DocumentEndEvent)
        self._expect(StreamEndEvent)
        return values

    def _expect(self, kind: type) -> None:
        if type(self._next()) is not kind:
            raise _UnusualError

    def _mapping(self, depth: int) -> dict[str, Any]:
        next_event = self._next
        values: dict[str, Any] = {}
        event = next_event()
        while type(event) is ScalarEvent:
            key = event.value
            if key in values or key == "<<" or event.anchor or event.tag:
                raise _UnusualError
            event = next_event()
            if depth == 1 and type(event) is SequenceStartEvent:
                values[key] = self._sequence(event, depth, key)
            else:
                values[key] = self._value(event, depth)
            event = next_event()
        if type(event) is not MappingEndEvent:
            raise _UnusualError
        self._count(len(values))
        return values

    def _sequence(self, start: Any, depth: int, section: str | None = None) -> list[Any]:
        if start.anchor or start.tag or depth >= MAX_DEPTH:
            raise _UnusualError
        next_event = self._next
        values: list[Any] = []
        event = next_event()
        while type(event) is not SequenceEndEvent:
            if section is not None:
                mark = event.start_mark
                self.entries[section, len(values)] = (mark.line + 1, mark.column + 1)
            values.append(self._value(event, depth + 1))
            event = next_event()
        self._count(len(values))
        return values

    def _value(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is ScalarEvent:
            if event.anchor or event.tag:
                raise _UnusualError
            text = event.value
            return plain_value(text) if event.implicit[0] and text[:1] in _ODD_BEGINNINGS else text
        if kind is SequenceStartEvent:
            return self._sequence(event, depth)
        if kind is not MappingStartEvent or event.anchor or event.tag or depth >= MAX_DEPTH:
            raise _UnusualError
        return self._mapping(depth + 1)

    def _count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise _UnusualError
