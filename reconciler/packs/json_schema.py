"""The JSON Schema of a pack file, for editors: completion, descriptions, and the mistakes that show while typing.

It is never stricter than `sharepack validate`, and much less complete."""

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from reconciler.packs.document import PackDocument

DRAFT: Final = "http://json-schema.org/draft-07/schema#"


def pack_schema() -> str:
    """The text of `schema/sharepack.schema.json`."""
    schema = PackDocument.model_json_schema(schema_generator=_Draft7, ref_template="#/definitions/{model}")
    properties = schema["properties"]
    not_yet = {"type": "array", "maxItems": 0, "description": "Pipelines are not supported yet."}
    whole = {
        "$schema": DRAFT,
        "title": "Share pack",
        **{key: value for key, value in schema.items() if key not in {"$defs", "title"}},
        "properties": {**properties, "pipeline": not_yet, "pipelines": not_yet},
        "definitions": schema["$defs"],
    }
    return json.dumps(_without_titles(whole), indent=2, ensure_ascii=False) + "\n"


class _Draft7(GenerateJsonSchema):
    schema_dialect = DRAFT

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """None means "left out" in a document; an explicit null is not allowed in a file."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = super().default_schema(schema)
        return {key: value for key, value in inner.items() if key != "default" or value is not None}


def _without_titles(schema: Any) -> Any:
    """Drops the titles that pydantic makes up from field names; `properties` may hold a key called title."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str) or "$schema" in schema
    }
