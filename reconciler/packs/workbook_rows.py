"""The filled cells of a sheet, row by row and within the limits, and what is noted on the way."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final, TypeAlias

from reconciler.packs.cells import column_letters
from reconciler.packs.finding import MAX_PROBLEMS
from reconciler.packs.tree import Flaw, Odd, Position

MAX_ROWS: Final = 20_000
MAX_VALUES: Final = 100_000

#: The number of a row, and its filled cells by the number of their column.
Row: TypeAlias = tuple[int, Mapping[int, Any]]


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


class _Unresolved:
    """Stands for a cell whose formula has no result; it has been reported."""

    value = Odd.REFUSED
    data_type = "n"


_UNRESOLVED: Final = _Unresolved()


def filled_rows(sheet: Any, unresolved: AbstractSet[str], notes: Notes) -> Iterator[Row]:
    """Rows without any filled cell are left out. `unresolved` are the cells that hold a formula and no value."""
    sheet.reset_dimensions()
    for number, row in enumerate(islice(sheet.iter_rows(), MAX_ROWS + 1), start=1):
        cells: dict[int, Any] = {}
        for column, cell in enumerate(row, start=1):
            if unresolved and f"{column_letters(column)}{number}" in unresolved:
                cells[column] = _UNRESOLVED
            elif _is_filled(cell.value):
                cells[column] = cell
        notes.values += len(cells)
        if number > MAX_ROWS or notes.values > MAX_VALUES:
            message = f"more than {MAX_ROWS:,} rows or {MAX_VALUES:,} values"
            hint = "delete empty rows, or split the pack"
            notes.stop(Flaw((sheet.title, f"A{number}"), "workbook-too-many-rows", message, hint))
            return
        if cells:
            yield number, cells


def _is_filled(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def place(title: str, column: int, number: int) -> Position:
    return (title, f"{column_letters(column)}{number}")


def heading(cell: Any) -> str:
    return "_".join(str(cell.value).strip().lower().split())


def without_header(title: str, row: Row, named: AbstractSet[int], notes: Notes) -> None:
    number, cells = row
    for column in sorted(cells.keys() - named):
        message = "the cell has a value, but its column has no name"
        hint = "name the column, or empty the cell"
        notes.add(Flaw(place(title, column, number), "workbook-value-without-header", message, hint))
