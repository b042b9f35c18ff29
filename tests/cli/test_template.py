"""`sharepack template`, filled in as a person would in Excel, and then through the real commands."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook, load_workbook

from reconciler.cli import cli
from reconciler.cli.exits import Exit
from reconciler.packs.workbook_version import VERSION_FIELD

METADATA = {"requestor": "ann@example.com", "project_name": "Orders Q3", "business_line": "Sales", "strategy": "NEW"}
RECIPIENT = {
    "name": "partner-x",
    "type": "D2O",
    "email": "data@partner.example",
    "allowed_ips": "203.0.113.0/24, 198.51.100.7",
    "properties": "country=DE\ntier=gold",
    "expires_at": dt.datetime(2027, 6, 30),  # noqa: DTZ001 - Excel knows no time zones
    "protect": True,
}
SHARE = {"name": "orders_q3", "recipients": "partner-x", "data_objects": "prod.sales.orders; prod.sales.lines"}
OBJECT = {"share": "orders_q3", "name": "prod.sales.returns", "type": "table", "history": True, "start_version": 12}
AS_YAML = """\
metadata:
  requestor: ann@example.com
  project_name: Orders Q3
  business_line: Sales
  strategy: NEW

recipient:
  - name: partner-x
    type: D2O
    email: data@partner.example
    allowed_ips:
      - 203.0.113.0/24
      - 198.51.100.7
    properties:
      country: DE
      tier: gold
    expires_at: '2027-06-30'
    protect: true

share:
  - name: orders_q3
    recipients:
      - partner-x
    data_objects:
      - prod.sales.orders
      - prod.sales.lines
      - name: prod.sales.returns
        type: table
        history: true
        start_version: 12
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="sharepack", catch_exceptions=False)


@pytest.fixture
def pack(no_settings: Path) -> Path:
    """A filled template in the packs folder of the current folder."""
    path = no_settings / "sharepacks/orders q3.xlsx"
    path.parent.mkdir()
    written = run("template", "sharepacks/orders q3.xlsx")
    assert written.stdout.endswith("then run: sharepack validate 'sharepacks/orders q3.xlsx'\n")
    book = load_workbook(path)
    for field, value in book["Metadata"].iter_rows(min_row=2):
        value.value = METADATA.get(str(field.value), value.value)
    type_in(book, "Recipients", RECIPIENT)
    type_in(book, "Shares", SHARE)
    type_in(book, "DataObjects", OBJECT)
    book.save(path)
    return path


def type_in(book: Workbook, title: str, values: Mapping[str, Any]) -> None:
    """One row below the heads. What is typed keeps its kind, as cells take it from a keyboard."""
    sheet = book[title]
    places = {str(cell.value): number for number, cell in enumerate(sheet[1], start=1)}
    for name, value in values.items():
        sheet.cell(2, places[name], value)


def set_version(path: Path, version: str) -> None:
    book = load_workbook(path)
    for field, value in book["Metadata"].iter_rows(min_row=2):
        if field.value == VERSION_FIELD:
            value.value = version
    book.save(path)


def test_filled_in_it_is_valid_and_says_what_was_typed(pack: Path) -> None:
    checked = run("validate")
    assert (checked.exit_code, checked.stdout) == (Exit.DONE, "1 pack valid.\n")
    assert run("convert", str(pack), "as.yaml").exit_code == Exit.DONE
    assert Path("as.yaml").read_text(encoding="utf-8") == AS_YAML


def test_there_and_back_both_files_stay_the_same(pack: Path) -> None:
    assert run("convert", str(pack), "as.yaml").exit_code == Exit.DONE
    assert run("convert", "as.yaml", "again.xlsx").exit_code == Exit.DONE
    assert run("convert", "again.xlsx", "again.yaml").exit_code == Exit.DONE
    assert run("convert", "again.yaml", "third.xlsx").exit_code == Exit.DONE
    assert Path("again.yaml").read_bytes() == Path("as.yaml").read_bytes()
    assert Path("third.xlsx").read_bytes() == Path("again.xlsx").read_bytes()


def test_an_older_template_is_valid_with_a_word_about_it(pack: Path) -> None:
    set_version(pack, "1")
    result = run("validate")
    assert result.exit_code == Exit.DONE
    assert "Metadata!B9: warning: the template is version 1, and there is 2 with more columns" in result.stdout
    assert "1 pack valid, 1 warning." in result.stdout


def test_a_newer_template_says_to_update_and_nothing_else(pack: Path) -> None:
    set_version(pack, "7")
    result = run("validate")
    assert result.exit_code == Exit.INVALID
    assert "a newer sharepack made this workbook: its template is version 7, this one knows 2" in result.stdout
    assert "hint: update sharepack" in result.stdout
    assert "1 problem in 1 of 1 file." in result.stdout


def test_the_sheet_that_opens_is_the_one_to_begin_with_at_its_first_value(pack: Path) -> None:
    book = load_workbook(pack)
    assert book.active is not None
    assert book.active.title == "Metadata"
    assert {each.activeCell for each in book["Metadata"].sheet_view.selection} == {"B2"}
