"""A workbook to a `Tree` of the same shape as the YAML file, each value with its sheet and cell.

Which sheets and columns there are is in `sheets`; what a cell says in `cell_values`."""

import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final

from openpyxl import load_workbook

from reconciler.packs.cell_values import read_cell
from reconciler.packs.cells import column_letters
from reconciler.packs.finding import nearest, shown
from reconciler.packs.sheet_marks import sheet_marks
from reconciler.packs.sheets import METADATA, METADATA_FIELDS, PIPELINES, REQUIRED, TABLES, TITLES, sheet_name
from reconciler.packs.tree import Flaw, Loc, Odd, Position, Spot, Tree
from reconciler.packs.workbook_gate import refusal
from reconciler.packs.workbook_joins import place_rows
from reconciler.packs.workbook_rows import MAX_ROWS, Notes, Row, filled_rows, heading, place, without_header
from reconciler.packs.workbook_table import Table, read_table
from reconciler.packs.workbook_version import VERSION_FIELD, version_flaw

_TITLES: Final = {sheet_name(title): title for title in TITLES}


def read_workbook(data: bytes) -> Tree:
    reader = _Reader()
    try:
        refused = refusal(data)
        if refused is not None:
            return Tree(Odd.REFUSED, Spot((0, 0)), (refused,), is_whole=False)
        with warnings.catch_warnings():
            # openpyxl warns of extensions it drops (drop-down lists, themes); none of them is part of a pack.
            warnings.simplefilter("ignore")
            reader.read(data)
    except Exception as error:  # noqa: BLE001 - damaged workbooks raise almost anything inside openpyxl
        hint = "open it in Excel and save it again as .xlsx"
        message = f"the workbook cannot be read: {type(error).__name__}"
        reader.notes.stop(Flaw((0, 0), "workbook-unreadable", message, hint))
    return reader.tree()


class _Reader:
    def __init__(self) -> None:
        self.notes = Notes()
        self._data: dict[str, Any] = {}
        self._spots: dict[str, Spot] = {}
        self._known: dict[Loc, Position] = {}

    def tree(self) -> Tree:
        spot = Spot((0, 0), None, self._spots)
        return Tree(self._data, spot, self.notes.flaws, self.notes.is_whole, self._known)

    def read(self, data: bytes) -> None:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = _known_sheets(book, self.notes)
            rows = {name: _rows(sheet, archive, self.notes) for name, sheet in sheets.items()}
            if METADATA in rows:
                self._metadata(sheets[METADATA].title, rows[METADATA])
            tables = {
                sheet.title: read_table(sheet, sheets[sheet.title].title, rows[sheet.title], self.notes)
                for sheet in TABLES
                if sheet.title in rows
            }
            if PIPELINES in rows:
                _pipelines(sheets[PIPELINES].title, rows[PIPELINES], self.notes)
        book.close()
        self._keep(tables)

    def _keep(self, tables: Mapping[str, Table]) -> None:
        sections = {table.sheet.section: table for table in tables.values() if not table.sheet.within}
        for table in tables.values():
            if table.sheet.within and self.notes.is_whole:
                place_rows(sections[table.sheet.section], table, self.notes)
        for section, table in sections.items():
            self._data[section] = table.entries
            self._spots[section] = Spot((table.title, "A1"), None, table.spots)
            self._known.update({(section, number): at for number, at in enumerate(table.spots.named())})

    def _metadata(self, title: str, rows: Iterator[Row]) -> None:
        number, header = next(rows, (1, {}))
        columns = {heading(cell): column for column, cell in header.items()}
        if "field" not in columns or "value" not in columns:
            message, hint = "the first row is not Field and Value", "name the two columns Field and Value"
            self.notes.stop(Flaw((title, f"A{number}"), "workbook-header", message, hint))
            return
        field_at, value_at = columns["field"], columns["value"]
        fields: dict[str, Any] = {}
        spots: dict[str, Spot] = {}
        for row in rows:
            number, cells = row
            key_at, at = place(title, field_at, number), place(title, value_at, number)
            without_header(title, row, {field_at, value_at}, self.notes)
            field = heading(cells[field_at]) if field_at in cells else ""
            if field == VERSION_FIELD:
                flaw = version_flaw(cells[value_at].value if value_at in cells else None, at)
                self.notes.add(*filter(None, [flaw]))
                continue
            if field in spots:
                message = f"the field {shown(field)} stands here again"
                flaw = Flaw(key_at, "key-duplicate", message, "keep one of the two", also=spots[field].key)
                self.notes.add(flaw)
                fields[field] = Odd.REFUSED
                continue
            spots[field] = Spot(at, key_at)
            if value_at in cells and field in METADATA_FIELDS:
                fields[field], flaws = read_cell(METADATA_FIELDS[field], cells[value_at], at)
                self.notes.add(*flaws)
            elif field not in METADATA_FIELDS:
                fields[field] = ""
        self._data["metadata"] = fields
        self._spots["metadata"] = Spot((title, "A1"), None, spots)


def _known_sheets(book: Any, notes: Notes) -> Mapping[str, Any]:
    """By the title that is theirs in the guide."""
    found: dict[str, Any] = {}
    for sheet in book.worksheets:
        title, at = _TITLES.get(sheet_name(sheet.title), ""), (sheet.title, "")
        if not title:
            _unknown_sheet(sheet.title, notes)
        elif title in found:
            notes.stop(Flaw(at, "workbook-sheet-duplicate", f"the sheet {title} is there twice", "delete one"))
        else:
            found[title] = sheet
            if sheet.sheet_state != "visible":
                notes.add(Flaw(at, "workbook-hidden", f"the sheet {sheet.title} is hidden", "unhide it"))
    for title in REQUIRED:
        if title not in found:
            message, hint = f"the sheet {title} is missing", f"add a sheet {title}"
            notes.stop(Flaw((0, 0), "workbook-sheet-missing", message, hint))
    return found


def _unknown_sheet(title: str, notes: Notes) -> None:
    similar = nearest(sheet_name(title), _TITLES)
    if similar:
        message = f"the sheet {shown(title)} is not read"
        notes.add(Flaw((title, ""), "workbook-sheet-unknown", message, f"call it {_TITLES[similar]}"))


def _rows(sheet: Any, archive: zipfile.ZipFile, notes: Notes) -> Iterator[Row]:
    # openpyxl has no public way from a sheet to the part it is read from.
    marks = sheet_marks(sheet.title, archive.read(str(sheet._worksheet_path).lstrip("/")))
    notes.add(*marks.flaws)
    return filled_rows(sheet, marks.unresolved, notes)


def _pipelines(title: str, rows: Iterator[Row], notes: Notes) -> None:
    next(rows, None)
    for number, cells in rows:
        texts = [str(cell.value) for cell in cells.values()]
        # The guide's own workbook says "(empty for MVP)" here.
        if len(texts) == 1 and texts[0].startswith("(") and texts[0].endswith(")"):
            continue
        hint = "leave the sheet empty; nothing was created for them"
        at = place(title, min(cells), number)
        notes.add(Flaw(at, "pipelines-not-supported", "pipelines are not supported yet", hint))
        return


def cell_values(data: bytes, wanted: AbstractSet[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """The values of some cells as text, for showing; only of a workbook that `read_workbook` has opened."""
    try:
        return dict(_wanted_values(data, wanted))
    except Exception:  # noqa: BLE001 - as above; a value that cannot be shown is not shown
        return {}


def _wanted_values(data: bytes, wanted: AbstractSet[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        if not any(title == sheet.title for title, _ in wanted):
            continue
        sheet.reset_dimensions()
        for number, row in enumerate(islice(sheet.iter_rows(values_only=True), MAX_ROWS), start=1):
            for column, value in enumerate(row, start=1):
                place = (sheet.title, f"{column_letters(column)}{number}")
                if value is not None and place in wanted:
                    yield place, str(value)
