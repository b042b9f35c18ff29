"""How a written workbook helps whoever fills it in: notes at the head of each column, lists of the words it takes,
cells that stay text, and a sheet that explains all columns. Nothing of it is read back."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from reconciler.packs.cells import column_letters
from reconciler.packs.sheet_words import ColumnWords, column_words
from reconciler.packs.sheets import LONG, METADATA, TABLES, Form, Sheet
from reconciler.packs.workbook_rows import MAX_ROWS

COLUMNS_SHEET: Final = "Columns"
_HEADER: Final = ("Sheet", "Column", "Required", "Description", "Written as", "Example")
_WIDTHS: Final = (20, 18, 10, 80, 40, 50)
_NOTE_WIDTH: Final = 380
_BOLD: Final = Font(bold=True)
_HEADER_FILL: Final = PatternFill("solid", fgColor="DCE6F1")
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")


def explain(book: Workbook) -> None:
    _style_metadata(book[METADATA])
    for table in TABLES:
        _style_table(book[table.title], table)
    _add_columns_sheet(book)


def _style_metadata(sheet: Worksheet) -> None:
    words = _words()[METADATA]
    _style_header(sheet, [22, 60])
    for number, (field,) in enumerate(sheet.iter_rows(min_row=2, max_col=1), start=2):
        about = words[str(field.value)]
        field.comment = _note(about)
        if about.is_required:
            field.font = _BOLD
        _offer(sheet, about, f"B{number}")


def _style_table(sheet: Worksheet, table: Sheet) -> None:
    words = _words()[table.title]
    _style_header(sheet, [_width(words[name]) for name in table.columns])
    for number, name in enumerate(table.columns, start=1):
        letters = column_letters(number)
        sheet.cell(1, number).comment = _note(words[name])
        _offer(sheet, words[name], f"{letters}2:{letters}{MAX_ROWS}")


def _style_header(sheet: Worksheet, widths: Sequence[int]) -> None:
    for number, width in enumerate(widths, start=1):
        header, column = sheet.cell(1, number), sheet.column_dimensions[column_letters(number)]
        header.font, header.fill = _BOLD, _HEADER_FILL
        # Excel leaves alone what is typed into cells of this format: 1e3 and 1-2 stay as they are.
        column.number_format, column.width = "@", width
    sheet.freeze_panes = "A2"


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


@cache
def _all() -> Sequence[ColumnWords]:
    return tuple(column_words())


@cache
def _words() -> Mapping[str, Mapping[str, ColumnWords]]:
    titles = {each.sheet for each in _all()}
    return {title: {each.column: each for each in _all() if each.sheet == title} for title in titles}
