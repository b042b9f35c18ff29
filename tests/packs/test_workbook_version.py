"""The version cell: read, compared, told kindly; missing is fine."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from reconciler.core.problem import Severity
from reconciler.packs.parsing import parse_file
from reconciler.packs.sheets import METADATA
from reconciler.packs.workbook_version import TEMPLATE_VERSION, VERSION_FIELD, version_flaw
from reconciler.packs.workbook_writing import to_workbook
from reconciler.packs.yaml_template import yaml_template

AT = ("Metadata", "B9")


def workbook(version: Any) -> bytes:
    book = load_workbook(io.BytesIO(to_workbook(parse_file("a.yaml", yaml_template().encode()).document)))
    (row,) = (row for row in book[METADATA].iter_rows() if row[0].value == VERSION_FIELD)
    assert row[1].value == str(TEMPLATE_VERSION)
    row[1].value = version
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("version", [None, TEMPLATE_VERSION, str(TEMPLATE_VERSION), float(TEMPLATE_VERSION), " 2 "])
def test_our_own_version_is_nothing_to_speak_of(version: object) -> None:
    parsed = parse_file("a.xlsx", workbook(version))
    assert parsed.problems == ()
    assert parsed.document == parse_file("a.yaml", yaml_template().encode()).document


def test_an_older_template_is_read_and_told_of() -> None:
    parsed = parse_file("a.xlsx", workbook("1"))
    (problem,) = parsed.problems
    assert not parsed.is_broken
    assert (problem.rule, str(problem.where), problem.severity) == (
        "workbook-version",
        "a.xlsx:Metadata!B9",
        Severity.WARNING,
    )
    assert "version 1" in problem.message
    assert "copy the values" in problem.hint


def test_a_newer_template_says_to_update() -> None:
    parsed = parse_file("a.xlsx", workbook("3"))
    (problem,) = parsed.problems
    assert parsed.is_broken
    assert problem.message == "a newer sharepack made this workbook: its template is version 3, this one knows 2"
    assert problem.hint.startswith("update sharepack")


@pytest.mark.parametrize("value", ["two", "0", "-1", "2.5", 2.5, True, "², ", "99999999"])
def test_what_is_no_version_says_so(value: object) -> None:
    flaw = version_flaw(value, AT)
    assert flaw is not None
    assert flaw.message.endswith("is not the version of a template")


def test_versions_are_compared_as_numbers() -> None:
    older, newer = version_flaw("9", AT, ours=10), version_flaw("10", AT, ours=9)
    assert (older and older.severity, newer and newer.severity) == (Severity.WARNING, Severity.ERROR)
