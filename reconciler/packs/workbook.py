"""A four-sheet workbook to a `Tree` of the same shape as the YAML file, each value with its sheet and cell.

Cells are text, or TRUE and FALSE under `adopt`: what Excel made a number or a date of is no longer what was typed."""

import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final, TypeAlias

from openpyxl import load_workbook

from reconciler.packs.cells import CONTINUED, column_letters, read_list, read_text
from reconciler.packs.document import Metadata, RecipientEntry, ShareEntry
from reconciler.packs.finding import meant, nearest, shown
from reconciler.packs.sheet_marks import sheet_marks
from reconciler.packs.tree import Flaw, Odd, Position, Spot, Tree
from reconciler.packs.workbook_gate import refusal

MAX_ROWS: Final = 20_000
MAX_VALUES: Final = 100_000
LIST_COLUMNS: Final = frozenset({"allowed_ips", "recipients", "data_objects"})
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "recipients": list(RecipientEntry.model_fields),
    "shares": list(ShareEntry.model_fields),
}
KEYS: Final = {"recipients": "recipient", "shares": "share"}
SHEETS: Final = ("metadata", "recipients", "shares", "pipelines")
_YES_NO: Final = {"true": True, "yes": True, "false": False, "no": False}


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
        reader.stop(Flaw((0, 0), "workbook-unreadable", f"the workbook cannot be read: {type(error).__name__}", hint))
    return reader.tree()


_Row: TypeAlias = tuple[int, Mapping[int, Any]]


class _Unresolved:
    """Stands for a cell whose formula has no result; it has been reported."""

    value = Odd.REFUSED
    data_type = "n"


_UNRESOLVED: Final = _Unresolved()


class _Reader:
    def __init__(self) -> None:
        self._data: dict[str, Any] = {}
        self._spots: dict[str, Spot] = {}
        self._flaws: list[Flaw] = []
        self._values = 0
        self._is_whole = True

    def tree(self) -> Tree:
        return Tree(self._data, Spot((0, 0), None, self._spots), self._flaws, self._is_whole)

    def stop(self, flaw: Flaw) -> None:
        self._flaws.append(flaw)
        self._is_whole = False

    def read(self, data: bytes) -> None:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = self._known_sheets(book)
            for name in SHEETS:
                if name in sheets:
                    sheet = sheets[name]
                    # openpyxl has no public way from a sheet to the part it is read from.
                    part = archive.read(str(sheet._worksheet_path).lstrip("/"))
                    marks = sheet_marks(sheet.title, part)
                    self._flaws.extend(marks.flaws)
                    self._sheet(name, sheet, marks.unresolved)
        book.close()

    def _known_sheets(self, book: Any) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for sheet in book.worksheets:
            name = sheet.title.strip().lower()
            at = (sheet.title, "")
            if name not in SHEETS:
                self._unknown_sheet(sheet.title, name)
            elif name in found:
                self.stop(Flaw(at, "workbook-sheet-duplicate", f"the sheet {name} is there twice", "delete one"))
            else:
                found[name] = sheet
                if sheet.sheet_state != "visible":
                    self._flaws.append(Flaw(at, "workbook-hidden", f"the sheet {sheet.title} is hidden", "unhide it"))
        for name in SHEETS[:3]:
            if name not in found:
                title = name.capitalize()
                self.stop(
                    Flaw((0, 0), "workbook-sheet-missing", f"the sheet {title} is missing", f"add a sheet {title}")
                )
        return found

    def _unknown_sheet(self, title: str, name: str) -> None:
        similar = nearest(name, SHEETS)
        message = f"the sheet {shown(title)} is not read"
        if similar:
            self._flaws.append(Flaw((title, ""), "workbook-sheet-unknown", message, f"call it {similar.capitalize()}"))

    def _sheet(self, name: str, sheet: Any, unresolved: frozenset[str]) -> None:
        rows = self._rows(sheet, unresolved)
        match name:
            case "metadata":
                self._metadata(sheet.title, rows)
            case "pipelines":
                self._pipelines(sheet.title, rows)
            case _:
                self._table(name, sheet.title, rows)

    def _rows(self, sheet: Any, unresolved: frozenset[str]) -> Iterator[_Row]:
        """Row number and its filled cells by column number; rows without any are left out."""
        sheet.reset_dimensions()
        for number, row in enumerate(islice(sheet.iter_rows(), MAX_ROWS + 1), start=1):
            cells: dict[int, Any] = {}
            for column, cell in enumerate(row, start=1):
                if unresolved and f"{column_letters(column)}{number}" in unresolved:
                    cells[column] = _UNRESOLVED
                elif _is_filled(cell.value):
                    cells[column] = cell
            self._values += len(cells)
            if number > MAX_ROWS or self._values > MAX_VALUES:
                self.stop(
                    Flaw(
                        (sheet.title, f"A{number}"),
                        "workbook-too-many-rows",
                        f"more than {MAX_ROWS:,} rows or {MAX_VALUES:,} values",
                        "delete empty rows, or split the pack",
                    )
                )
                return
            if cells:
                yield number, cells

    def _metadata(self, title: str, rows: Iterator[_Row]) -> None:
        number, header = next(rows, (1, {}))
        columns = {_heading(cell): column for column, cell in header.items()}
        if "field" not in columns or "value" not in columns:
            self.stop(
                Flaw(
                    (title, f"A{number}"),
                    "workbook-header",
                    "the first row is not Field and Value",
                    "name the two columns Field and Value",
                )
            )
            return
        field_at, value_at = columns["field"], columns["value"]
        fields: dict[str, Any] = {}
        spots: dict[str, Spot] = {}
        for number, cells in rows:
            key_at = (title, f"{column_letters(field_at)}{number}")
            at = (title, f"{column_letters(value_at)}{number}")
            self._without_header(title, number, cells, {field_at, value_at})
            field = _heading(cells[field_at]) if field_at in cells else ""
            if field in spots:
                self._flaws.append(
                    Flaw(
                        key_at,
                        "key-duplicate",
                        f"the field {shown(field)} stands here again",
                        "keep one of the two",
                        also=spots[field].key,
                    )
                )
                fields[field] = Odd.REFUSED
                continue
            spots[field] = Spot(at, key_at)
            if value_at in cells or field not in Metadata.model_fields:
                fields[field] = self._value(field, cells[value_at], at) if value_at in cells else ""
        self._data["metadata"] = fields
        self._spots["metadata"] = Spot((title, "A1"), None, spots)

    def _pipelines(self, title: str, rows: Iterator[_Row]) -> None:
        next(rows, None)
        for number, cells in rows:
            texts = [str(cell.value) for cell in cells.values()]
            # The guide's own workbook says "(empty for MVP)" here.
            if len(texts) == 1 and texts[0].startswith("(") and texts[0].endswith(")"):
                continue
            at = (title, f"{column_letters(min(cells))}{number}")
            self._flaws.append(
                Flaw(
                    at,
                    "pipelines-not-supported",
                    "pipelines are not supported yet",
                    "leave the sheet empty; nothing was created for them",
                )
            )
            return

    def _table(self, name: str, title: str, rows: Iterator[_Row]) -> None:
        number, header = next(rows, (1, {}))
        columns = self._columns(name, title, number, header)
        entries: list[dict[str, Any]] = []
        spots: list[Spot] = []
        for number, cells in rows:
            self._without_header(title, number, cells, set(header))
            places = {field: (title, f"{column_letters(column)}{number}") for field, column in columns.items()}
            found = {field: cells[column] for field, column in columns.items() if column in cells}
            if not found:
                continue
            if "name" in found and str(found["name"].value).strip() == CONTINUED:
                self._continue(found, places, entries[-1:], spots[-1:])
                continue
            entry, inner = self._entry(found, places)
            entries.append(entry)
            spots.append(Spot(places.get("name", (title, f"A{number}")), None, inner))
        self._data[KEYS[name]] = entries
        self._spots[KEYS[name]] = Spot((title, "A1"), None, spots)

    def _columns(self, name: str, title: str, number: int, header: Mapping[int, Any]) -> Mapping[str, int]:
        known, columns = COLUMNS[name], dict[str, int]()
        for column, cell in header.items():
            field, at = _heading(cell), (title, f"{column_letters(column)}{number}")
            if field not in known:
                hint = meant(field, known, f"the columns are {', '.join(known)}")
                self._flaws.append(Flaw(at, "key-unknown", f"unknown column {shown(str(cell.value))}", hint))
            elif field in columns:
                first = (title, f"{column_letters(columns[field])}{number}")
                message = f"the column {field} is there twice"
                self._flaws.append(Flaw(at, "workbook-header", message, "keep one of the two", also=first))
            else:
                columns[field] = column
        if "name" not in columns:
            self.stop(
                Flaw(
                    (title, f"A{number}"),
                    "workbook-header",
                    "no column is called name",
                    f"begin with a row of column names: {', '.join(known)}",
                )
            )
        return columns

    def _entry(
        self, found: Mapping[str, Any], places: Mapping[str, Position]
    ) -> tuple[dict[str, Any], Mapping[str, Spot]]:
        entry: dict[str, Any] = {}
        inner: dict[str, Spot] = {}
        for field, at in places.items():
            inner[field] = Spot(at, at)
            if field in found:
                entry[field] = self._value(field, found[field], at)
                if isinstance(entry[field], list):
                    inner[field] = Spot(at, at, [at] * len(entry[field]))
        return entry, inner

    def _continue(
        self, found: Mapping[str, Any], places: Mapping[str, Position], entries: list[dict[str, Any]], spots: list[Spot]
    ) -> None:
        """Adds a row named + to the lists of the entry above."""
        for field, cell in found.items():
            at = places[field]
            if not entries or (field != "name" and field not in LIST_COLUMNS):
                message = "a row named + adds to the lists of the row above, and this is not one"
                self._flaws.append(Flaw(at, "workbook-continuation", message, "give the row a name of its own"))
                return
            if field == "name":
                continue
            value = self._value(field, cell, at)
            if isinstance(value, list) and isinstance(entries[0].get(field, []), list):
                inner: Any = spots[0].inner
                entries[0][field] = [*entries[0].get(field, []), *value]
                inner[field] = Spot(inner[field].at, at, [*inner[field].inner, *[at] * len(value)])

    def _value(self, field: str, cell: Any, at: Position) -> object:
        if field == "adopt":
            word = cell.value if isinstance(cell.value, bool) else _YES_NO.get(str(cell.value).strip().lower())
            return str(cell.value) if word is None else word
        text = self._text(cell, at)
        if not isinstance(text, str):
            return text
        return read_list(text) if field in LIST_COLUMNS else read_text(text)

    def _text(self, cell: Any, at: Position) -> object:
        value = cell.value
        if value is Odd.REFUSED:
            return value
        if isinstance(value, str) and cell.data_type != "e":
            return value.replace("\r\n", "\n")
        if cell.data_type == "e":
            flaw = Flaw(
                at, "workbook-error-cell", f"the cell holds the error {value}", "write a value, or empty the cell"
            )
        elif isinstance(value, dt.date | dt.time | dt.timedelta):
            flaw = Flaw(at, "workbook-number", "the cell holds a date", "format it as text and type the value again")
        else:
            message = f"the cell holds the {'truth value' if isinstance(value, bool) else 'number'} {value}, not a text"
            flaw = Flaw(at, "workbook-number", message, "format it as text and type the value again")
        self._flaws.append(flaw)
        return Odd.REFUSED

    def _without_header(self, title: str, number: int, cells: Mapping[int, Any], named: set[int]) -> None:
        for column in sorted(cells.keys() - named):
            at = (title, f"{column_letters(column)}{number}")
            message = "the cell has a value, but its column has no name"
            self._flaws.append(Flaw(at, "workbook-value-without-header", message, "name the column, or empty the cell"))


def _is_filled(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _heading(cell: Any) -> str:
    return "_".join(str(cell.value).strip().lower().split())


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
