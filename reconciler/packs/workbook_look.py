"""How a written workbook helps whoever fills it in: notes at the head of each column, lists of the words it takes,
cells that stay text, and a sheet that explains all columns. Nothing of it is read back."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from reconciler.packs.cells import column_letters
from reconciler.packs.sheet_words import ColumnWords, column_words
from reconciler.packs.sheets import LONG, METADATA, PIPELINES, REQUIRED, TABLES, Form, Sheet
from reconciler.packs.workbook_rows import MAX_ROWS
from reconciler.packs.workbook_version import VERSION_FIELD

COLUMNS_SHEET: Final = "Columns"
_HEADER: Final = ("Sheet", "Column", "Required", "Description", "Written as", "Example")
_WIDTHS: Final = (20, 18, 12, 80, 40, 50)
_NOTE_WIDTH: Final = 380
#: What has to be filled in is dark, what may be left empty is light.
_NEEDED: Final = (Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F4E78"))
_OPTIONAL: Final = (Font(bold=True, color="1F4E78"), PatternFill("solid", fgColor="DCE6F1"))
_UNUSED: Final = (Font(italic=True, color="808080"), PatternFill("solid", fgColor="EDEDED"))
_LINE: Final = Side(style="thin", color="8EA9C1")
_UNDER: Final = Border(bottom=_LINE)
_AROUND: Final = Border(_LINE, _LINE, _LINE, _LINE)
_MIDDLE: Final = Alignment(vertical="center")
_TABS: Final = {"needed": "1F4E78", "optional": "8EA9C1", "unused": "BFBFBF", "explained": "70AD47"}
_UNUSED_NOTE: Final = "Pipelines are not supported yet. Leave this sheet empty."
_QUIET: Final = Font(italic=True, color="808080")
_VERSION_NOTE: Final = "Which template this is. Leave it: a sharepack that does not know it says so."
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_TOP: Final = Alignment(vertical="top")


def explain(book: Workbook) -> None:
    _style_metadata(book[METADATA])
    for table in TABLES:
        _style_table(book[table.title], table)
    _style_unused(book[PIPELINES])
    _add_columns_sheet(book)


def _style_metadata(sheet: Worksheet) -> None:
    words = _words()[METADATA]
    _style_header(sheet, [24, 70], needed={1, 2})
    for number, (field, value) in enumerate(sheet.iter_rows(min_row=2, max_col=2), start=2):
        field.border = value.border = _AROUND
        field.alignment, value.alignment = _TOP, _WRAPPED
        if field.value == VERSION_FIELD:
            field.font = value.font = _QUIET
            field.comment = Comment(_VERSION_NOTE, "sharepack", height=80, width=_NOTE_WIDTH)
            continue
        about = words[str(field.value)]
        value.number_format = "@"
        field.comment = _note(about)
        field.font, field.fill = _NEEDED if about.is_required else _OPTIONAL
        _offer(sheet, about, f"B{number}")
    _look(sheet, "needed", "A2", select="B2")


def _style_table(sheet: Worksheet, table: Sheet) -> None:
    words = _words()[table.title]
    needed = {number for number, name in enumerate(table.columns, start=1) if words[name].is_required}
    _style_header(sheet, [_width(words[name]) for name in table.columns], needed)
    for number, name in enumerate(table.columns, start=1):
        letters = column_letters(number)
        sheet.cell(1, number).comment = _note(words[name])
        if words[name].form in LONG:
            sheet.column_dimensions[letters].alignment = _WRAPPED
        _offer(sheet, words[name], f"{letters}2:{letters}{MAX_ROWS}")
    # The name of a row stays in view, however far to the right one scrolls.
    beside_name = column_letters(list(table.columns).index(table.named_by) + 2)
    _look(sheet, "needed" if table.title in REQUIRED else "optional", f"{beside_name}2")


def _style_unused(sheet: Worksheet) -> None:
    for number, (cell,) in enumerate(sheet.iter_cols(min_row=1, max_row=1), start=1):
        cell.font, cell.fill = _UNUSED
        sheet.column_dimensions[column_letters(number)].width = 18
    sheet["A1"].comment = Comment(_UNUSED_NOTE, "sharepack", height=50, width=_NOTE_WIDTH)
    _look(sheet, "unused", "A2")


def _style_header(sheet: Worksheet, widths: Sequence[int], needed: Collection[int] = ()) -> None:
    for number, width in enumerate(widths, start=1):
        header, column = sheet.cell(1, number), sheet.column_dimensions[column_letters(number)]
        header.font, header.fill = _NEEDED if number in needed else _OPTIONAL
        header.alignment, header.border = _MIDDLE, _UNDER
        # Excel leaves alone what is typed into cells of this format: 1e3 and 1-2 stay as they are.
        column.number_format, column.width = "@", width
    sheet.row_dimensions[1].height = 22


def _look(sheet: Worksheet, tab: str, frozen: str, select: str = "A2") -> None:
    sheet.sheet_properties.tabColor = _TABS[tab]
    sheet.freeze_panes = frozen
    for selection in sheet.sheet_view.selection:
        selection.activeCell = selection.sqref = select


def _width(words: ColumnWords) -> int:
    if words.form in LONG:
        return 40
    return 28 if words.form is Form.TEXT and not words.choices else 18


def _note(words: ColumnWords) -> Comment:
    lines = sum(1 + len(line) // 52 for line in words.note.splitlines())
    return Comment(words.note, "sharepack", height=30 + 17 * lines, width=_NOTE_WIDTH)


def _offer(sheet: Worksheet, words: ColumnWords, cells: str) -> None:
    """A list of the words; another letter case is right as well, so Excel only asks."""
    if words.choices:
        offer = DataValidation(type="list", formula1=f'"{",".join(words.choices)}"', allow_blank=True)
        offer.errorStyle, offer.showErrorMessage = "warning", True
        offer.error = f"{words.column} is one of {', '.join(words.choices)}"[:225]
        offer.add(cells)
        sheet.add_data_validation(offer)


def _add_columns_sheet(book: Workbook) -> None:
    sheet = book.create_sheet(COLUMNS_SHEET)
    sheet.append(_HEADER)
    for each in _all():
        required = "yes" if each.is_required else ""
        sheet.append([each.sheet, each.column, required, each.description, each.form.value, each.example])
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.data_type, cell.number_format, cell.alignment = "s", "@", _WRAPPED
    _style_header(sheet, _WIDTHS)
    sheet.auto_filter.ref = sheet.dimensions
    _look(sheet, "explained", "A2")


@cache
def _all() -> Sequence[ColumnWords]:
    return tuple(column_words())


@cache
def _words() -> Mapping[str, Mapping[str, ColumnWords]]:
    titles = {each.sheet for each in _all()}
    return {title: {each.column: each for each in _all() if each.sheet == title} for title in titles}
