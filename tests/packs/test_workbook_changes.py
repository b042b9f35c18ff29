"""What changed in a workbook: cell by cell, with rows and columns that moved, and the pack as YAML before and after."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from reconciler.core.proposal import CellChange, WorkbookChange
from reconciler.packs.workbook_changes import workbook_change
from tests.packs.examples import read
from tests.packs.workbooks import GUIDE, METADATA, RECIPIENTS, SHARES, edited, with_part, workbook, written

PATH = "sharepacks/sales/a.xlsx"
HEADER = list(RECIPIENTS[0])


def change(before: bytes | None, after: bytes | None) -> WorkbookChange:
    return workbook_change(PATH, None if before is None else PATH, before, after)


def cells(before: bytes | None, after: bytes | None) -> list[tuple[str, str | None, str | None]]:
    return [(f"{each.sheet}!{each.cell}", each.before, each.after) for each in change(before, after).cells]


def partner(name: str, email: str = "data@partner.example") -> list[Any]:
    return [name, "D2O", email, None, None, None]


def with_recipients(*rows: Sequence[Any]) -> bytes:
    return workbook(Recipients=[HEADER, *rows])


def test_a_changed_cell_is_told_by_its_place_before_and_after() -> None:
    before, after = with_recipients(partner("partner")), with_recipients(partner("partner", "new@partner.example"))
    assert cells(before, after) == [("Recipients!C2", "data@partner.example", "new@partner.example")]


def test_the_same_workbook_has_no_changes() -> None:
    found = change(workbook(), workbook())
    assert found.cells == ()
    assert found.yaml_before == found.yaml_after != ""


def test_the_yaml_is_the_pack_before_and_after() -> None:
    found = change(workbook(), with_recipients(partner("partner", "new@partner.example")))
    assert "email: data@partner.example" in found.yaml_before
    assert found.yaml_after == found.yaml_before.replace("data@", "new@")
    desired = read({"a.yaml": found.yaml_after.encode()})
    assert [problem for problem in desired.problems if problem.is_error] == []


def test_all_cells_of_a_new_workbook_are_told() -> None:
    found = change(None, workbook())
    assert found.path_before is None
    assert CellChange("Metadata", "B2", None, "ann@example.com") in found.cells
    filled = sum(value is not None for rows in (METADATA, RECIPIENTS, SHARES) for row in rows for value in row)
    assert len(found.cells) == filled
    assert (found.yaml_before, "partner" in found.yaml_after) == ("", True)


def test_all_cells_of_a_deleted_workbook_are_told() -> None:
    found = change(workbook(), None)
    assert CellChange("Shares", "A2", "orders", None) in found.cells
    assert (found.yaml_after, "partner" in found.yaml_before) == ("", True)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_row_put_in_moves_no_other_row(at: int) -> None:
    rows = [partner("one"), partner("two")]
    more = [*rows[:at], partner("new"), *rows[at:]]
    row = at + 2
    assert cells(with_recipients(*rows), with_recipients(*more)) == [
        (f"Recipients!A{row}", None, "new"),
        (f"Recipients!B{row}", None, "D2O"),
        (f"Recipients!C{row}", None, "data@partner.example"),
    ]


def test_a_row_taken_out_is_told_where_it_was_and_moves_no_other_row() -> None:
    rows = [partner(name) for name in ("one", "two", "three")]
    found = cells(with_recipients(*rows), with_recipients(rows[0], partner("three", "new@partner.example")))
    assert found == [
        ("Recipients!A3", "two", None),
        ("Recipients!B3", "D2O", None),
        ("Recipients!C3", "data@partner.example", None),
        ("Recipients!C3", "data@partner.example", "new@partner.example"),
    ]


def test_a_row_that_was_renamed_is_the_same_row() -> None:
    before = with_recipients(partner("one"), partner("two"), partner("three"))
    after = with_recipients(partner("one"), partner("second"), partner("three"))
    assert cells(before, after) == [("Recipients!A3", "two", "second")]


def test_a_column_that_moved_changes_nothing_and_one_put_in_only_itself() -> None:
    before = with_recipients(partner("one"), partner("two"))
    order = [2, 0, 1, 5, 3, 4]
    rows = [[row[at] for at in order] for row in (HEADER, partner("one"), partner("two"))]
    assert cells(before, workbook(Recipients=rows)) == []
    more = [[*rows[0], "owner"], [*rows[1], "data-owners"], [*rows[2], None]]
    assert cells(before, workbook(Recipients=more)) == [
        ("Recipients!G1", None, "owner"),
        ("Recipients!G2", None, "data-owners"),
    ]


def test_a_column_taken_out_is_told_where_it_was() -> None:
    before = with_recipients(partner("one"))
    after = workbook(Recipients=[[*HEADER[:2], *HEADER[3:]], ["one", "D2O"]])
    assert cells(before, after) == [
        ("Recipients!C1", "email", None),
        ("Recipients!C2", "data@partner.example", None),
    ]


def test_sheets_are_the_same_in_any_spelling_and_those_that_are_not_read_are_left_out() -> None:
    def add(book: Workbook) -> None:
        book.create_sheet("Notes").append(["nobody reads this"])

    shouted = written({"METADATA": METADATA, "recipients": RECIPIENTS, "Shares ": SHARES}, add)
    assert cells(workbook(), shouted) == []


def test_values_are_told_as_a_person_reads_them() -> None:
    moments = [dt.datetime(2027, 1, 31), dt.datetime(2027, 1, 31, 9, 30)]  # noqa: DTZ001 - as workbooks have them
    values: list[Any] = [True, 12.0, 1.5, *moments, "a\nb"]
    after = workbook(Allow=[["action", "until", "reason", "x", "y", "z"], values])
    found = {place: text for place, _, text in cells(workbook(), after)}
    shown = [found[f"Allow!{letter}2"] for letter in "ABCDEF"]
    assert shown == ["TRUE", "12", "1.5", "2027-01-31", "2027-01-31 09:30:00", "a\nb"]


def test_a_formula_without_a_result_is_told_as_one() -> None:
    found = cells(workbook(), with_recipients(partner("partner", '=A1&"@evil.example"')))
    assert found == [("Recipients!C2", "data@partner.example", "(a formula without a result)")]


def test_a_pack_with_problems_has_cells_and_no_yaml() -> None:
    found = change(workbook(), with_recipients(partner("partner", "no address")))
    assert [each.after for each in found.cells] == ["no address"]
    assert (found.yaml_before, found.yaml_after) == ("", "")


@pytest.mark.parametrize(
    "broken",
    [
        lambda: b"",
        lambda: b"not a workbook",
        lambda: workbook()[:1000],
        lambda: with_part(workbook(), "xl/vbaProject.bin", b"x"),
        lambda: with_part(workbook(), "xl/worksheets/sheet1.xml", b"<worksheet"),
        lambda: edited(workbook(), "xl/workbook.xml", b"<workbook", b"<!DOCTYPE x><workbook"),
        lambda: b"x" * 20_000_001,
    ],
    ids=["empty", "text", "cut", "macros", "damaged", "document type", "too large"],
)
def test_what_cannot_be_read_has_no_cells_and_no_yaml(broken: Callable[[], bytes]) -> None:
    data = broken()
    for found in (change(workbook(), data), change(data, workbook()), change(None, data)):
        assert (found.cells, found.yaml_before, found.yaml_after) == ((), "", "")


def test_a_pack_that_was_yaml_is_told_as_yaml_and_with_all_its_cells() -> None:
    yaml = change(None, workbook()).yaml_after
    found = workbook_change(PATH, "sharepacks/sales/a.yaml", yaml.encode(), workbook())
    assert found.yaml_before == found.yaml_after == yaml
    assert len(found.cells) == len(change(None, workbook()).cells)


def test_the_guides_workbook_is_told_whole() -> None:
    found = change(None, written(GUIDE))
    assert CellChange("Pipelines", "A2", None, "(empty for MVP)") in found.cells
    assert "finance_q1_share" in found.yaml_after


@pytest.mark.parametrize(("rows", "alike"), [(900, True), (900, False), (3_000, True), (3_000, False)])
def test_many_rows_are_compared_in_seconds(rows: int, alike: bool) -> None:
    """Rows all alike are the worst there is for finding out which is which."""

    def book(word: str) -> bytes:
        names = ["same" if alike else f"{word}{number}" for number in range(rows)]
        entries = [f"{name} {word}" if at % 2 else name for at, name in enumerate(names)]
        return workbook(Release=[["resource"], *([each] for each in entries)])

    before, after = book("a"), book("b")
    started = time.process_time()
    found = change(before, after)
    assert time.process_time() - started < 20
    assert len(found.cells) >= rows / 2


ROWS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_the_changes_make_the_one_version_of_the_other(before: list[str], after: list[str]) -> None:
    def book(names: list[str]) -> bytes:
        return workbook(Release=[["resource"], *([name] for name in names)])

    found = change(book(before), book(after)).cells
    gone = [each.before for each in found if each.before is not None]
    came = [each.after for each in found if each.after is not None]
    assert sorted([*before, *came]) == sorted([*after, *gone])
    assert len(found) <= len(before) + len(after)
    for each in found:
        if each.after is not None:
            assert after[int(each.cell[1:]) - 2] == each.after
