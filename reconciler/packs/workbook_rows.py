"""The filled cells of a sheet, row by row and within the limits, and what is noted on the way."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple, TypeAlias

from openpyxl.utils.cell import column_index_from_string
from openpyxl.worksheet._reader import INLINE_STRING, WorkSheetParser
from openpyxl.xml.constants import SHEET_MAIN_NS

from reconciler.packs.cells import column_letters
from reconciler.packs.finding import MAX_PROBLEMS
from reconciler.packs.tree import Flaw, Odd, Position

MAX_ROWS: Final = 20_000
MAX_VALUES: Final = 100_000

_TEXT_TAG: Final = f"{{{SHEET_MAIN_NS}}}t"


class Cell(NamedTuple):
    value: Any
    #: As openpyxl calls it: `s` is text, `e` an error.
    data_type: str = "n"


#: The number of a row, and its filled cells by the number of their column.
Row: TypeAlias = tuple[int, Mapping[int, Cell]]

#: Stands for a cell whose formula has no result; it has been reported.
_UNRESOLVED: Final = Cell(Odd.REFUSED)


class Notes:
    """What is wrong in a workbook, gathered while it is read."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self.is_whole = True
        #: Filled cells so far, in all sheets.
        self.values = 0

    def add(self, *flaws: Flaw) -> None:
        # One more than is shown says that there are more.
        self.flaws.extend(flaws[: max(0, MAX_PROBLEMS + 1 - len(self.flaws))])

    def stop(self, flaw: Flaw) -> None:
        self.flaws.append(flaw)
        self.is_whole = False


class _Parser(WorkSheetParser):
    """Reads a plain text that stands in its cell at once, where openpyxl makes objects of its parts to join them."""

    # openpyxl answers a dict and hands on what is answered, row by row, without looking into it.
    def parse_cell(self, element: Any) -> tuple[int, Cell | None]:  # type: ignore[override]
        """Its column, and None where it is empty."""
        inside: Any = element[0] if len(element) == 1 and element.get("t") == "inlineStr" else None
        coordinate = element.get("r")
        if (
            inside is None
            or not coordinate
            or len(inside) != 1
            or inside.tag != INLINE_STRING
            or inside[0].tag != _TEXT_TAG
        ):
            found = super().parse_cell(element)
            value = found["value"]
            return found["column"], Cell(value, found["data_type"]) if _is_filled(value) else None
        self.col_counter = column = column_index_from_string(coordinate.rstrip("0123456789"))
        text = inside[0].text
        return column, Cell(text, "s") if text and not text.isspace() else None


def filled_rows(sheet: Any, unresolved: AbstractSet[str], notes: Notes) -> Iterator[Row]:
    """Rows without any filled cell are left out. `unresolved` are the cells that hold a formula and no value."""
    for number, row in _parsed(sheet):
        cells = _filled(row) if number <= MAX_ROWS else {}
        if unresolved:
            width = row[-1][0] if row else 0
            places = {f"{column_letters(column)}{number}": column for column in range(1, width + 1)}
            cells.update({places[at]: _UNRESOLVED for at in unresolved & places.keys()})
            cells = dict(sorted(cells.items()))
        notes.values += len(cells)
        if number > MAX_ROWS or notes.values > MAX_VALUES:
            message = f"more than {MAX_ROWS:,} rows or {MAX_VALUES:,} values"
            hint = "delete empty rows, or split the pack"
            at = (sheet.title, f"A{min(number, MAX_ROWS + 1)}")
            notes.stop(Flaw(at, "workbook-too-many-rows", message, hint))
            return
        if cells:
            yield number, cells


def _parsed(sheet: Any) -> Iterator[tuple[int, Sequence[tuple[int, Cell | None]]]]:
    """As openpyxl reads rows, without making cells of what is empty: a row that is not below all others is passed
    over."""
    book, last = sheet.parent, 0
    with sheet._get_source() as source:
        parser = _Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, row in parser.parse():
            if number > last:
                last = number
                yield number, row


def _filled(row: Sequence[tuple[int, Cell | None]]) -> dict[int, Cell]:
    """By column, in order. The last cell of a row says how wide it is, and the last of two in one place counts."""
    cells: dict[int, Cell] = {}
    before = 0
    is_in_order = True
    for column, cell in row:
        is_in_order = is_in_order and before < column
        before = column
        if cell is not None:
            cells[column] = cell
        elif column in cells:
            del cells[column]
    return cells if is_in_order else {column: cells[column] for column in sorted(cells) if column <= before}


def _is_filled(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def place(title: str, column: int, number: int) -> Position:
    return (title, f"{column_letters(column)}{number}")


def heading(cell: Any) -> str:
    return "_".join(str(cell.value).strip().lower().split())


def without_header(title: str, row: Row, named: AbstractSet[int], notes: Notes) -> None:
    number, cells = row
    if cells.keys() <= named:
        return
    for column in sorted(cells.keys() - named):
        message = "the cell has a value, but its column has no name"
        hint = "name the column, or empty the cell"
        notes.add(Flaw(place(title, column, number), "workbook-value-without-header", message, hint))
