"""Styled lines as an SVG picture of a terminal. Self-contained: no script, no font from elsewhere, no link."""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from reconciler.render.lines import Line, Lines, Tone, visible, width

_CELL: Final = 8.4
_HEIGHT: Final = 19
_MARGIN: Final = 18
_BAR: Final = 34
_COLOURS: Final = {
    Tone.PLAIN: "#d6deeb",
    Tone.HEADING: "#ffffff",
    Tone.DIM: "#7f8ea3",
    Tone.ADD: "#7ee787",
    Tone.REMOVE: "#ff8e8e",
    Tone.CHANGE: "#e3c16f",
    Tone.DRIFT: "#d2a8ff",
    Tone.TROUBLE: "#ff6b6b",
}
_STYLE: Final = (
    "text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "font-size:14px;white-space:pre}" + "".join(f".{tone.value}{{fill:{fill}}}" for tone, fill in _COLOURS.items())
)


def svg(lines: Lines, title: str) -> str:
    columns = max([width(title) + 12, *(sum(width(span.text) for span in line) for line in lines)])
    wide = round(columns * _CELL + 2 * _MARGIN)
    high = _BAR + len(lines) * _HEIGHT + _MARGIN
    body = "\n".join(piece for row, line in enumerate(lines) for piece in _texts(line, row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        f'role="img" aria-label="{_escaped(title)}">\n<style>{_STYLE}.heading,.trouble{{font-weight:bold}}</style>\n'
        f'<rect width="{wide}" height="{high}" rx="8" fill="#0d1520"/>\n'
        '<circle cx="20" cy="17" r="5.5" fill="#ff5f57"/><circle cx="38" cy="17" r="5.5" fill="#febc2e"/>'
        '<circle cx="56" cy="17" r="5.5" fill="#28c840"/>\n'
        f'<text class="dim" x="{wide / 2:g}" y="22" text-anchor="middle">{_escaped(title)}</text>\n{body}\n</svg>\n'
    )


def _texts(line: Line, row: int) -> Iterator[str]:
    """One element a span, pinned to its columns so that any monospaced font keeps the lines aligned."""
    column = 0
    y = _BAR + row * _HEIGHT + 14
    for span in line:
        lead = len(span.text) - len(span.text.lstrip(" "))
        text = span.text.strip(" ")
        if text:
            x, length = _MARGIN + (column + lead) * _CELL, width(text) * _CELL
            yield (
                f'<text class="{span.tone.value}" x="{x:.1f}" y="{y}" textLength="{length:.1f}" '
                f'xml:space="preserve">{_escaped(text)}</text>'
            )
        column += width(span.text)


def _escaped(text: str) -> str:
    return escape(visible(text), {'"': "&quot;"})
