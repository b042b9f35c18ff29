"""One sheet with a row of column names to entries, each value with its cell; which rows belong together is decided in
`workbook_joins`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.packs.cell_values import joined, read_cell
from reconciler.packs.cells import CONTINUED, column_letters
from reconciler.packs.finding import meant, shown
from reconciler.packs.sheets import LONG, Form, Sheet
from reconciler.packs.tree import Flaw, Position, Spot
from reconciler.packs.workbook_rows import Notes, Row, heading, place, without_header


@dataclass(frozen=True, slots=True)
class Table:
    sheet: Sheet
    #: As the workbook spells it.
    title: str
    #: A mapping a row; a text where the sheet has a single column.
    entries: list[Any] = field(default_factory=list)
    #: Beside each entry.
    spots: list[Spot] = field(default_factory=list)


def read_table(sheet: Sheet, title: str, rows: Iterator[Row], notes: Notes) -> Table:
    number, header = next(rows, (1, {}))
    columns = _columns(sheet, title, (number, header), notes)
    table = Table(sheet, title)
    letters = {name: column_letters(column) for name, column in columns.items()}
    for row in rows:
        number, cells = row
        without_header(title, row, header.keys(), notes)
        places: dict[str, Position] = {name: (title, f"{letter}{number}") for name, letter in letters.items()}
        found = {name: cells[column] for name, column in columns.items() if column in cells}
        if not found:
            continue
        if sheet.is_continued and sheet.named_by in found and str(found[sheet.named_by].value).strip() == CONTINUED:
            _continue(table, found, places, notes)
        else:
            _append(table, found, places, notes)
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


def _append(table: Table, found: Mapping[str, Any], places: Mapping[str, Position], notes: Notes) -> None:
    entry: dict[str, Any] = {}
    inner: dict[str, Spot] = {}
    columns = table.sheet.columns
    for name, at in places.items():
        cell = found.get(name)
        if cell is None:
            inner[name] = Spot(at, at)
            continue
        value, flaws = read_cell(columns[name], cell, at)
        if flaws:
            notes.add(*flaws)
        entry[name], inner[name] = value, _spot(value, at)
    named_at = places[table.sheet.named_by] if table.sheet.named_by in places else next(iter(places.values()))
    if table.sheet.model is None:
        table.entries.append(entry[table.sheet.named_by])
        table.spots.append(Spot(named_at))
    else:
        table.entries.append(entry)
        table.spots.append(Spot(named_at, None, inner))


def _value(form: Form, cell: Any, at: Position, notes: Notes) -> object:
    value, flaws = read_cell(form, cell, at)
    notes.add(*flaws)
    return value


def _spot(value: object, at: Position) -> Spot:
    if isinstance(value, str):
        return Spot(at, at)
    match value:
        case list():
            return Spot(at, at, [at] * len(value))
        case dict():
            return Spot(at, at, {key: Spot(at, at) for key in value})
        case _:
            return Spot(at, at)


def _continue(table: Table, found: Mapping[str, Any], places: Mapping[str, Position], notes: Notes) -> None:
    """Adds a row named + to the lists of the entry above."""
    for name, cell in found.items():
        at, form = places[name], table.sheet.columns[name]
        is_name = name == table.sheet.named_by
        if not table.entries or not (is_name or form in LONG):
            message = "a row named + adds to the lists of the row above, and this is not one"
            notes.add(Flaw(at, "workbook-continuation", message, "give the row a name of its own"))
            return
        if not is_name:
            _add(table.entries[-1], table.spots[-1], name, (_value(form, cell, at, notes), at), notes)


def _add(entry: dict[str, Any], spot: Spot, name: str, added: tuple[object, Position], notes: Notes) -> None:
    value, at = added
    inner: Any = spot.inner
    if name not in entry:
        entry[name], inner[name] = value, Spot(inner[name].at, at, _spot(value, at).inner)
        return
    entry[name], flaws = joined(entry[name], value, at)
    notes.add(*flaws)
    before, more = inner[name].inner, _spot(value, at).inner
    if isinstance(before, dict) and isinstance(more, dict):
        before.update({key: spot for key, spot in more.items() if key not in before})
    elif isinstance(before, list):
        before.extend(more)
    else:
        before = [*before, *more]
    inner[name] = Spot(inner[name].at, at, before)
