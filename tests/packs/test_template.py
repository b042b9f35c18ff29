"""The templates: a workbook that explains itself and is a valid pack once filled in, and a YAML file that is one."""

import io
from collections.abc import Mapping

import pytest
from openpyxl import Workbook, load_workbook

from reconciler.packs.cells import column_letters
from reconciler.packs.document import OBJECT_TYPES, PackDocument
from reconciler.packs.parsing import parse_file
from reconciler.packs.sheet_words import column_words
from reconciler.packs.sheets import METADATA, TABLES, TITLES
from reconciler.packs.workbook_look import COLUMNS_SHEET
from reconciler.packs.workbook_version import VERSION_FIELD
from reconciler.packs.workbook_writing import to_workbook
from reconciler.packs.yaml_template import yaml_template

WORDS = tuple(column_words())
#: What each type of recipient does not have.
NOT_FOR = {
    "D2O": {"metastore_id", "federation_policies", "expires_at"},
    "OIDC": {"email", "metastore_id", "expires_at", "token_lifetime", "rotate_every", "rotation_overlap"},
    "D2D": {"allowed_ips", "expires_at", "token_lifetime", "rotate_every", "rotation_overlap", "federation_policies"},
}


@pytest.fixture
def book() -> Workbook:
    return load_workbook(io.BytesIO(to_workbook(None)))


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def fill(book: Workbook, title: str, values: Mapping[str, str]) -> None:
    """One more row, under the heads of the columns as a person would find them."""
    sheet = book[title]
    number = sheet.max_row + 1
    for column, cell in enumerate(sheet[1], start=1):
        if cell.value in values:
            sheet.cell(number, column, values[str(cell.value)])


def examples(title: str, *without: str) -> dict[str, str]:
    return {each.column: each.example for each in WORDS if each.sheet == title and each.column not in without}


def filled(book: Workbook, kind: str) -> bytes:
    """With the examples of the sheet Columns, as far as they go together for this type of recipient."""
    given = examples(METADATA)
    for field, value in book[METADATA].iter_rows(min_row=2):
        if field.value != VERSION_FIELD:
            value.value = given[str(field.value)]
    fill(book, "Recipients", {**examples("Recipients", *NOT_FOR[kind]), "type": kind})
    fill(book, "Shares", {**examples("Shares", "data_objects"), "data_objects": "prod_catalog.sales.customers"})
    fill(book, "DataObjects", examples("DataObjects", "cdf", "content"))
    if kind == "OIDC":
        fill(book, "FederationPolicies", examples("FederationPolicies"))
    fill(book, "Allow", {**examples("Allow"), "action": "delete:share/sales_q0_share"})
    fill(book, "Release", {"resource": "share/elsewhere"})
    return saved(book)


@pytest.mark.parametrize("kind", NOT_FOR)
def test_filled_in_with_its_own_examples_it_is_a_valid_pack(book: Workbook, kind: str) -> None:
    parsed = parse_file("a.xlsx", filled(book, kind))
    assert parsed.problems == ()
    assert parsed.document is not None
    (recipient,), (share,) = parsed.document.recipient, parsed.document.share
    assert recipient.type == kind
    assert recipient.properties == {"country": "DE"}
    assert recipient.protect
    assert len(recipient.federation_policies or ()) == (kind == "OIDC")
    assert share.data_objects is not None
    assert [type(each) is str for each in share.data_objects] == [True, False]
    assert (len(parsed.document.allow), parsed.document.release) == (1, ("share/elsewhere",))


def test_every_column_of_the_sheet_columns_has_an_example_that_was_used(book: Workbook) -> None:
    assert {each.column for each in WORDS if not each.example} == {"federation_policies"}


def test_an_empty_one_asks_for_what_is_required_where_it_belongs() -> None:
    found = parse_file("a.xlsx", to_workbook(None)).problems
    assert [str(problem.where) for problem in found] == [
        "a.xlsx:Metadata!B2",
        "a.xlsx:Metadata!B3",
        "a.xlsx:Metadata!B4",
    ]


def test_it_has_every_sheet_and_column_each_with_what_it_is_for(book: Workbook) -> None:
    assert book.sheetnames == [*TITLES, COLUMNS_SHEET]
    listed = [row[:3] for row in book[COLUMNS_SHEET].iter_rows(min_row=2, values_only=True)]
    assert listed == [(each.sheet, each.column, "yes" if each.is_required else None) for each in WORDS]
    for table in TABLES:
        heads = {str(cell.value): cell.comment for cell in book[table.title][1]}
        assert list(heads) == list(table.columns)
        notes = {each.column: each.note for each in WORDS if each.sheet == table.title}
        assert {name: comment and comment.text for name, comment in heads.items()} == notes
    for (field,) in book[METADATA].iter_rows(min_row=2, max_col=1):
        assert field.comment is not None


def test_what_is_typed_into_it_stays_text_and_its_head_stays_in_view(book: Workbook) -> None:
    for table in TABLES:
        sheet = book[table.title]
        names = list(table.columns)
        assert sheet.freeze_panes == f"{column_letters(names.index(table.named_by) + 2)}2"
        for number, cell in enumerate(sheet[1], start=1):
            column = sheet.column_dimensions[column_letters(number)]
            assert (column.number_format, cell.font.b) == ("@", True)
            assert 15 <= column.width <= 60


def test_what_has_to_be_filled_in_is_seen_at_a_glance(book: Workbook) -> None:
    """A dark head for what is needed, a light one for the rest, and what is not used at all in grey."""
    for table in TABLES:
        needed = {each.column for each in WORDS if each.sheet == table.title and each.is_required}
        dark = {str(cell.value) for cell in book[table.title][1] if cell.fill.fgColor.rgb == "001F4E78"}
        assert dark == needed
    assert {cell.fill.fgColor.rgb for cell in book["Pipelines"][1]} == {"00EDEDED"}
    colours = {sheet.title: sheet.sheet_properties.tabColor for sheet in book.worksheets}
    tabs = {title: colour and colour.rgb for title, colour in colours.items()}
    assert [title for title, colour in tabs.items() if colour == "001F4E78"] == ["Metadata", "Recipients", "Shares"]
    longest = {sheet.title: max(len(str(cell.value)) for cell in sheet[1]) for sheet in book.worksheets}
    for title, length in longest.items():
        widths = [book[title].column_dimensions[column_letters(n + 1)].width for n in range(book[title].max_column)]
        assert min(widths) >= min(length, 10)


def test_columns_that_take_certain_words_offer_them(book: Workbook) -> None:
    offered = {
        (title, str(each.sqref)): each.formula1.strip('"').split(",")
        for title in book.sheetnames
        for each in book[title].data_validations.dataValidation
    }
    assert offered["Metadata", "B5"] == ["NEW", "UPDATE"]
    assert offered["Metadata", "B8"] == ["correct", "report"]
    assert offered["Recipients", "B2:B20000"] == ["D2O", "OIDC", "D2D"]
    assert offered["DataObjects", "C2:C20000"] == list(OBJECT_TYPES)
    assert [words for words in offered.values() if words == ["TRUE", "FALSE"]] == [["TRUE", "FALSE"]] * 6
    # Excel drops a list of more than 255 characters, and with it the whole workbook's lists.
    assert max(len(",".join(words)) for words in offered.values()) <= 255


def test_a_pack_may_be_written_with_the_same_explanations() -> None:
    document = parse_file("a.yaml", yaml_template().encode()).document
    assert parse_file("a.xlsx", to_workbook(document)).document == document


def test_the_yaml_template_is_valid_and_names_every_field() -> None:
    text = yaml_template("../schema/sharepack.schema.json")
    parsed = parse_file("a.yaml", text.encode())
    assert parsed.problems == ()
    assert isinstance(parsed.document, PackDocument)
    assert text.startswith("# yaml-language-server: $schema=../schema/sharepack.schema.json\n")
    for each in WORDS:
        if each.column not in {"share", "recipient", "resource"}:
            assert f" {each.column}:" in text
    assert max(map(len, text.splitlines())) <= 120
