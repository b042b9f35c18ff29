"""What changed in a workbook between two versions, cell by cell, and the pack of each as normalised YAML: Git's own
diff shows neither. Says what differs, not what is wrong with it; what cannot be read has no differences."""

import datetime as dt
import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, TypeAlias

from reconciler.core.proposal import CellChange, WorkbookChange
from reconciler.packs.cells import column_letters
from reconciler.packs.file_names import WORKBOOK_ENDINGS, ending
from reconciler.packs.parsing import MAX_WORKBOOK_BYTES, parse_file
from reconciler.packs.sheet_marks import sheet_marks
from reconciler.packs.sheets import TITLES, sheet_name
from reconciler.packs.tree import Odd
from reconciler.packs.workbook_gate import refusal
from reconciler.packs.workbook_rows import Notes, Row, filled_rows, heading
from reconciler.packs.writing import to_yaml

#: Of a search for the rows that belong together (`_effort`): about a second.
_MOST_EFFORT: Final = 20_000_000
_NO_RESULT: Final = "(a formula without a result)"


@dataclass(frozen=True, slots=True)
class _Row:
    #: As the workbook counts.
    number: int
    #: Text by name of column; a column without a name is called by its letters.
    cells: Mapping[str, str]
    #: What a person would know the row by: the text of its first column.
    name: str


@dataclass(frozen=True, slots=True)
class _Sheet:
    title: str = ""
    rows: Sequence[_Row] = ()
    #: Letters by name of column.
    columns: Mapping[str, str] | None = None

    def place(self, column: str, row: _Row) -> str:
        letters = (self.columns or {}).get(column)
        return "" if letters is None else f"{letters}{row.number}"


#: By normal name.
_Book: TypeAlias = Mapping[str, _Sheet]
#: A row of each version that are the same one; None where there is none.
_Pair: TypeAlias = tuple[_Row | None, _Row | None]


def workbook_change(path: str, path_before: str | None, before: bytes | None, after: bytes | None) -> WorkbookChange:
    """`before` and `after`: None where there is no file. A YAML file on one side has no cells."""
    was, becomes = _book(path_before or path, before), _book(path, after)
    cells = () if was is None or becomes is None else tuple(_changes(was, becomes))
    yaml_before, yaml_after = _yaml(path_before or path, before), _yaml(path, after)
    if yaml_before is None or yaml_after is None:
        return WorkbookChange(path, path_before, cells)
    return WorkbookChange(path, path_before, cells, yaml_before, yaml_after)


def _yaml(path: str, data: bytes | None) -> str | None:
    """Empty without a file; None when the file holds no valid pack: what is left of one would mislead."""
    if data is None:
        return ""
    parsed = parse_file(path, data)
    return None if parsed.document is None or parsed.is_broken else to_yaml(parsed.document)


def _book(path: str, data: bytes | None) -> _Book | None:
    """The sheets that belong to a pack; None when the workbook cannot be read."""
    if data is None or ending(path) not in WORKBOOK_ENDINGS:
        return {}
    if len(data) > MAX_WORKBOOK_BYTES:
        return None
    try:
        return None if refusal(data) is not None else _read(data)
    except Exception:  # noqa: BLE001 - damaged workbooks raise almost anything inside openpyxl
        return None


def _read(data: bytes) -> _Book | None:
    from openpyxl import load_workbook  # noqa: PLC0415 - it takes 0.2 s to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        notes, found = Notes(), dict[str, _Sheet]()
        known = {sheet_name(title) for title in TITLES}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for sheet in book.worksheets:
                name = sheet_name(sheet.title)
                if name in known and name not in found:
                    found[name] = _sheet(sheet, archive, notes)
        book.close()
    return found if notes.is_whole else None


def _sheet(sheet: Any, archive: zipfile.ZipFile, notes: Notes) -> _Sheet:
    # openpyxl has no public way from a sheet to the part it is read from.
    marks = sheet_marks(sheet.title, archive.read(str(sheet._worksheet_path).lstrip("/")))
    rows = list(filled_rows(sheet, marks.unresolved, notes))
    names = _column_names(rows)
    columns = {name: column_letters(column) for column, name in names.items()}
    return _Sheet(sheet.title, [_row(row, names) for row in rows], columns)


def _column_names(rows: Sequence[Row]) -> Mapping[int, str]:
    """What stands in the first row names a column, so that one that moved is still the same."""
    names: dict[int, str] = {}
    for column in sorted({column for _, cells in rows for column in cells}):
        name = heading(rows[0][1][column]) if column in rows[0][1] else ""
        names[column] = name if name and name not in names.values() else column_letters(column)
    return names


def _row(row: Row, names: Mapping[int, str]) -> _Row:
    number, cells = row
    texts = {names[column]: _text(cell.value) for column, cell in sorted(cells.items())}
    return _Row(number, texts, next(iter(texts.values())))


def _text(value: object) -> str:
    match value:
        case Odd():
            return _NO_RESULT
        case bool():
            return "TRUE" if value else "FALSE"
        case dt.datetime():
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
        case float() if value.is_integer() and abs(value) < 10**15:
            return str(int(value))
        case _:
            return str(value)


def _changes(was: _Book, becomes: _Book) -> Iterator[CellChange]:
    for name in map(sheet_name, TITLES):
        old, new = was.get(name, _Sheet()), becomes.get(name, _Sheet())
        for pair in _aligned(old.rows, new.rows):
            yield from _row_changes(old, new, pair)


def _row_changes(old: _Sheet, new: _Sheet, pair: _Pair) -> Iterator[CellChange]:
    row_before, row_after = pair
    before = {} if row_before is None else row_before.cells
    after = {} if row_after is None else row_after.cells
    for column in [*after, *(each for each in before if each not in after)]:
        if before.get(column) == after.get(column):
            continue
        # A row or column that is gone has a place in the old version only.
        place = "" if row_after is None else new.place(column, row_after)
        gone = "" if row_before is None else old.place(column, row_before)
        yield CellChange(new.title or old.title, place or gone, before.get(column), after.get(column))


def _aligned(old: Sequence[_Row], new: Sequence[_Row]) -> Iterator[_Pair]:
    """Rows that are the same or have the same name are one row, also where others were put in or taken out above."""
    first, last = _ends_alike(old, new)
    # What is the same at both ends needs no search, and differs in nothing.
    old, new = old[first : len(old) - last], new[first : len(new) - last]
    for lines in _runs(list(map(_content, old)), list(map(_content, new)), with_same=False):
        changed, became = old[lines[0]], new[lines[1]]
        for run in _runs([row.name for row in changed], [row.name for row in became], with_same=True):
            yield from _together(changed[run[0]], became[run[1]])


def _content(row: _Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(row.cells.items()))


def _ends_alike(old: Sequence[_Row], new: Sequence[_Row]) -> tuple[int, int]:
    most = min(len(old), len(new))
    first = next((at for at in range(most) if old[at].cells != new[at].cells), most)
    rest = most - first
    last = next((at for at in range(rest) if old[-1 - at].cells != new[-1 - at].cells), rest)
    return first, last


def _runs(old: Sequence[Hashable], new: Sequence[Hashable], *, with_same: bool) -> Iterator[tuple[slice, slice]]:
    """What belongs together; when finding that out would take too long, what stands at the same place."""
    if _effort(old, new) > _MOST_EFFORT:
        both = min(len(old), len(new))
        yield slice(0, both), slice(0, both)
        yield slice(both, len(old)), slice(both, len(new))
        return
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal" or with_same:
            yield slice(a, b), slice(c, d)


def _effort(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """Steps a search may take: for each run that is the same, every pair of rows that are, and every row."""
    there, here = Counter(old), Counter(new)
    alike = sum(count * here[row] for row, count in there.items())
    return min(len(old), len(new)) * (alike + len(old))


def _together(old: Sequence[_Row], new: Sequence[_Row]) -> Iterator[_Pair]:
    """A run of rows; as many as before are the same ones, otherwise all are taken out and put in."""
    if len(old) == len(new):
        yield from zip(old, new, strict=True)
        return
    yield from ((row, None) for row in old)
    yield from ((None, row) for row in new)
