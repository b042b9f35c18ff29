"""The JSON Schema accepts what validation accepts, and is what is committed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from reconciler.packs.document import PackDocument
from reconciler.packs.json_schema import pack_schema
from reconciler.packs.tree import Number, Odd
from reconciler.packs.writing import as_mapping
from reconciler.packs.yaml_file import read_yaml
from tests.packs.documents import THOROUGH, documents
from tests.packs.examples import EXAMPLES, INVALID
from tests.packs.full_documents import full_documents

SCHEMA: dict[str, Any] = json.loads(pack_schema())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def test_it_is_a_schema_of_draft_7() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_committed_schema_is_what_the_model_says() -> None:
    committed = Path(__file__).parent.parent.parent / "schema" / "sharepack.schema.json"
    assert committed.read_text(encoding="utf-8") == pack_schema()


@THOROUGH
@given(documents() | full_documents())
def test_it_is_never_stricter_than_validation(document: PackDocument) -> None:
    VALIDATOR.validate(json.loads(json.dumps(as_mapping(document))))


@pytest.mark.parametrize("name", ["guide-finance", "guide-sales", "three-states", "everything/sales/pack"])
def test_it_accepts_the_valid_examples(name: str) -> None:
    text = (EXAMPLES / "valid" / f"{name}.yaml").read_text(encoding="utf-8")
    VALIDATOR.validate(as_json(read_yaml(text).data))


def as_json(data: object) -> object:
    """What an editor makes of a file: texts, truth values, numbers and null."""
    if isinstance(data, dict):
        return {key: as_json(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_json(value) for value in data]
    if isinstance(data, Number):
        return int(data.text) if data.text.lstrip("-").isdigit() else 0.5
    return None if isinstance(data, Odd) else data


def test_an_object_is_a_name_or_keys_with_values() -> None:
    either = SCHEMA["definitions"]["ShareEntry"]["properties"]["data_objects"]["items"]["anyOf"]
    assert either == [{"type": "string"}, {"$ref": "#/definitions/DataObjectEntry"}]


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
        "data-object-types",
        "federation-policies",
        "recipient-durations",
        "allow",
        "recipient-properties",
        "share-fields",
    ],
)
def test_it_sees_what_an_editor_can_see(name: str) -> None:
    text = (INVALID / f"{name}.yaml").read_text(encoding="utf-8")
    assert not VALIDATOR.is_valid(as_json(read_yaml(text).data))


def test_every_key_is_described_for_the_editor() -> None:
    for definition in SCHEMA["definitions"].values():
        for key, field in definition["properties"].items():
            assert field.get("description"), key
