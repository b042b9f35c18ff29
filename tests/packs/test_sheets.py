"""The sheets and columns beyond the guide's four: what they say, where their problems are, what they refuse."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from reconciler.packs.cells import fits_cell, read_pairs, write_pairs
from reconciler.packs.document import DataObjectEntry, Metadata, PackDocument
from reconciler.packs.parsing import parse_file
from reconciler.packs.sheets import METADATA_FIELDS, TABLES, Form
from reconciler.packs.workbook import read_workbook
from reconciler.packs.workbook_writing import DoesNotFitError, to_workbook
from tests.packs.test_workbook import problems
from tests.packs.workbooks import SHARES, workbook, written

Rows = Sequence[Sequence[Any]]

OIDC: Rows = [["name", "type", "federation_policies"], ["partner", "OIDC", None]]
POLICIES: Rows = [
    ["recipient", "name", "issuer", "subject_claim", "subject"],
    ["partner", "nightly-job", "https://login.example.com/v2.0", "oid", "8a6b2f0e"],
]
OBJECTS: Rows = [["share", "name", "comment"], ["orders", "prod.sales.refunds", "Refunds"]]
ALLOW: Rows = [["action", "until", "reason"], ["delete:share/gone", "2027-01-31", "Replaced"]]
RELEASE: Rows = [["resource"], ["share/left"]]
NEW_SHEETS: Mapping[str, Rows] = {
    "DataObjects": OBJECTS,
    "FederationPolicies": POLICIES,
    "Allow": ALLOW,
    "Release": RELEASE,
}


def document_of(data: bytes, name: str = "a.xlsx") -> PackDocument:
    parsed = parse_file(name, data)
    assert [problem for problem in parsed.problems if problem.is_error] == []
    assert parsed.document is not None
    return parsed.document


def recipients(*columns: tuple[str, Any], kind: str = "D2O") -> bytes:
    """A workbook whose one recipient has these more columns."""
    mail = "a@b.example" if kind == "D2O" else None
    header = ["name", "type", "email", *(name for name, _ in columns)]
    return workbook(Recipients=[header, ["partner", kind, mail, *(value for _, value in columns)]])


def objects(*columns: tuple[str, Any], share: Sequence[Any] = SHARES[1]) -> bytes:
    """A workbook with one row of DataObjects that has these more columns."""
    header = ["share", "name", *(name for name, _ in columns)]
    row = ["ORDERS ", "prod.sales.refunds", *(value for _, value in columns)]
    return workbook(Shares=[SHARES[0], share], DataObjects=[header, row])


YAML = """
metadata: {requestor: ann@example.com, project_name: Orders, business_line: Sales, drift: report}
recipient:
  - name: partner
    type: D2O
    email: data@partner.example
    owner: admins
    properties: {country: DE, note: "a=b, c", path: " x ", "": ""}
    rotate_every: 90d
    rotation_overlap: 7d
    protect: true
    renamed_from: old-partner
  - {name: signed-in, type: OIDC, federation_policies: [
      {name: nightly, issuer: "https://i.example/v2.0", subject_claim: oid, subject: x, audiences: ["a,b", c]}]}
share:
  - name: orders
    owner: admins
    storage_root: s3://bucket/path
    protect: true
    recipients: [partner, signed-in]
    data_objects:
      - prod.sales.orders
      - {name: prod.sales.refunds, type: TABLE, shared_as: s.refunds, comment: "", history: false, start_version: 12,
         partitions: ["region = 'a,b;c'", "year = '2026'"]}
      - {name: Guide, type: NOTEBOOK_FILE, content: notebooks/guide.ipynb}
allow: [{action: "delete:share/gone", until: "2027-01-31", reason: Replaced}]
release: [share/left, recipient/left]
"""
EXCEL: Mapping[str, Rows] = {
    "Metadata": [
        ["Field", "Value"],
        ["requestor", "ann@example.com"],
        ["project_name", "Orders"],
        ["business_line", "Sales"],
        ["drift", "report"],
    ],
    "Recipients": [
        ["name", "type", "email", "owner", "properties", "rotate_every", "rotation_overlap", "protect", "renamed from"],
        [
            "partner",
            "D2O",
            "data@partner.example",
            "admins",
            'country = DE\nnote=a=b, c\n\npath=" x "\n""=',
            "90d",
            "7d",
            True,
            "old-partner",
        ],
        ["signed-in", "OIDC"],
    ],
    "Federation Policies": [
        ["Recipient", "Name", "Issuer", "Subject claim", "Subject", "Audiences"],
        ["Signed-In", "nightly", "https://i.example/v2.0", "oid", "x", '"a,b",c'],
    ],
    "Shares": [
        ["name", "owner", "storage_root", "protect", "recipients", "data_objects"],
        ["orders", "admins", "s3://bucket/path", "yes", "partner; signed-in", "prod.sales.orders"],
    ],
    "data_objects": [
        ["share", "name", "type", "shared as", "comment", "partitions", "history", "start_version", "content"],
        ["orders", "prod.sales.refunds", "TABLE", "s.refunds", '""', "region = 'a,b;c'\nyear = '2026'", "No", "12"],
        ["orders", "Guide", "NOTEBOOK_FILE", None, None, None, None, None, "notebooks/guide.ipynb"],
    ],
    "Allow": [["action", "until", "reason"], ["delete:share/gone", "2027-01-31", "Replaced"]],
    "Release": [["resource"], ["share/left"], [], ["recipient/left"]],
}


def fields_of(data: bytes, name: str = "a.xlsx") -> PackDocument:
    parsed = parse_file(name, data)
    assert parsed.document is not None
    return parsed.document


def test_a_workbook_of_all_sheets_says_what_the_yaml_says() -> None:
    assert fields_of(written(EXCEL)) == fields_of(YAML.encode(), "a.yaml")


def test_two_quotes_clear_and_an_empty_cell_leaves_alone_in_the_new_columns_too() -> None:
    header = ["name", "type", "email", "owner", "properties", "allowed_ips", "federation_policies"]
    rows: Rows = [header, ["a", "OIDC", None, None, None, None, None], ["b", "OIDC", None, None, '""', '""', '""']]
    left, cleared = document_of(workbook(Recipients=rows, Shares=SHARES[:1])).recipient
    assert (left.properties, left.allowed_ips, left.federation_policies) == (None, None, None)
    assert (cleared.properties, cleared.allowed_ips, cleared.federation_policies) == ({}, (), ())
    (share,) = document_of(objects(("partitions", '""'), ("comment", '""'), ("history", None))).share
    assert share.data_objects is not None
    assert share.data_objects[1] == DataObjectEntry(name="prod.sales.refunds", partitions=(), comment="")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (dt.date(2027, 6, 30), "2027-06-30"),
        (dt.datetime(2027, 6, 30), "2027-06-30"),  # noqa: DTZ001 - Excel knows no time zones
        (dt.datetime(2027, 6, 30, 18, 5, 9), "2027-06-30T18:05:09Z"),  # noqa: DTZ001
        ("2027-06-30T18:00:00Z", "2027-06-30T18:00:00Z"),
    ],
)
def test_days_may_be_dates_of_excel(cell: object, expected: str) -> None:
    (recipient,) = document_of(recipients(("expires_at", cell))).recipient
    assert recipient.expires_at == expected
    day = dt.date(2027, 1, 31)
    (allowance,) = document_of(workbook(Allow=[ALLOW[0], ["delete:share/gone", day, "Replaced"]])).allow
    assert allowance.until == "2027-01-31"


@pytest.mark.parametrize(
    ("cell", "expected"), [(True, True), ("TRUE", True), ("yes", True), (False, False), ("no", False), (None, None)]
)
def test_truth_values_may_be_cells_of_excel_or_text(cell: object, expected: bool | None) -> None:
    (share,) = document_of(objects(("history", cell))).share
    assert share.data_objects is not None
    assert share.data_objects[1] == DataObjectEntry(name="prod.sales.refunds", history=expected)


@pytest.mark.parametrize("cell", [12, 12.0, "12", " 12 "])
def test_a_start_version_may_be_a_number_of_excel_or_text(cell: object) -> None:
    (share,) = document_of(objects(("start_version", cell))).share
    assert share.data_objects is not None
    assert share.data_objects[1] == DataObjectEntry(name="prod.sales.refunds", start_version=12)


def test_a_plus_among_the_names_is_the_place_of_the_next_row() -> None:
    data = objects(share=["orders", None, "partner", "+,prod.sales.orders"])
    (share,) = document_of(data).share
    assert share.data_objects == (DataObjectEntry(name="prod.sales.refunds"), "prod.sales.orders")
    assert problems(workbook(Shares=[SHARES[0], ["orders", None, None, "+"]])) == [
        (":Shares!D2", "data-object-invalid")
    ]


def test_properties_and_partitions_go_on_in_a_row_named_plus() -> None:
    rows: Rows = [
        ["name", "type", "email", "properties"],
        ["partner", "D2O", "a@b.example", "a=1"],
        ["+", None, None, "b=2"],
    ]
    table: Rows = [["share", "name", "partitions"], ["orders", "prod.sales.x", "a = '1'"], [None, "+", "a = '2'"]]
    document = document_of(workbook(Recipients=rows, DataObjects=table))
    assert document.recipient[0].properties == {"a": "1", "b": "2"}
    assert document.share[0].data_objects is not None
    assert document.share[0].data_objects[1] == DataObjectEntry(name="prod.sales.x", partitions=("a = '1'", "a = '2'"))


WRONG: list[tuple[str, Callable[[], bytes], list[tuple[str, str]]]] = [
    ("no share", lambda: workbook(DataObjects=[OBJECTS[0], [None, "a.b.c"]]), [(":DataObjects!A2", "key-missing")]),
    ("no object", lambda: workbook(DataObjects=[OBJECTS[0], ["orders"]]), [(":DataObjects!B2", "key-missing")]),
    (
        "a wrong object",
        lambda: workbook(DataObjects=[OBJECTS[0], ["orders", "a"]]),
        [(":DataObjects!B2", "data-object-invalid")],
    ),
    (
        "an object twice",
        lambda: workbook(DataObjects=[OBJECTS[0], ["orders", "prod.sales.orders"]]),
        [(":DataObjects!B2", "list-duplicate")],
    ),
    ("no column share", lambda: workbook(DataObjects=[["name"], ["a.b.c"]]), [(":DataObjects!A1", "workbook-header")]),
    ("a version in words", lambda: objects(("start_version", "first")), [(":DataObjects!C2", "integer-expected")]),
    ("half a version", lambda: objects(("start_version", 1.5)), [(":DataObjects!C2", "integer-expected")]),
    (
        "a date as a version",
        lambda: objects(("start_version", dt.date(2024, 1, 1))),
        [(":DataObjects!C2", "workbook-number")],
    ),
    ("no truth value", lambda: objects(("cdf", "perhaps")), [(":DataObjects!C2", "boolean-expected")]),
    ("a wrong partition", lambda: objects(("partitions", "a = '1'\nb")), [(":DataObjects!C2", "partition-invalid")]),
    ("a number as a date", lambda: recipients(("expires_at", 46203)), [(":Recipients!D2", "workbook-number")]),
    ("a time as a date", lambda: recipients(("expires_at", dt.time(9, 30))), [(":Recipients!D2", "workbook-number")]),
    (
        "a date as a span",
        lambda: recipients(("rotate_every", dt.date(2027, 1, 1))),
        [(":Recipients!D2", "workbook-number")],
    ),
    ("a property twice", lambda: recipients(("properties", "a=1\na=2")), [(":Recipients!D2", "key-duplicate")]),
    (
        "policies in a cell",
        lambda: workbook(Recipients=[OIDC[0], ["partner", "OIDC", "nightly"]]),
        [(":Recipients!C2", "list-expected")],
    ),
    (
        "a policy of nobody",
        lambda: workbook(FederationPolicies=[POLICIES[0], ["partne", *POLICIES[1][1:]]]),
        [(":FederationPolicies!A2", "workbook-row-unplaced")],
    ),
    (
        "a wrong policy",
        lambda: workbook(Recipients=OIDC, FederationPolicies=[POLICIES[0], [*POLICIES[1][:2], "http://i", "oid", "x"]]),
        [(":FederationPolicies!C2", "policy-issuer-invalid")],
    ),
    (
        "a wrong exception",
        lambda: workbook(Allow=[ALLOW[0], ["delete", *ALLOW[1][1:]]]),
        [(":Allow!A2", "allow-action-invalid")],
    ),
    ("half an exception", lambda: workbook(Allow=[ALLOW[0], ALLOW[1][:2]]), [(":Allow!C2", "key-missing")]),
    ("a wrong release", lambda: workbook(Release=[*RELEASE, ["left"]]), [(":Release!A3", "release-invalid")]),
    ("a number released", lambda: workbook(Release=[RELEASE[0], [7]]), [(":Release!A2", "workbook-number")]),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_told_at_its_cell(data: Callable[[], bytes], expected: list[tuple[str, str]]) -> None:
    assert problems(data()) == expected


def test_rows_of_many_unknown_shares_are_told_without_searching_for_each() -> None:
    names = [[f"share_{number}", f"a.b.t{number}"] for number in range(5_000)]
    found = parse_file("a.xlsx", workbook(DataObjects=[["share", "name"], *names])).problems
    assert len(found) == 1_001
    assert {problem.rule for problem in found} == {"workbook-row-unplaced", "file-too-many-problems"}


def test_every_column_is_read_as_its_field_is_typed() -> None:
    forms = {Form.YES_NO: bool, Form.NUMBER: int, Form.PAIRS: dict, Form.LIST: tuple, Form.LINES: tuple}
    models: list[tuple[type[BaseModel], Mapping[str, Form]]] = [(Metadata, METADATA_FIELDS)]
    models += [(sheet.model, sheet.columns) for sheet in TABLES if sheet.model is not None]
    for model, columns in models:
        assert set(model.model_fields) <= set(columns)
        for name, field in model.model_fields.items():
            form, typed = columns[name], str(field.annotation)
            expected = next((each for each in (tuple, dict, bool, int) if each.__name__ in typed), str)
            assert forms.get(form, tuple if form is Form.ROWS else str) is expected, name


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a=1\nb = two words ", [("a", "1"), ("b", "two words")]),
        ('"a=b"="c\\nd"', [("a=b", "c\nd")]),
        ('"a" b=1', [('"a" b', "1")]),
        ("a=1=2", [("a", "1=2")]),
        ("a=", [("a", "")]),
        ("a", [("a", None)]),
        ("\n\na=1\n", [("a", "1")]),
        ('""', []),
        ('""=""', [("", "")]),
    ],
)
def test_properties_in_cells(cell: str, expected: list[tuple[str, str | None]]) -> None:
    assert read_pairs(cell) == expected
    assert read_pairs("\n".join(write_pairs({name: value for name, value in expected if value is not None}))) == [
        pair for pair in expected if pair[1] is not None
    ]


def test_the_longest_text_fits_a_cell_however_it_is_written() -> None:
    metadata = {"requestor": "a@b.example", "project_name": "p", "business_line": "l"}
    for letter in '"\\\n\U0001f680ä':
        described = {**metadata, "description": f'"{letter * 9_998}'}
        document = PackDocument.model_validate({"metadata": described})
        assert PackDocument.model_validate(read_workbook(to_workbook(document, explained=False)).data) == document


def test_a_text_that_no_cell_holds_is_refused_and_not_cut() -> None:
    assert not fits_cell("\U0001f680" * 16_384)
    metadata = {"requestor": "a@b.example", "project_name": "x" * 32_768, "business_line": "l"}
    with pytest.raises(DoesNotFitError, match=r"^Metadata!B3: a text of 32,768 characters"):
        to_workbook(PackDocument.model_validate({"metadata": metadata}))


def test_more_rows_than_are_read_are_not_written() -> None:
    metadata = {"requestor": "a@b.example", "project_name": "p", "business_line": "l"}
    released = {"metadata": metadata, "release": [f"share/s{number}" for number in range(20_000)]}
    with pytest.raises(DoesNotFitError, match=r"^Release: 20,000 rows and their header are more than 20,000$"):
        to_workbook(PackDocument.model_validate(released))
