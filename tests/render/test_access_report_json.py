import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import OtherSharing, Recipient
from reconciler.core.share import NotebookContent, ObjectType, SharedObject
from reconciler.render.access_report_json import access_document, access_report_json
from tests.render.access_scenes import BEGUN, NOW, known, reads, report
from tests.render.golden_files import the_text_is_as_committed

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "access.schema.json").read_text(encoding="utf-8"))
NOTEBOOK = SharedObject("tour.ipynb", ObjectType.NOTEBOOK_FILE, content=NotebookContent("ab" * 32, b"{}"))
BARE = SharedObject("c.s.t", UNMANAGED, cdf=True, start_version=3, comment="all", partitions=frozenset())


def valid(found: AccessReport) -> dict[str, object]:
    document: dict[str, object] = json.loads(access_report_json(found))
    jsonschema.validate(document, SCHEMA)
    return document


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_everything_now() -> None:
    valid(report())
    the_text_is_as_committed("access_now.json", access_report_json(report()))


def test_a_question_about_the_past_and_one_business_line() -> None:
    then = datetime(2026, 3, 31, 21, 59, 59, 999999, tzinfo=UTC)
    document = valid(report(AccessQuestion("acme", "c.s.t", then, "the end", frozenset({"b", "a"})), ()))
    assert document["asked"] == {
        "recipient": "acme",
        "object": "c.s.t",
        "as_of": "2026-03-31T21:59:59.999999+00:00",
        "business_lines": ["a", "b"],
    }
    assert document["at"] == "2026-03-31T21:59:59.999999+00:00"


def test_what_is_seldom_is_of_the_form_as_well() -> None:
    other = Recipient("odd", OtherSharing("SOMETHING_NEW"), allowed_ips=frozenset())
    lines = (reads("odd", NOTEBOOK, since=NOW), reads("odd", BARE))
    found = AccessReport(AccessQuestion(), NOW, lines, known(other), None)
    document = valid(found)
    assert document["record_since"] is None


def test_asking_about_the_very_moment_of_a_change_is_possible() -> None:
    (line, *_) = access_document(report(lines=(reads("sales-analyst"),)))["access"]
    assert datetime.fromisoformat(line["since"]) == BEGUN


def test_the_form_is_narrow() -> None:
    document = access_document(report())
    document["access"][0].pop("since")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
