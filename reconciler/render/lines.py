"""Styled lines: what every rendering for people is made of, and how they become text. Pure; decides how things look,
never what is said. Every text is made harmless here: no control character of a pack file reaches a terminal."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class Tone(Enum):
    PLAIN = "plain"
    HEADING = "heading"
    DIM = "dim"
    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    #: Done by hand in the workspace.
    DRIFT = "drift"
    #: Held, in conflict, or failed.
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Span:
    text: str
    tone: Tone = Tone.PLAIN


Line: TypeAlias = tuple[Span, ...]
Lines: TypeAlias = Sequence[Line]

EMPTY: Final[Line] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How a stream takes text."""

    colour: bool = False
    #: False for streams that can show ASCII only.
    unicode: bool = True


PLAIN: Final = Style()

_CODES: Final = {
    Tone.HEADING: "1",
    Tone.DIM: "2",
    Tone.ADD: "32",
    Tone.REMOVE: "31",
    Tone.CHANGE: "33",
    Tone.DRIFT: "35",
    Tone.TROUBLE: "1;31",
}
_IN_ASCII: Final = str.maketrans({"→": "->", "←": "<-", "…": "...", "·": "-", "±": "-/+", "≠": "!="})


def line(*parts: str | Span) -> Line:
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def visible(text: str) -> str:
    """The text with everything escaped that a terminal would obey, hide, or reorder by."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def width(text: str) -> int:
    """Columns the visible text takes on a terminal."""
    shown = visible(text)
    if shown.isascii():
        return len(shown)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in shown)
    return len(shown) + wide - sum(unicodedata.combining(char) != 0 for char in shown)


def pad(text: str, columns: int) -> str:
    return text + " " * max(0, columns - width(text))


def render(lines: Lines, style: Style = PLAIN) -> str:
    """Text with a newline after every line; escape sequences only when the style has colour."""
    return "".join(_render_line(each, style) + "\n" for each in lines)


def table(headings: Sequence[str], rows: Iterable[Sequence[Span]]) -> tuple[Line, ...]:
    """Columns as wide as their widest cell, headings in bold above them."""
    cells = [tuple(Span(name.upper(), Tone.HEADING) for name in headings), *(tuple(row) for row in rows)]
    widths = [max(width(row[column].text) for row in cells) for column in range(len(headings))]
    return tuple(_row(row, widths) for row in cells)


def _row(row: Sequence[Span], widths: Sequence[int]) -> Line:
    last = len(row) - 1
    return tuple(
        cell if index == last else Span(pad(cell.text, columns + 2), cell.tone)
        for index, (cell, columns) in enumerate(zip(row, widths, strict=True))
    )


def _render_line(spans: Line, style: Style) -> str:
    shown = list(spans)
    while shown and not shown[-1].text.strip(" "):
        shown.pop()
    if shown:
        shown[-1] = Span(shown[-1].text.rstrip(" "), shown[-1].tone)
    return "".join(_render_span(span, style) for span in shown)


def _render_span(span: Span, style: Style) -> str:
    text = visible(span.text)
    if not style.unicode:
        text = text.translate(_IN_ASCII).encode("ascii", "backslashreplace").decode()
    code = _CODES.get(span.tone)
    if not style.colour or code is None or not text.strip():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"
