"""YAML text to a `Tree`, in one pass over the parser's events, by the core schema of YAML 1.2.

Events, not nodes: depth, aliases and size are judged before anything is built, no recursion can overflow, and what
stood before a syntax error is kept. Measured: no slower than `yaml.load` with the C loader."""

import re
from collections.abc import Sequence
from typing import Any, Final

import yaml
from yaml import CSafeLoader
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.packs.tree import Flaw, Number, Odd, Position, Spot, Tree

#: A pack is five levels deep.
MAX_DEPTH: Final = 20
MAX_VALUES: Final = 100_000
_MAX_FLAWS: Final = 1_000

_NUMBER: Final = re.compile(
    r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WORDS: Final = {
    "": Odd.NULL, "~": Odd.NULL, "null": Odd.NULL, "Null": Odd.NULL, "NULL": Odd.NULL,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip

#: What libyaml says, and what to do about it.
_SYNTAX_HINTS: Final = {
    "mapping values are not allowed": 'a text that holds ": " needs quotes; or the indentation is off',
    "could not find expected ':'": "a key needs a colon and a space after it",
    "did not find expected key": "the keys of one mapping stand in the same column",
    "did not find expected '-' indicator": "the entries of one list stand in the same column, each after a dash",
    "did not find expected node content": "a bracket is not closed, or a value is missing",
    "did not find expected ',' or": "a comma or the closing bracket is missing",
    "found unexpected end of stream": "the closing quote is missing",
    "found unknown escape character": "write the text in single quotes, or each backslash twice",
    "cannot start any token": "a text that starts with this character needs quotes",
}


def read_yaml(text: str) -> Tree:
    builder = _Builder()
    # CSafeLoader is only the parser here: nothing is constructed, so no tag can do anything.
    loader: Any = CSafeLoader(text)
    try:
        next_event, take, take_scalar = loader.get_event, builder.take, builder.take_scalar
        event = next_event()
        # Two events of three are scalars.
        while event is not None and (take_scalar(event) if type(event) is ScalarEvent else take(event)):
            event = next_event()
    except yaml.MarkedYAMLError as error:
        builder.stop(_syntax_flaw(error, text))
    except yaml.YAMLError as error:
        builder.stop(Flaw((1, 1), "yaml-syntax", f"this is not YAML: {error}"))
    finally:
        loader.dispose()
    return builder.tree()


class _Open:
    """A mapping or list that is being filled."""

    __slots__ = ("at", "is_dropping", "is_mapping", "key", "key_at", "spots", "values")

    def __init__(self, at: Position, *, is_mapping: bool) -> None:
        self.at = at
        self.is_mapping = is_mapping
        self.values: Any = {} if is_mapping else []
        self.spots: Any = {} if is_mapping else []
        #: The key that waits for its value; None between pairs.
        self.key: str | None = None
        self.key_at: Position | None = None
        #: The key is refused, and its value goes with it.
        self.is_dropping = False

    def put(self, value: object, at: Position, inner: Any) -> None:
        if not self.is_mapping:
            self.values.append(value)
            self.spots.append(Spot(at, None, inner) if inner else at)
            return
        if not self.is_dropping:
            self.values[self.key] = value
            self.spots[self.key] = Spot(at, self.key_at, inner)
        elif self.key in self.values and not inner:
            # Two values for one key: neither is the one that was meant.
            self.values[self.key] = Odd.REFUSED
        self.key, self.is_dropping = None, False


class _Builder:
    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._flaws: list[Flaw] = []
        self._data: object = Odd.NULL
        self._spot = Spot((1, 1))
        self._documents = 0
        self._values = 0
        self._is_whole = True

    def take(self, event: Any) -> bool:
        """Any event but a scalar. False when reading stops here."""
        kind = type(event)
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            return self._start(event, is_mapping=kind is MappingStartEvent)
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            return self._end()
        if kind is AliasEvent:
            self._flaw(event, "yaml-alias", f"the alias *{_short(event.anchor)} is not allowed", "write the value out")
            if not self._is_key_next():
                return self._put(Odd.REFUSED, _position(event))
            self._open[-1].key, self._open[-1].is_dropping = "", True
            return True
        return kind is not DocumentStartEvent or self._document(event)

    def stop(self, flaw: Flaw) -> bool:
        self._flaws.append(flaw)
        self._is_whole = False
        while self._open:
            if self._open[-1].key is not None:
                self._open[-1].put(Odd.REFUSED, flaw.at, ())
            self._end()
        return False

    def tree(self) -> Tree:
        return Tree(self._data, self._spot, self._flaws, self._is_whole)

    def _document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents == 1:
            return True
        hint = "one file is one pack: put the second document into a file of its own"
        # Whose pack the second document is has not been read, so the first does not speak for the file.
        self._data = Odd.REFUSED
        return self.stop(Flaw(_position(event), "yaml-many-documents", "a second YAML document starts here", hint))

    def take_scalar(self, event: Any) -> bool:
        if event.anchor or event.tag:
            self._flaw_marks(event)
        at = _position(event)
        around = self._open[-1] if self._open else None
        if around is not None and around.is_mapping and around.key is None:
            return self._take_key(event, around, at)
        text = event.value
        return self._put(plain_value(text) if event.implicit[0] else text, at)

    def _is_key_next(self) -> bool:
        return bool(self._open) and self._open[-1].is_mapping and self._open[-1].key is None

    def _take_key(self, event: Any, mapping: _Open, at: Position) -> bool:
        key = event.value
        mapping.key, mapping.key_at = key, at
        if key == "<<" and event.implicit[0]:
            mapping.is_dropping = True
            self._flaw(event, "yaml-merge-key", "the merge key << is not allowed", "write the keys out")
        elif key in mapping.values:
            mapping.is_dropping = True
            first = mapping.spots[key].key
            message = f'the key "{_short(key)}" stands here again; it stands in line {first[0]} already'
            self._add(Flaw(at, "key-duplicate", message, "keep one of the two", also=first))
        return True

    def _start(self, event: Any, *, is_mapping: bool) -> bool:
        at = _position(event)
        if self._is_key_next():
            return self.stop(
                Flaw(
                    at,
                    "yaml-key-not-text",
                    "a list or mapping stands where a key is expected",
                    'write "key: value"; a text that starts with { or [ needs quotes',
                )
            )
        if len(self._open) >= MAX_DEPTH:
            return self.stop(Flaw(at, "yaml-too-deep", f"nested more than {MAX_DEPTH} levels deep"))
        if event.anchor or event.tag:
            self._flaw_marks(event)
        self._open.append(_Open(at, is_mapping=is_mapping))
        return True

    def _end(self) -> bool:
        done = self._open.pop()
        return self._put(done.values, done.at, done.spots)

    def _put(self, value: object, at: Position, inner: Any = ()) -> bool:
        if self._open:
            self._open[-1].put(value, at, inner)
        elif self._data is not Odd.REFUSED:
            self._data, self._spot = value, Spot(at, None, inner)
        self._values += 1
        if self._values > MAX_VALUES and self._is_whole:
            message = f"more than {MAX_VALUES:,} values in one file"
            return self.stop(Flaw(at, "yaml-too-many-values", message, "split the pack"))
        return True

    def _flaw_marks(self, event: Any) -> None:
        if event.anchor:
            self._flaw(event, "yaml-alias", f"the anchor &{_short(event.anchor)} is not allowed", "write the value out")
        if event.tag:
            tag = _short(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._flaw(event, "yaml-tag", f"the tag {tag} is not allowed", "leave the tag out")

    def _flaw(self, event: Any, rule: str, message: str, hint: str) -> None:
        self._add(Flaw(_position(event), rule, message, hint))

    def _add(self, flaw: Flaw) -> None:
        if len(self._flaws) < _MAX_FLAWS:
            self._flaws.append(flaw)


def _position(event: Any) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1)


def plain_value(text: str) -> object:
    """What an unquoted scalar is under the core schema of YAML 1.2: `no` and dates are text, `1e3` is a number."""
    if len(text) <= 5 and text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789" and _NUMBER.fullmatch(text):
        return Number(text)
    return text


def split_lines(text: str) -> Sequence[str]:
    """As libyaml counts them."""
    return LINE_BREAK.split(text)


def is_plain_text(text: str) -> bool:
    """Unquoted, it would still be this text."""
    return bool(text) and plain_value(text) == text


def _syntax_flaw(error: yaml.MarkedYAMLError, text: str) -> Flaw:
    said = error.problem or "cannot be read"
    is_open_ended = "end of stream" in said and error.context_mark is not None
    mark = error.context_mark if is_open_ended or error.problem_mark is None else error.problem_mark
    lines = split_lines(text)
    at = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if not "".join(lines[at[0] - 1 :]).strip():
        at = _end(lines)
    if _is_tab(lines, at):
        return Flaw(at, "yaml-tab", "a tab stands where YAML allows only spaces", "indent with spaces")
    hint = next((hint for words, hint in _SYNTAX_HINTS.items() if words in said), "")
    return Flaw(at, "yaml-syntax", f"this is not YAML: {said}", hint)


def _end(lines: Sequence[str]) -> tuple[int, int]:
    """Behind the last character, where something is missing."""
    number = max((number for number, line in enumerate(lines, start=1) if line.strip()), default=1)
    return (number, len(lines[number - 1].rstrip()) + 1)


def _is_tab(lines: Sequence[str], at: tuple[int, int]) -> bool:
    line = lines[at[0] - 1] if len(lines) >= at[0] else ""
    return line[at[1] - 1 : at[1]] == "\t" or line.lstrip(" ").startswith("\t")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
