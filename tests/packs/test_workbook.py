"""Workbooks: the same packs as from YAML, problems at their cells, and what must not be opened is not."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import Workbook

from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import SharePack
from reconciler.core.problem import Severity, Where
from reconciler.core.share import Share
from tests.packs.examples import EXAMPLES, read
from tests.packs.workbooks import (
    GUIDE,
    METADATA,
    RECIPIENTS,
    SHARES,
    as_excel_saves,
    edited,
    packed_otherwise,
    part,
    with_part,
    workbook,
    written,
)

NOWHERE = Where("")


def the_pack(data: bytes, name: str = "a.xlsx") -> SharePack:
    desired = read({name: data})
    assert [problem for problem in desired.problems if problem.is_error] == []
    (pack,) = desired.packs.values()
    return pack


def without_places(pack: SharePack) -> SharePack:
    resources = {key: replace(declared, where=NOWHERE) for key, declared in pack.resources.items()}
    allowances = tuple(replace(each, where=NOWHERE) for each in pack.allowances)
    return replace(pack, path="", file_format="", resources=resources, allowances=allowances)


def shared(pack: SharePack) -> list[str]:
    """The data objects of all its shares."""
    shares = [each.resource for each in pack.resources.values() if isinstance(each.resource, Share)]
    return sorted(str(each) for share in shares if share.objects is not UNMANAGED for each in share.objects)


def problems(data: bytes) -> list[tuple[str, str]]:
    return [(str(problem.where).removeprefix("a.xlsx"), problem.rule) for problem in read({"a.xlsx": data}).problems]


def test_the_guides_workbook_says_what_the_guides_yaml_says() -> None:
    yaml = the_pack((EXAMPLES / "valid" / "guide-finance.yaml").read_bytes(), "a.yaml")
    excel = the_pack(written(GUIDE))
    assert without_places(excel) == without_places(yaml)
    assert excel.file_format == "xlsx"
    assert [str(declared.where) for declared in excel.resources.values()] == [
        "a.xlsx:Recipients!A2",
        "a.xlsx:Recipients!A3",
        "a.xlsx:Shares!A2",
        "a.xlsx:Shares!A3",
    ]


def test_texts_may_stand_in_a_table_of_shared_strings_as_excel_saves_them() -> None:
    data = as_excel_saves(written(GUIDE))
    assert b"external-auditor" not in part(data, "xl/worksheets/sheet2.xml")
    assert without_places(the_pack(data)) == without_places(the_pack(written(GUIDE)))


def test_sheet_names_headers_and_fields_are_found_in_any_letter_case() -> None:
    shouted = {
        title.upper(): [[str(cell).upper().replace("_", " ") for cell in rows[0]], *rows[1:]]
        for title, rows in GUIDE.items()
    }
    shouted["METADATA"] = [[str(field).title(), value] for field, value in GUIDE["Metadata"]]
    assert without_places(the_pack(written(shouted))) == without_places(the_pack(written(GUIDE)))


def test_empty_rows_and_columns_around_the_tables_do_not_matter() -> None:
    padded = {title: [[None, *row] for row in [[], *rows, [], [" "], []]] for title, rows in GUIDE.items()}
    assert without_places(the_pack(written(padded))) == without_places(the_pack(written(GUIDE)))


def test_an_empty_cell_is_not_managed_and_two_quotes_clear() -> None:
    rows: list[list[object]] = [
        ["name", "comment", "recipients", "data_objects", "adopt"],
        ["unmanaged", None, None, None, None],
        ["cleared", '""', '""', '""', False],
        ["taken-over", '"  quoted, with blanks "', "partner", "a.b.c", True],
        ["worded", None, None, None, "Yes"],
    ]
    found = {str(key): declared for key, declared in the_pack(workbook(Shares=rows)).resources.items()}
    yaml = """
metadata: {requestor: ann@example.com, project_name: Orders, business_line: Sales}
recipient: [{name: partner, type: D2O, email: data@partner.example}]
share:
  - {name: unmanaged}
  - {name: cleared, comment: "", recipients: [], data_objects: []}
  - {name: taken-over, comment: "  quoted, with blanks ", recipients: [partner], data_objects: [a.b.c], adopt: true}
  - {name: worded, adopt: true}
"""
    expected = {str(key): declared for key, declared in the_pack(yaml.encode(), "a.yaml").resources.items()}
    assert {key: (each.resource, each.adopt) for key, each in found.items()} == {
        key: (each.resource, each.adopt) for key, each in expected.items()
    }


@pytest.mark.parametrize(
    "cell", ["a.b.c,a.b.d", "a.b.c; a.b.d", " a.b.c\na.b.d\n", 'a.b.c, "a.b.d",', "a.b.c\r\na.b.d"]
)
def test_lists_are_separated_by_commas_semicolons_or_line_breaks(cell: str) -> None:
    pack = the_pack(workbook(Shares=[SHARES[0], ["orders", None, "partner", cell]]))
    assert shared(pack) == ["a.b.c", "a.b.d"]


def test_a_row_named_plus_adds_to_the_lists_of_the_row_above() -> None:
    rows = [*SHARES, ["+", None, None, "prod.sales.refunds"], ["+", None, "PARTNER", "orders"]]
    assert problems(workbook(Shares=rows)) == [
        (":Shares!C4", "list-duplicate"),
        (":Shares!D4", "data-object-invalid"),
    ]
    pack = the_pack(workbook(Shares=rows[:3]))
    assert shared(pack) == ["prod.sales.orders", "prod.sales.refunds"]


def cells(*values: Any) -> Sequence[Sequence[Any]]:
    return [RECIPIENTS[0], ["partner", *values]]


WRONG_CELLS: list[tuple[str, Callable[[], bytes], list[tuple[str, str]]]] = [
    (
        "a number",
        lambda: workbook(Metadata=[*METADATA[:2], ["project_name", 2024], METADATA[3]]),
        [(":Metadata!B3", "workbook-number")],
    ),
    (
        "a date",
        lambda: workbook(Recipients=cells("D2O", "a@b.example", None, None, dt.date(2024, 1, 30))),
        [(":Recipients!F2", "workbook-number")],
    ),
    (
        "a truth value",
        lambda: workbook(Recipients=cells("D2O", "a@b.example", None, None, True)),
        [(":Recipients!F2", "workbook-number")],
    ),
    (
        "no truth value",
        lambda: workbook(Shares=[[*SHARES[0], "adopt"], [*SHARES[1], "maybe"]]),
        [(":Shares!E2", "boolean-expected")],
    ),
    ("a missing value", lambda: workbook(Recipients=cells(None, "a@b.example")), [(":Recipients!B2", "key-missing")]),
    ("a missing name", lambda: workbook(Shares=[SHARES[0], [None, *SHARES[1][1:]]]), [(":Shares!A2", "key-missing")]),
    ("a missing email", lambda: workbook(Recipients=cells("D2O")), [(":Recipients!C2", "recipient-email-missing")]),
    ("a missing field", lambda: workbook(Metadata=METADATA[:3]), [(":Metadata!A1", "key-missing")]),
    (
        "a field twice",
        lambda: workbook(Metadata=[*METADATA, ["Project Name", "Other"]]),
        [(":Metadata!A5", "key-duplicate")],
    ),
    ("an unknown field", lambda: workbook(Metadata=[*METADATA, ["regions", "AM"]]), [(":Metadata!A5", "key-unknown")]),
    (
        "an unknown column",
        lambda: workbook(Shares=[[*SHARES[0], "Remarks"], [*SHARES[1], "x"]]),
        [(":Shares!E1", "key-unknown")],
    ),
    (
        "a column twice",
        lambda: workbook(Shares=[[*SHARES[0], "Name"], [*SHARES[1], "x"]]),
        [(":Shares!E1", "workbook-header")],
    ),
    (
        "a column without name",
        lambda: workbook(Shares=[SHARES[0], [*SHARES[1], "x"]]),
        [(":Shares!E2", "workbook-value-without-header")],
    ),
    (
        "no header",
        lambda: workbook(Shares=SHARES[1:]),
        [(f":Shares!{c}1", "key-unknown") for c in "ACD"] + [(":Shares!A1", "workbook-header")],
    ),
    ("no metadata header", lambda: workbook(Metadata=METADATA[1:]), [(":Metadata!A1", "workbook-header")]),
    (
        "an orphaned continuation",
        lambda: workbook(Shares=[SHARES[0], ["+", None, "partner", "a.b.c"]]),
        [(":Shares!A2", "workbook-continuation")],
    ),
    (
        "a continuation with a comment",
        lambda: workbook(Shares=[*SHARES, ["+", "more", None, "a.b.c"]]),
        [(":Shares!B3", "workbook-continuation")],
    ),
    (
        "a wrong list entry",
        lambda: workbook(Recipients=cells("D2O", "a@b.example", None, "10.0.0.1, 10.0.0.300")),
        [(":Recipients!E2", "allowed-ip-invalid")],
    ),
    (
        "a pipeline",
        lambda: workbook(Pipelines=[["name", "type"], ["nightly", "DLT"]]),
        [(":Pipelines!A2", "pipelines-not-supported")],
    ),
    (
        "an object of an unknown share",
        lambda: workbook(DataObjects=[["share", "name"], ["Oders", "prod.sales.refunds"]]),
        [(":DataObjects!A2", "workbook-row-unplaced")],
    ),
    (
        "a property without a value",
        lambda: workbook(Recipients=[[*RECIPIENTS[0], "properties"], [*RECIPIENTS[1], "country"]]),
        [(":Recipients!G2", "workbook-pairs")],
    ),
    (
        "a sheet missing",
        lambda: written({"Metadata": METADATA, "Recipients": RECIPIENTS}),
        [("", "workbook-sheet-missing")],
    ),
    ("a sheet nearly right", lambda: workbook(Pipeline=[["name"]]), [(":Pipeline", "workbook-sheet-unknown")]),
    (
        "a sheet twice",
        lambda: written({"Metadata": METADATA, "Recipients": RECIPIENTS, "Shares": SHARES, "SHARES ": SHARES}),
        [(":SHARES ", "workbook-sheet-duplicate")],
    ),
    (
        "too many rows",
        lambda: workbook(Shares=[*SHARES, *[[]] * 20_000, ["late"]]),
        [(":Shares!A20001", "workbook-too-many-rows")],
    ),
]


@pytest.mark.parametrize(
    ("data", "expected"), [case[1:] for case in WRONG_CELLS], ids=[case[0] for case in WRONG_CELLS]
)
def test_what_is_wrong_in_a_cell_is_told_at_the_cell(
    data: Callable[[], bytes], expected: list[tuple[str, str]]
) -> None:
    assert sorted(problems(data())) == sorted(expected)


def test_a_sheet_of_ones_own_is_passed_over() -> None:
    assert problems(workbook(Notes=[["ask Ann"]])) == []


def merged(book: Workbook) -> None:
    book["Shares"].merge_cells("C2:D2")


def hidden_sheet(book: Workbook) -> None:
    book["Recipients"].sheet_state = "hidden"


def hidden_row(book: Workbook) -> None:
    book["Shares"].row_dimensions[2].hidden = True


def hidden_column(book: Workbook) -> None:
    book["Shares"].column_dimensions["C"].hidden = True


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (merged, [(":Shares!C2", "workbook-merged-cells")]),
        (hidden_sheet, [(":Recipients", "workbook-hidden")]),
        (hidden_row, [(":Shares!A2", "workbook-hidden")]),
        (hidden_column, [(":Shares", "workbook-hidden")]),
    ],
)
def test_what_a_reader_would_not_see_is_refused(
    change: Callable[[Workbook], None], expected: list[tuple[str, str]]
) -> None:
    assert problems(workbook(change)) == expected


SHARES_PART = "xl/worksheets/sheet3.xml"


def with_a_formula() -> bytes:
    return workbook(Shares=[SHARES[0], ["orders", '="Q" & 1', "partner", "a.b.c"]])


def test_a_formula_without_a_stored_result_is_refused_where_it_stands() -> None:
    assert problems(with_a_formula()) == [(":Shares!B2", "workbook-formula")]


def test_a_formula_with_a_stored_result_is_taken_with_a_warning() -> None:
    data = edited(with_a_formula(), SHARES_PART, b"<v />", b"<v>Q1</v>")
    data = edited(data, SHARES_PART, b'r="B2"', b'r="B2" t="str"')
    desired = read({"a.xlsx": data})
    assert [(problem.rule, problem.severity) for problem in desired.problems] == [
        ("workbook-formula-result", Severity.WARNING)
    ]
    (share,) = [each.resource for key, each in the_pack(data).resources.items() if key.kind == "share"]
    assert share.comment == "Q1"
    assert desired.unreadable_lines == frozenset()


def test_an_error_in_a_cell_is_refused() -> None:
    data = workbook(Shares=[SHARES[0], ["orders", "#REF!", "partner", "a.b.c"]])
    assert problems(data) == [(":Shares!B2", "workbook-error-cell")]


OLE = bytes.fromhex("d0cf11e0a1b11ae1")
XML = b'<?xml version="1.0" encoding="UTF-16"?><a/>'
REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("a workbook of before 2007", lambda: OLE + b"rest", "workbook-format"),
    ("an encrypted workbook", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "workbook-format"),
    ("nothing", lambda: b"", "file-empty"),
    ("rubbish", lambda: bytes(range(256)), "workbook-unreadable"),
    ("half a workbook", lambda: workbook()[:2000], "workbook-unreadable"),
    ("another zip", lambda: with_part(workbook(), "[Content_Types].xml", b"")[:-1], "workbook-unreadable"),
    ("a part of rubbish", lambda: with_part(workbook(), "xl/workbook.xml", b"<workbook"), "workbook-unreadable"),
    (
        "a missing part",
        lambda: with_part(workbook(), "xl/_rels/workbook.xml.rels", b"<Relationships/>"),
        "workbook-unreadable",
    ),
    ("another encoding", lambda: with_part(workbook(), "xl/styles.xml", XML), "workbook-unreadable"),
    (
        "entities",
        lambda: with_part(workbook(), "xl/styles.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'),
        "workbook-unreadable",
    ),
    ("another packing", lambda: packed_otherwise(workbook()), "workbook-unreadable"),
    ("macros", lambda: with_part(workbook(), "xl/vbaProject.bin", b"Sub"), "workbook-macros"),
    ("old macros", lambda: with_part(workbook(), "xl/macrosheets/sheet1.xml", b"<a/>"), "workbook-macros"),
    ("links", lambda: with_part(workbook(), "xl/externalLinks/externalLink1.xml", b"<a/>"), "workbook-external-link"),
    ("data connections", lambda: with_part(workbook(), "xl/connections.xml", b"<a/>"), "workbook-external-link"),
    ("far columns", lambda: edited(workbook(), SHARES_PART, b'r="D2"', b'r="XFD2"'), "workbook-too-many-rows"),
]


@pytest.mark.parametrize(("data", "rule"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_must_not_be_opened_is_refused_for_the_whole_file(data: Callable[[], bytes], rule: str) -> None:
    desired = read({"a.xlsx": data()})
    assert [(str(problem.where), problem.rule) for problem in desired.problems] == [("a.xlsx", rule)]
    assert desired.unreadable_lines == {""}


def test_the_business_line_of_a_workbook_with_problems_is_known() -> None:
    desired = read({"a.xlsx": workbook(Recipients=cells("D2O"))})
    assert desired.unreadable_lines == {"sales"}
    assert [str(pack) for pack in desired.broken] == ["Sales / Orders"]


def test_a_sheet_is_read_by_its_name_not_by_its_place() -> None:
    sheets = {"Shares": SHARES, "Recipients": RECIPIENTS, "Metadata": METADATA}
    assert without_places(the_pack(written(sheets))) == without_places(the_pack(workbook()))
