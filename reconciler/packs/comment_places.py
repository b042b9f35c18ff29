"""Puts the comments and blank lines of a YAML text to the entries they belong to.

A comment belongs to what it stands beside, or else to what follows it; at the end of a list or mapping to that one
which it is indented like, so that an entry that is commented out stays where it was."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import yaml
from yaml import CSafeLoader

from reconciler.packs.commented import Collection, Document, Entry, Scalar, read_document
from reconciler.packs.yaml_file import LINE_BREAK, split_lines

_BLOCK_HEADER: Final = re.compile(r"[|>][-+0-9]*[ \t]+(#.*)")


@dataclass(frozen=True, slots=True)
class Comment:
    text: str
    index: int
    line: int
    column: int
    #: Nothing else stands on its line.
    is_alone: bool


def read_commented(text: str) -> Document | None:
    """None when it is not a mapping with keys."""
    document = read_document(text)
    if document is not None:
        comments = comments_between(text)
        before = [comment for comment in comments if comment.index < document.marker]
        document.preamble = [comment.text for comment in before]
        _Places(text, document.root).fill(comments[len(before) :])
        first = document.root.entries[0]
        document.head, first.above = first.above, []
    return document


def comments_between(text: str) -> Sequence[Comment]:
    """Those between the tokens: what follows the | of a block scalar is part of it."""
    return [each for start, end in _gaps(text) if "#" in text[start:end] for each in _comments(text, start, end)]


def block_comment(scalar: Scalar) -> str:
    """What follows the | of a block scalar."""
    found = _BLOCK_HEADER.match(split_lines(scalar.raw)[0]) if scalar.is_block else None
    return found[1].rstrip() if found else ""


def _gaps(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for token in yaml.scan(text, Loader=CSafeLoader):
        yield at, token.start_mark.index
        at = max(at, token.end_mark.index)
    yield at, len(text)


def _comments(text: str, start: int, end: int) -> Iterator[Comment]:
    at = text.find("#", start, end)
    while at >= 0:
        ending = LINE_BREAK.search(text, at)
        stop = ending.start() if ending else len(text)
        yield Comment(text[at:stop].rstrip(), at, 0, 0, is_alone=False)
        at = text.find("#", stop, end)


class _Places:
    def __init__(self, text: str, root: Collection) -> None:
        self._lines = split_lines(text)
        self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(text))]
        self._root = root
        #: In the order of the text; an item before the keys inside it.
        self._entries = list(_entries(root))
        self._at = [entry.start for entry in self._entries]
        self._ends = sorted(((*end, entry) for entry in self._entries for end in entry.ends), key=lambda each: each[:2])
        self._ends_at = [end[0] for end in self._ends]

    def fill(self, comments: Sequence[Comment]) -> None:
        self._open([comment.index for comment in comments])
        for comment in map(self._located, comments):
            entry = None if comment.is_alone else self._beside(comment)
            if entry is None:
                self._put(comment)
            else:
                _stand_beside(entry, comment.text)
        for entry, before in zip(self._entries, [None, *self._entries], strict=False):
            if isinstance(entry.value, Scalar) and (text := block_comment(entry.value)):
                _stand_beside(entry, text)
            if self._is_blank(entry.line - 1) and (before is None or before.line != entry.line):
                entry.above.append("")

    def _open(self, indexes: Sequence[int]) -> None:
        """What has a comment between its brackets is written without them; nothing else could hold it."""
        for index in indexes:
            for flow in self._flows_around(index):
                flow.is_flow = not flow.entries

    def _flows_around(self, index: int) -> Sequence[Collection]:
        """The innermost first."""
        number = bisect_right(self._at, index) - 1
        inside = [self._entries[number].value, *_homes(self._entries[number])] if number >= 0 else []
        return [
            each
            for each in inside
            if isinstance(each, Collection) and each.is_bracketed and each.start < index < each.end
        ]

    def _located(self, comment: Comment) -> Comment:
        line = bisect_right(self._starts, comment.index) - 1
        column = comment.index - self._starts[line]
        is_alone = not self._lines[line][:column].strip(" \t\ufeff")
        return Comment(comment.text, comment.index, line, column, is_alone)

    def _beside(self, comment: Comment) -> Entry | None:
        number = bisect_right(self._ends_at, comment.index) - 1
        if number < 0 or self._ends[number][1] != comment.line:
            return None
        return self._ends[number][2]

    def _put(self, comment: Comment) -> None:
        number = bisect_right(self._at, comment.index)
        before = self._entries[number - 1] if number else None
        after = self._entries[number] if number < len(self._entries) else None
        lines = self._lines_for(comment, before, after)
        if comment.is_alone and self._is_blank(comment.line - 1):
            lines.append("")
        lines.append(comment.text)

    def _lines_for(self, comment: Comment, before: Entry | None, after: Entry | None) -> list[str]:
        flows = self._flows_around(comment.index)
        if before is not None and flows and not flows[0].entries:
            return before.above
        if flows:
            return after.above if after is not None and after.start < flows[0].end else flows[0].tail
        closing = [] if before is None else _closing(before, after)
        if after is not None and (not closing or not comment.is_alone or comment.column <= after.home.column):
            return after.above
        # Dashes may stand in the column of their key: then the comment is on the level of the key.
        column = max((each.column for each in closing if each.column <= comment.column), default=0)
        fitting = [each for each in closing if each.column == column] or closing or [self._root]
        return fitting[-1].tail

    def _is_blank(self, line: int) -> bool:
        return line >= 0 and not self._lines[line].strip()


def _entries(collection: Collection) -> Iterator[Entry]:
    for entry in collection.entries:
        yield entry
        if isinstance(entry.value, Collection):
            yield from _entries(entry.value)


def _homes(entry: Entry) -> Iterator[Collection]:
    """The collections around it, the innermost first."""
    home: Collection | None = entry.home
    while home is not None:
        yield home
        home = home.owner.home if home.owner is not None else None


def _closing(before: Entry, after: Entry | None) -> Sequence[Collection]:
    """Those without brackets that end between two neighbours, the innermost first."""
    around = list(_homes(before))
    if after is None:
        ending = around
    else:
        place = next((number for number, home in enumerate(around) if home is after.home), 0)
        ending = around[:place]
    return [each for each in ending if not each.is_bracketed]


def _stand_beside(entry: Entry, text: str) -> None:
    if entry.beside:
        entry.above.append(text)
    else:
        entry.beside = text
