"""Styled lines as HTML: what the other renderings say, word for word. The columns that a terminal needs become rows
with a label and a value, which wrap where a screen is narrow."""

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.render.html.markup import Content, Markup, joined, tag
from reconciler.render.lines import Line, Span, Tone

#: Where the value of a field begins; what stands deeper belongs to the object above it (`element_text`).
_VALUE_AT: Final = 19
_ARROW: Final = "→ "


def block(lines: Iterable[Line]) -> Markup:
    return joined([_row(each) for each in lines if any(span.text.strip() for span in each)], "\n")


def words(spans: Sequence[Span]) -> Markup:
    """In one run of text, without the blanks at its ends."""
    return joined([toned(each.tone, each.text) for each in _stripped(list(spans))])


def toned(tone: Tone, content: Content) -> Content:
    return content if tone is Tone.PLAIN else tag("span", content, class_=tone.value)


def _row(line: Line) -> Markup:
    first = line[0].text
    if not _is_label(line):
        is_hint = first.lstrip(" ").startswith(_ARROW)
        return tag("div", words(line), class_="note hint" if is_hint else "note")
    if len(first) > _VALUE_AT and not first.strip():
        return _field(line[1].text, line[2:], "field deep")
    return _field(first, line[1:], "field")


def _field(label: str, value: Sequence[Span], kind: str) -> Markup:
    shown = tag("span", words(value), class_="value")
    return tag("div", tag("span", label.strip(), class_="label"), shown, class_=kind)


def _is_label(line: Line) -> bool:
    """A field's name padded to its column, or the blanks where the name stands in a line above."""
    first = line[0]
    return len(line) > 1 and first.tone is Tone.PLAIN and len(first.text) >= _VALUE_AT and first.text.endswith(" ")


def _stripped(spans: list[Span]) -> list[Span]:
    while spans and not spans[0].text.strip(" "):
        spans = spans[1:]
    while spans and not spans[-1].text.strip(" "):
        spans = spans[:-1]
    if spans:
        spans = [Span(spans[0].text.lstrip(" "), spans[0].tone), *spans[1:]]
        spans = [*spans[:-1], Span(spans[-1].text.rstrip(" "), spans[-1].tone)]
    return spans
