"""A document to a YAML file. What is written reads back as the same document."""

from collections.abc import Mapping
from typing import Any, Final

import yaml
from yaml import SafeDumper

from reconciler.packs.document import PackDocument
from reconciler.packs.yaml_file import is_plain_text

#: False says no more than leaving them out.
_OFF_BY_DEFAULT: Final = frozenset({"adopt", "protect"})


def to_yaml(document: PackDocument, schema: str = "") -> str:
    """`schema` is the path or URL for the line by which editors find the JSON Schema."""
    sections = [dumped({key: value}) for key, value in as_mapping(document).items() if value]
    modeline = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return modeline + "\n".join(sections)


def dumped(section: Mapping[str, object]) -> str:
    width = 10**9  # never fold
    return str(yaml.dump(section, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=width))


def as_mapping(document: PackDocument) -> Mapping[str, Any]:
    """Plain values in the order of the document, without what is not mentioned."""
    content = document.model_dump(mode="json", exclude_none=True)
    entries = {key: [_entry(entry) for entry in content[key]] for key in ("recipient", "share")}
    more = {key: content[key] for key in ("allow", "release") if content[key]}
    return {"metadata": content["metadata"], **entries, **more}


def _entry(entry: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in entry.items() if not (key in _OFF_BY_DEFAULT and value is False)}


class _Dumper(SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """The dashes of a list stand under its key, not beside it."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_plain_text(text) and "\n" not in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
