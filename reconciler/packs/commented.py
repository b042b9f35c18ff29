"""YAML text to a tree that keeps how each scalar was written, and has room for comments and blank lines, which
`comment_places` puts there. Only for text without problems: anchors, tags and second documents are refused before."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml
from yaml import CSafeLoader
from yaml.events import DocumentStartEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from reconciler.packs.yaml_file import split_lines


@dataclass(frozen=True, slots=True)
class Scalar:
    value: str
    #: As it stands in the file, from quote to quote; of a block scalar all its lines.
    raw: str
    #: "" for plain, otherwise ' or " or | or >.
    style: str

    @property
    def is_block(self) -> bool:
        return self.style in {"|", ">"}

    @property
    def is_on_one_line(self) -> bool:
        return len(split_lines(self.raw)) == 1


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list."""

    home: "Collection"
    key: Scalar | None
    #: Index in the text, and line from 0.
    start: int
    line: int
    value: "Scalar | Collection" = Scalar("", "", "")
    #: Index and line behind the key, the value and the closing bracket: a comment there belongs to this entry.
    ends: list[tuple[int, int]] = field(default_factory=list)
    #: Comments and blank lines ("") before it.
    above: list[str] = field(default_factory=list)
    #: The comment on its line.
    beside: str = ""


@dataclass(slots=True)
class Collection:
    is_mapping: bool
    #: Stands in brackets.
    is_bracketed: bool
    column: int
    #: Index of its first character, and behind its last one.
    start: int
    end: int = 0
    owner: Entry | None = None
    #: Is to be written in brackets, if that fits a line.
    is_flow: bool = False
    entries: list[Entry] = field(default_factory=list)
    #: Comments and blank lines ("") behind the last entry.
    tail: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    root: Collection
    #: Index of the "---" that it begins with; -1 without.
    marker: int = -1
    #: What stands before that, and before the first key: it is about the file.
    preamble: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)


_Value: TypeAlias = Scalar | Collection
_ENDS: Final = (MappingEndEvent, SequenceEndEvent)


def read_document(text: str) -> Document | None:
    """Without its comments. None when it is not a mapping with keys."""
    events: Iterator[Any] = iter(yaml.parse(text, Loader=CSafeLoader))
    start = next(event for event in events if isinstance(event, DocumentStartEvent))
    root = _value(text, events, next(events), None)
    if not isinstance(root, Collection) or not root.is_mapping or not root.entries:
        return None
    at: Any = start.start_mark
    return Document(root, at.index if start.explicit else -1)


def _value(text: str, events: Iterator[Any], event: Any, owner: Entry | None) -> _Value:
    mark = event.end_mark
    if isinstance(event, ScalarEvent):
        scalar = _scalar(text, event)
        if owner is not None and not scalar.is_block:
            owner.ends.append((mark.index, mark.line))
        return scalar
    is_mapping, is_flow, mark = type(event) is MappingStartEvent, bool(event.flow_style), event.start_mark
    made = Collection(is_mapping, is_flow, mark.column, mark.index, owner=owner, is_flow=is_flow)
    inner: Any
    for inner in events:
        if type(inner) in _ENDS:
            mark = inner.end_mark
            made.end = mark.index
            if owner is not None and is_flow:
                owner.ends.append((mark.index, mark.line))
            break
        made.entries.append(_entry(text, events, inner, made))
    return made


def _entry(text: str, events: Iterator[Any], event: Any, home: Collection) -> Entry:
    key = _scalar(text, event) if home.is_mapping else None
    entry = Entry(home, key, event.start_mark.index, event.start_mark.line)
    if key is not None:
        entry.ends.append((event.end_mark.index, event.end_mark.line))
        event = next(events)
    entry.value = _value(text, events, event, entry)
    return entry


def _scalar(text: str, event: Any) -> Scalar:
    raw = text[event.start_mark.index : event.end_mark.index]
    return Scalar(event.value, raw, event.style if event.style in {"'", '"', "|", ">"} else "")
