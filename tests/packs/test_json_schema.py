"""The JSON Schema accepts what validation accepts, and is what is committed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from reconciler.packs.document import PackDocument
from reconciler.packs.json_schema import pack_schema
from reconciler.packs.writing import as_mapping
from tests.packs.documents import THOROUGH, documents
from tests.packs.examples import EXAMPLES, INVALID

SCHEMA: dict[str, Any] = json.loads(pack_schema())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def test_it_is_a_schema_of_draft_7() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_committed_schema_is_what_the_model_says() -> None:
    committed = Path(__file__).parent.parent.parent / "schema" / "sharepack.schema.json"
    assert committed.read_text(encoding="utf-8") == pack_schema()


@THOROUGH
@given(documents())
def test_it_is_never_stricter_than_validation(document: PackDocument) -> None:
    VALIDATOR.validate(json.loads(json.dumps(as_mapping(document))))


@pytest.mark.parametrize("name", ["guide-finance", "guide-sales", "three-states"])
def test_it_accepts_the_valid_examples(name: str) -> None:
    # BaseLoader: every scalar is text, but `adopt` is not.
    text = (EXAMPLES / "valid" / f"{name}.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=yaml.BaseLoader)
    for entry in data["recipient"] + data["share"]:
        if "adopt" in entry:
            entry["adopt"] = entry["adopt"] == "true"
    VALIDATOR.validate(data)


@pytest.mark.parametrize(
    "name",
    [
        "key-unknown",
        "key-missing",
        "null-value",
        "text-expected",
        "list-expected",
        "name-invalid",
        "email-invalid",
        "recipient-type-unknown",
        "recipient-metastore-invalid",
        "allowed-ips-too-many",
        "pipelines-not-supported",
    ],
)
def test_it_sees_what_an_editor_can_see(name: str) -> None:
    data = yaml.safe_load((INVALID / f"{name}.yaml").read_text(encoding="utf-8"))
    assert not VALIDATOR.is_valid(data)


def test_every_key_is_described_for_the_editor() -> None:
    for definition in SCHEMA["definitions"].values():
        for key, field in definition["properties"].items():
            assert field.get("description"), key
