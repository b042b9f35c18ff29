"""What changed in an Excel pack: the cells as a table and the pack as normalised YAML, of which Git shows nothing."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import Final

from reconciler.core.proposal import CellChange, WorkbookChange
from reconciler.render.element_text import shortened
from reconciler.render.markdown.blocks import folded
from reconciler.render.markdown.escape import cell, code, fenced, html_code

_CELLS: Final = 100
_LINES: Final = 300


def cell_tables(workbooks: Iterable[WorkbookChange], most: int = _CELLS) -> Iterator[str]:
    for book in workbooks:
        if not book.cells:
            continue
        new = ", a new workbook" if book.path_before is None else ""
        cells = f"{len(book.cells):,} changed cell{'s'[: len(book.cells) != 1]}"
        rows = ["| Cell | Before | After |", "| --- | --- | --- |", *map(_row, book.cells[:most])]
        hidden = len(book.cells) - most
        more = [f"… and {hidden:,} more cells"] if hidden > 0 else []
        yield folded(f"{html_code(book.path)}: {cells}{new}", "\n".join(rows), *more)


def yaml_blocks(workbooks: Iterable[WorkbookChange], most: int = _LINES) -> Iterator[str]:
    for book in workbooks:
        if book.yaml_before != book.yaml_after:
            yield folded(f"{html_code(book.path)} as YAML", _yaml(book, most))


def _row(change: CellChange) -> str:
    place = code(f"{change.sheet}!{change.cell}")
    return f"| {cell(place)} | {_value(change.before)} | {_value(change.after)} |"


def _value(text: str | None) -> str:
    return "" if text is None else cell(code(shortened(text)))


def _yaml(book: WorkbookChange, most: int) -> str:
    before, after = book.yaml_before.splitlines(), book.yaml_after.splitlines()
    if not before or not after:
        sign = "+" if after else "-"
        return fenced(_limited([f"{sign}{each}" for each in before or after], most), "diff")
    # The first two lines name files.
    return fenced(_limited(list(unified_diff(before, after, lineterm="", n=3))[2:], most), "diff")


def _limited(lines: Sequence[str], most: int) -> Iterator[str]:
    yield from map(shortened, lines[:most])
    if len(lines) > most:
        yield f"… and {len(lines) - most:,} more lines"
