"""Who can read what as CSV and as an Excel workbook. What a cell says comes from `access_rows`; here every text becomes
one that no spreadsheet takes for a formula, and that no program chokes on."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

from reconciler.core.reads import Reads
from reconciler.render.access_rows import AccessRow, Recipients, access_rows
from reconciler.render.lines import visible
from reconciler.render.moments import iso

if TYPE_CHECKING:
    from openpyxl import Workbook

#: https://owasp.org/www-community/attacks/CSV_Injection; Excel takes their full-width forms for the same.
_FORMULA: Final = frozenset("=+-@")
#: https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
_LONGEST_CELL: Final = 32_767
_ROWS_OF_A_SHEET: Final = 1_048_576
_HEADINGS: Final = tuple(field.name for field in fields(AccessRow))
_WIDTHS: Final = {"object": 44, "share": 28, "extent": 32, "since": 20, "workspace": 30, "email": 28, "object_type": 12}
_WIDTH: Final = 18


@lru_cache(maxsize=10_000)
def harmless(text: str) -> str:
    """The text as a cell may hold it: an apostrophe before what begins like a formula, whatever blanks stand before
    that; control characters, also line ends, written out; cut where a cell ends."""
    shown = visible(text)
    if normalize("NFKC", shown.lstrip()[:1]) in _FORMULA:
        shown = f"'{shown}"
    return shown if len(shown) <= _LONGEST_CELL else f"{shown[: _LONGEST_CELL - 1]}…"


def access_csv(lines: Iterable[Reads], recipients: Recipients) -> str:
    """RFC 4180: a row of headings, commas, CRLF at line ends; times are ISO 8601 in UTC."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_HEADINGS)
    for row in access_rows(lines, recipients):
        writer.writerow([_in_csv(getattr(row, name)) for name in _HEADINGS])
    return written.getvalue()


def access_xlsx(lines: Iterable[Reads], recipients: Recipients, about: Sequence[tuple[str, str]] = ()) -> bytes:
    """A workbook with a sheet `Access`, whose headings stay in sight and have filters; more sheets where one is too
    short; and, when there is something `about` it, a sheet `About` of names and values. Times are UTC."""
    from openpyxl import Workbook  # noqa: PLC0415 - 0.2 s that other formats need not wait for

    book = Workbook(write_only=True)
    rows = access_rows(lines, recipients)
    number = 1
    # The first sheet is there without rows as well.
    while (first := next(rows, None)) is not None or number == 1:
        page = () if first is None else chain([first], islice(rows, _ROWS_OF_A_SHEET - 2))
        _write_sheet(book, "Access" if number == 1 else f"Access {number}", page)
        number += 1
    if about:
        _write_about(book, about)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _in_csv(value: str | datetime) -> str:
    return iso(value) if isinstance(value, datetime) else harmless(value)


def _write_sheet(book: "Workbook", title: str, rows: Iterable[AccessRow]) -> None:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - as above
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - as above

    sheet = book.create_sheet(title)
    # Before the first row: the file is written as it goes.
    sheet.freeze_panes = "A2"
    for index, name in enumerate(_HEADINGS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = _WIDTHS.get(name, _WIDTH)
    sheet.append([_heading(sheet, name) for name in _HEADINGS])
    # One for all rows, which are written before the next is made: a style costs more than a value.
    moment = WriteOnlyCell(sheet)
    moment.number_format = "yyyy-mm-dd hh:mm:ss"
    count = 1
    for count, row in enumerate(rows, 2):  # noqa: B007 - the number of the last row is used below
        sheet.append([_in_sheet(getattr(row, name), moment) for name in _HEADINGS])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(_HEADINGS))}{count}"


def _write_about(book: "Workbook", about: Sequence[tuple[str, str]]) -> None:
    sheet = book.create_sheet("About")
    sheet.column_dimensions["A"].width = _WIDTH
    sheet.column_dimensions["B"].width = 80
    for name, value in about:
        sheet.append([_heading(sheet, name), harmless(value)])


def _in_sheet(value: str | datetime, moment: Any) -> Any:
    """None for what is empty: that takes no room."""
    if not isinstance(value, datetime):
        return harmless(value) or None
    # A cell has no time zone.
    moment.value = value.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return moment


def _heading(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - as above
    from openpyxl.styles import Font  # noqa: PLC0415 - as above

    cell = WriteOnlyCell(sheet, harmless(text))
    cell.font = Font(bold=True)
    return cell
