"""A YAML file to fill in: a small pack that is valid as it stands, and every other field as a comment with what it is
for. Taken from the document's fields."""

import textwrap
from collections.abc import Collection, Sequence
from typing import Final

from pydantic import BaseModel

from reconciler.packs.document import (
    AllowanceEntry,
    DataObjectEntry,
    FederationPolicyEntry,
    Metadata,
    PackDocument,
    RecipientEntry,
    ShareEntry,
)
from reconciler.packs.sheet_words import example_value
from reconciler.packs.writing import dumped

_WIDTH: Final = 92
#: Without these the example would share nothing with nobody.
_SHOWN: Final = frozenset({"email", "recipients", "data_objects"})


def yaml_template(schema: str = "") -> str:
    """`schema` is the path or URL for the line by which editors find the JSON Schema."""
    fields = PackDocument.model_fields
    lines = [
        *([f"# yaml-language-server: $schema={schema}"] if schema else []),
        "# A share pack to begin with. Replace the examples; remove the # before a key to use it.",
        "metadata:",
        *_indented(_fields(Metadata)),
        "",
        "recipient:",
        *_indented(_entry(RecipientEntry)),
        "",
        "share:",
        *_indented(_entry(ShareEntry)),
        "",
        *_about(fields["allow"].description),
        *_commented(["allow:", *_indented(_entry(AllowanceEntry))]),
        "",
        *_about(fields["release"].description),
        *_commented(dumped({"release": example_value("release", fields["release"])}).splitlines()),
    ]
    return "\n".join(lines) + "\n"


def _fields(model: type[BaseModel]) -> Sequence[str]:
    lines: list[str] = []
    for name, field in model.model_fields.items():
        lines.extend(_about(field.description))
        if name == "federation_policies":
            written: Sequence[str] = ["federation_policies:", *_indented(_entry(FederationPolicyEntry))]
        else:
            written = dumped({name: example_value(name, field)}).splitlines()
        lines.extend(
            written if field.is_required() or name in _SHOWN & model.model_fields.keys() else _commented(written)
        )
        if name == "data_objects":
            lines.extend(_indented(_commented(["With options:", *_entry(DataObjectEntry)])))
    return lines


def _entry(model: type[BaseModel]) -> Sequence[str]:
    """An entry of a list: the dash stands before its first key."""
    lines = _fields(model)
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return [*lines[:first], f"- {lines[first]}", *_indented(lines[first + 1 :])]


def _about(description: str | None) -> Sequence[str]:
    return _commented(textwrap.wrap(description or "", _WIDTH))


def _commented(lines: Collection[str]) -> Sequence[str]:
    return [f"# {line}" for line in lines]


def _indented(lines: Collection[str]) -> Sequence[str]:
    return [f"  {line}" for line in lines]
