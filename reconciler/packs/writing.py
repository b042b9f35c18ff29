"""A document to a YAML file or a workbook. What is written reads back as the same document."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import yaml
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet
from yaml import SafeDumper

from reconciler.packs.cells import CONTINUED, column_letters, write_lists, write_text
from reconciler.packs.document import Metadata, PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.workbook import LIST_COLUMNS
from reconciler.packs.yaml_file import is_plain_text

#: The first moment a zip file can name: the same document makes the same bytes.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_PIPELINE_COLUMNS: Final = ("name", "type", "schedule", "source", "destination", "comment")


def to_yaml(document: PackDocument, schema: str = "") -> str:
    """`schema` is the path or URL for the line by which editors find the JSON Schema."""
    sections = [_dumped({key: value}) for key, value in as_mapping(document).items() if value]
    modeline = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return modeline + "\n".join(sections)


def _dumped(section: Mapping[str, object]) -> str:
    width = 10**9  # never fold
    return str(yaml.dump(section, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=width))


def as_mapping(document: PackDocument) -> Mapping[str, object]:
    """Plain values in the order of the document, without what is not mentioned."""
    content = document.model_dump(mode="json", exclude_none=True)
    entries = {key: [_entry(entry) for entry in content[key]] for key in ("recipient", "share")}
    return {"metadata": content["metadata"], **entries}


def _entry(entry: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in entry.items() if not (key == "adopt" and value is False)}


def to_workbook(document: PackDocument) -> bytes:
    book = Workbook()
    metadata = book.active
    assert isinstance(metadata, Worksheet)  # noqa: S101 - a new Workbook has one worksheet
    metadata.title = "Metadata"
    values = document.metadata.model_dump(exclude_none=True)
    rows = [[field, write_text(values[field])] for field in Metadata.model_fields if field in values]
    _fill(metadata, ["Field", "Value"], rows)
    _fill(book.create_sheet("Recipients"), list(RecipientEntry.model_fields), _rows(document.recipient))
    _fill(book.create_sheet("Shares"), list(ShareEntry.model_fields), _rows(document.share))
    _fill(book.create_sheet("Pipelines"), _PIPELINE_COLUMNS, [])
    written = io.BytesIO()
    book.save(written)
    return _without_time(written.getvalue())


def _rows(entries: Sequence[RecipientEntry | ShareEntry]) -> Sequence[Sequence[str | None]]:
    return [row for entry in entries for row in _entry_rows(entry)]


def _entry_rows(entry: RecipientEntry | ShareEntry) -> Sequence[Sequence[str | None]]:
    """One row, and rows named + for what does not fit a cell."""
    columns = [_cells(field, value) for field, value in entry]
    first, *more = zip_longest(*columns)
    return [first, *([CONTINUED, *row[1:]] for row in more)]


def _cells(field: str, value: Any) -> Sequence[str | None]:
    if value is None or (field == "adopt" and value is False):
        return [None]
    if field == "adopt":
        return ["true"]
    return list(write_lists(value)) if field in LIST_COLUMNS else [write_text(value)]


def _fill(sheet: Worksheet, header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    for number, row in enumerate([header, *rows], start=1):
        for column, text in enumerate(row, start=1):
            if text is not None:
                cell = sheet.cell(number, column, text)
                # Text, whatever it looks like, also after somebody edits it.
                cell.data_type, cell.number_format = "s", "@"
    for column in range(1, len(header) + 1):
        sheet.cell(1, column).font = Font(bold=True)
        sheet.column_dimensions[column_letters(column)].width = 28
    sheet.freeze_panes = "A2"


def _without_time(book: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _CORE_PROPERTIES
            target.writestr(zipfile.ZipInfo(name, _NO_TIME), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


#: openpyxl writes the time of saving here.
_CORE_PROPERTIES: Final = (
    b'<?xml version="1.0"?><cp:coreProperties xmlns:cp='
    b'"http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)


class _Dumper(SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """The dashes of a list stand under its key, not beside it."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_plain_text(text) and "\n" not in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
