"""The sheets beyond the guide's four are held to what the guide's are held to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from openpyxl import Workbook

from tests.packs.test_sheets import NEW_SHEETS, OIDC, Rows
from tests.packs.test_workbook import problems
from tests.packs.workbooks import METADATA, SHARES, edited, written


def with_new_sheets(
    sheets: Mapping[str, Rows] = NEW_SHEETS, change: Callable[[Workbook], None] = lambda _: None
) -> bytes:
    return written({"Metadata": METADATA, "Recipients": OIDC, "Shares": SHARES, **sheets}, change)


def with_rows(title: str, *rows: Sequence[Any]) -> bytes:
    return with_new_sheets({**NEW_SHEETS, title: rows})


def test_the_new_sheets_are_read_without_problems() -> None:
    assert problems(with_new_sheets()) == []


@pytest.mark.parametrize("title", NEW_SHEETS)
class TestAHostileSheet:
    def test_with_merged_cells_is_refused(self, title: str) -> None:
        found = problems(with_new_sheets(change=lambda book: book[title].merge_cells("A2:A3")))
        assert found == [(f":{title}!A2", "workbook-merged-cells")]

    def test_that_is_hidden_is_refused(self, title: str) -> None:
        def hide(book: Workbook) -> None:
            book[title].sheet_state = "hidden"

        assert problems(with_new_sheets(change=hide)) == [(f":{title}", "workbook-hidden")]

    def test_with_a_hidden_row_is_refused(self, title: str) -> None:
        def hide(book: Workbook) -> None:
            book[title].row_dimensions[2].hidden = True

        assert problems(with_new_sheets(change=hide)) == [(f":{title}!A2", "workbook-hidden")]

    def test_with_a_formula_is_refused_at_its_cell(self, title: str) -> None:
        rows = NEW_SHEETS[title]
        found = problems(with_rows(title, rows[0], ['="a"&"b"', *rows[1][1:]]))
        assert found == [(f":{title}!A2", "workbook-formula")]

    def test_with_an_error_is_refused_at_its_cell(self, title: str) -> None:
        rows = NEW_SHEETS[title]
        found = problems(with_rows(title, rows[0], ["#REF!", *rows[1][1:]]))
        assert found == [(f":{title}!A2", "workbook-error-cell")]

    def test_with_a_column_twice_is_refused(self, title: str) -> None:
        rows = NEW_SHEETS[title]
        again = [[*rows[0], str(rows[0][0]).upper()], rows[1]]
        letter = "ABCDEFG"[len(rows[0])]
        assert problems(with_rows(title, *again)) == [(f":{title}!{letter}1", "workbook-header")]

    def test_with_an_unknown_column_is_refused(self, title: str) -> None:
        rows = NEW_SHEETS[title]
        letter = "ABCDEFG"[len(rows[0])]
        found = problems(with_rows(title, [*rows[0], "Remarks"], [*rows[1], "x"]))
        assert found == [(f":{title}!{letter}1", "key-unknown")]

    def test_with_a_value_without_a_header_is_refused(self, title: str) -> None:
        rows = NEW_SHEETS[title]
        letter = "ABCDEFG"[len(rows[0])]
        found = problems(with_rows(title, rows[0], [*rows[1], "x"]))
        assert found == [(f":{title}!{letter}2", "workbook-value-without-header")]

    def test_of_too_many_rows_is_refused(self, title: str) -> None:
        row = '<row r="20001"><c r="A20001" t="inlineStr"><is><t>late</t></is></c></row></sheetData>'
        number = 4 + list(NEW_SHEETS).index(title)
        data = edited(with_new_sheets(), f"xl/worksheets/sheet{number}.xml", b"</sheetData>", row.encode())
        assert problems(data) == [(f":{title}!A20001", "workbook-too-many-rows")]

    def test_there_twice_is_refused(self, title: str) -> None:
        sheets = {**NEW_SHEETS, f"{title.upper()} ": NEW_SHEETS[title]}
        assert problems(with_new_sheets(sheets)) == [(f":{title.upper()} ", "workbook-sheet-duplicate")]

    def test_with_nearly_the_right_name_is_refused(self, title: str) -> None:
        sheets = {**NEW_SHEETS, title[:-1]: NEW_SHEETS[title]}
        del sheets[title]
        assert problems(with_new_sheets(sheets)) == [(f":{title[:-1]}", "workbook-sheet-unknown")]
