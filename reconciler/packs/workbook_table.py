"""One sheet with a row of column names to entries, each value with its cell; which rows belong together is decided in
`workbook_joins`, where each value stands in `workbook_spots`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.packs.cell_values import joined, read_cell
from reconciler.packs.cells import CONTINUED, column_letters
from reconciler.packs.finding import meant, shown
from reconciler.packs.sheets import LONG, Form, Sheet
from reconciler.packs.tree import Flaw, Position, Spot
from reconciler.packs.workbook_rows import Cell, Notes, Row, heading, place, without_header
from reconciler.packs.workbook_spots import RowSpots, cell_spot


@dataclass(frozen=True, slots=True)
class Table:
    sheet: Sheet
    #: As the workbook spells it.
    title: str
    #: A mapping a row; a text where the sheet has a single column.
    entries: list[Any]
    #: Beside each entry.
    spots: RowSpots


def read_table(sheet: Sheet, title: str, rows: Iterator[Row], notes: Notes) -> Table:
    number, header = next(rows, (1, {}))
    columns = _columns(sheet, title, (number, header), notes)
    entries: list[Any] = []
    letters = {name: column_letters(column) for name, column in columns.items()}
    table = Table(sheet, title, entries, RowSpots(title, letters, sheet.named_by, entries))
    read = [(name, column, sheet.columns[name]) for name, column in columns.items()]
    named_at = columns.get(sheet.named_by, 0) if sheet.is_continued else 0
    for row in rows:
        number, cells = row
        if not cells.keys() <= header.keys():
            without_header(title, row, header.keys(), notes)
        if named_at in cells and str(cells[named_at].value).strip() == CONTINUED:
            found = {name: cells[column] for name, column in columns.items() if column in cells}
            _continue(table, found, number, notes)
            continue
        entry = {}
        for name, column, form in read:
            if column in cells:
                entry[name] = _value(form, cells[column], (title, letters[name], number), notes)
        if entry:
            table.entries.append(entry if sheet.model is not None else entry[sheet.named_by])
            table.spots.numbers.append(number)
    return table


def _columns(sheet: Sheet, title: str, row: Row, notes: Notes) -> Mapping[str, int]:
    number, header = row
    columns = dict[str, int]()
    for column, cell in header.items():
        name, at = heading(cell), place(title, column, number)
        if name not in sheet.columns:
            hint = meant(name, sheet.columns, f"the columns are {', '.join(sheet.columns)}")
            notes.add(Flaw(at, "key-unknown", f"unknown column {shown(str(cell.value))}", hint))
        elif name in columns:
            first = place(title, columns[name], number)
            message = f"the column {name} is there twice"
            notes.add(Flaw(at, "workbook-header", message, "keep one of the two", also=first))
        else:
            columns[name] = column
    for name in sheet.needed:
        if name not in columns:
            hint = f"begin with a row of column names: {', '.join(sheet.columns)}"
            notes.stop(Flaw((title, f"A{number}"), "workbook-header", f"no column is called {name}", hint))
    return columns


def _value(form: Form, cell: Cell, at: tuple[str, str, int], notes: Notes) -> object:
    """`at` are the sheet, the letters of the column and the row."""
    value = cell.value
    if form is Form.TEXT and type(value) is str and cell.data_type == "s" and value[:1] != '"' and "\r" not in value:
        return value  # what most cells are
    title, letters, number = at
    found, flaws = read_cell(form, cell, (title, f"{letters}{number}"))
    notes.add(*flaws)
    return found


def _continue(table: Table, found: Mapping[str, Cell], number: int, notes: Notes) -> None:
    """Adds a row named + to the lists of the entry above."""
    for name, cell in found.items():
        letters, form = table.spots.letters[name], table.sheet.columns[name]
        at = (table.title, f"{letters}{number}")
        is_name = name == table.sheet.named_by
        if not table.entries or not (is_name or form in LONG):
            message = "a row named + adds to the lists of the row above, and this is not one"
            notes.add(Flaw(at, "workbook-continuation", message, "give the row a name of its own"))
            return
        if not is_name:
            # The spots are of what the entry held before.
            spot = table.spots[-1]
            value = _value(form, cell, (table.title, letters, number), notes)
            _add(table.entries[-1], spot, name, (value, at), notes)


def _add(entry: dict[str, Any], spot: Spot, name: str, added: tuple[object, Position], notes: Notes) -> None:
    value, at = added
    inner: Any = spot.inner
    if name not in entry:
        entry[name], inner[name] = value, Spot(inner[name].at, at, cell_spot(value, at).inner)
        return
    entry[name], flaws = joined(entry[name], value, at)
    notes.add(*flaws)
    before, more = inner[name].inner, cell_spot(value, at).inner
    if isinstance(before, dict) and isinstance(more, dict):
        before.update({key: spot for key, spot in more.items() if key not in before})
    elif isinstance(before, list):
        before.extend(more)
    else:
        before = [*before, *more]
    inner[name] = Spot(inner[name].at, at, before)
