import csv
import io
import zipfile
from dataclasses import fields
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render import spreadsheets
from reconciler.render.access_rows import AccessRow, access_rows
from reconciler.render.spreadsheets import access_csv, access_xlsx, harmless
from tests.render.access_scenes import LINES, PEOPLE, reads
from tests.render.golden_files import the_text_is_as_committed

COLUMNS = [field.name for field in fields(AccessRow)]


def sheets(content: bytes) -> "dict[str, list[list[object]]]":
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}


# Harmless cells


#: What Excel takes for = + - @ as well: the same characters in full width.
WIDE = [chr(ord(char) + 0xFEE0) for char in "=+-@"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "  =1+1", "=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!D2", *WIDE],
)
def test_what_begins_like_a_formula_is_a_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["\t=1+1", "\r=1+1", "\n=1+1", "a\x00b", "a\x1bb", "a\nb", "\ufeff=1", "\u202e=1"])
def test_control_characters_are_written_out(text: str) -> None:
    shown = harmless(text)
    assert shown.isprintable()
    assert "\\" in shown
    assert not shown.startswith("=")


@pytest.mark.parametrize("text", ["", "ann@example.com", "a-b", "prod_catalog.sales", "Größe", "1+1", "表"])
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert harmless(text) == text


def test_a_text_that_no_cell_holds_is_cut() -> None:
    assert len(harmless("=" + "x" * 40_000)) == 32_767


@given(st.text())
def test_no_text_is_a_formula_in_either_file(text: str) -> None:
    row = reads(text or "x", approved_by=text, pull_requests=f" {text}")
    for cell in next(csv.reader(io.StringIO(access_csv([row], {}).split("\r\n", 1)[1]))):
        assert cell.lstrip()[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    with zipfile.ZipFile(io.BytesIO(access_xlsx([row], {}))) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


# CSV


def test_csv_reads_well() -> None:
    text = access_csv(LINES, PEOPLE)
    assert text.count("\r\n") == len(LINES) + 1
    the_text_is_as_committed("access_now.csv", text.replace("\r\n", "\n"))


def test_csv_gives_back_what_the_rows_say() -> None:
    read = list(csv.DictReader(io.StringIO(access_csv(LINES, PEOPLE))))
    for cells, row in zip(read, access_rows(LINES, PEOPLE), strict=True):
        assert list(cells) == COLUMNS
        for name in set(COLUMNS) - {"since"}:
            assert cells[name] == getattr(row, name)
        assert cells["since"] == row.since.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_csv_of_nothing_is_its_headings() -> None:
    assert access_csv([], {}) == ",".join(COLUMNS) + "\r\n"


# Excel


def test_a_workbook_gives_back_what_the_rows_say() -> None:
    (heading, *found) = sheets(access_xlsx(LINES, PEOPLE))["Access"]
    assert heading == COLUMNS
    for cells, row in zip(found, access_rows(LINES, PEOPLE), strict=True):
        for name, cell in zip(COLUMNS, cells, strict=True):
            if isinstance(cell, datetime):
                assert cell == row.since.replace(tzinfo=None, microsecond=0)
            else:
                assert (cell or "") == getattr(row, name)


def test_headings_stay_in_sight_and_have_filters_over_all_rows() -> None:
    book = openpyxl.load_workbook(io.BytesIO(access_xlsx(LINES, PEOPLE)))
    sheet = book["Access"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:S{len(LINES) + 1}"
    assert sheet["A1"].font.bold
    assert sheet["O2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert sheet.column_dimensions["G"].width > 30


def test_a_workbook_of_nothing_has_its_headings_and_what_it_is_about() -> None:
    found = sheets(access_xlsx([], {}, [("question", "=Who can read what"), ("at", "2026-03-31")]))
    assert found["Access"] == [COLUMNS]
    assert found["About"] == [["question", "'=Who can read what"], ["at", "2026-03-31"]]


def test_more_lines_than_a_sheet_holds_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "_ROWS_OF_A_SHEET", 4)
    found = sheets(access_xlsx(LINES, PEOPLE))
    assert [len(rows) for rows in found.values()] == [4, 4, 2]
    assert list(found) == ["Access", "Access 2", "Access 3"]
    assert all(rows[0] == COLUMNS for rows in found.values())
    told = [row[0] for rows in found.values() for row in rows[1:]]
    assert told == [line.recipient for line in LINES]


def test_a_sheet_that_is_just_full_is_followed_by_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "_ROWS_OF_A_SHEET", len(LINES) + 1)
    assert list(sheets(access_xlsx(LINES, PEOPLE))) == ["Access"]
