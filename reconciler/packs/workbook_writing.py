"""A document to a workbook that reads back as the same document. Without a document, the empty sheets to fill in."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final, TypeAlias

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import BaseModel

from reconciler.packs.cell_values import write_cells
from reconciler.packs.cells import CONTINUED, column_letters, fits_cell, joined_cells, list_entry, write_text
from reconciler.packs.document import PackDocument
from reconciler.packs.sheets import (
    ALLOW,
    DATA_OBJECTS,
    FEDERATION_POLICIES,
    METADATA,
    METADATA_FIELDS,
    PIPELINES,
    RECIPIENTS,
    RELEASE,
    SHARES,
    Form,
    Sheet,
)
from reconciler.packs.workbook_look import explain
from reconciler.packs.workbook_rows import MAX_ROWS
from reconciler.packs.workbook_version import TEMPLATE_VERSION, VERSION_FIELD

#: The first moment a zip file can name: the same document makes the same bytes.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_PIPELINE_COLUMNS: Final = ("name", "type", "schedule", "source", "destination", "comment")

_Row: TypeAlias = Sequence[str | None]


class DoesNotFitError(ValueError):
    """The message says what no workbook holds, or none that is read, and where it would have stood."""


def to_workbook(document: PackDocument | None, *, explained: bool = True) -> bytes:
    """`explained`: with notes, lists to choose from and the sheet Columns. For programs a third of the time will do."""
    book = Workbook()
    metadata = book.active
    assert isinstance(metadata, Worksheet)  # noqa: S101 - a new Workbook has one worksheet
    metadata.title = METADATA
    _fill(metadata, ["Field", "Value"], _metadata_rows(document))
    for sheet, rows in _tables(document):
        _fill(book.create_sheet(sheet.title), list(sheet.columns), rows)
        if sheet is SHARES:
            _fill(book.create_sheet(PIPELINES), _PIPELINE_COLUMNS, [])
    if explained:
        explain(book)
    written = io.BytesIO()
    book.save(written)
    return _without_time(written.getvalue())


def _metadata_rows(document: PackDocument | None) -> Sequence[_Row]:
    """All fields: what is not mentioned has no value. Below them the version of the template."""
    values = document.metadata.model_dump(exclude_none=True) if document else {}
    fields = [[field, write_text(values[field]) if field in values else None] for field in METADATA_FIELDS]
    return [*fields, [VERSION_FIELD, str(TEMPLATE_VERSION)]]


def _tables(document: PackDocument | None) -> Iterator[tuple[Sheet, Sequence[_Row]]]:
    recipients, shares = (document.recipient, document.share) if document else ((), ())
    objects = [(entry.name, each) for entry in shares for each in entry.data_objects or () if not isinstance(each, str)]
    policies = [(entry.name, each) for entry in recipients for each in entry.federation_policies or ()]
    yield RECIPIENTS, _rows(RECIPIENTS, [("", entry) for entry in recipients])
    yield SHARES, _rows(SHARES, [("", entry) for entry in shares])
    yield DATA_OBJECTS, _rows(DATA_OBJECTS, objects)
    yield FEDERATION_POLICIES, _rows(FEDERATION_POLICIES, policies)
    yield ALLOW, _rows(ALLOW, [("", entry) for entry in (document.allow if document else ())])
    yield RELEASE, [[write_text(text)] for text in (document.release if document else ())]


def _rows(sheet: Sheet, entries: Sequence[tuple[str, BaseModel]]) -> Sequence[_Row]:
    """`entries` with the name of what they are within, "" for nothing."""
    return [row for owner, entry in entries for row in _entry_rows(sheet, owner, entry)]


def _entry_rows(sheet: Sheet, owner: str, entry: BaseModel) -> Sequence[_Row]:
    """One row, and rows named + for what does not fit a cell."""
    columns: list[Sequence[str | None]] = []
    for name, form in sheet.columns.items():
        field = type(entry).model_fields.get(name)
        # The column that is no field names what the row is within.
        columns.append(_cells(form, getattr(entry, name), field.default) if field else [write_text(owner)])
    first, *more = zip_longest(*columns)
    named_at = list(sheet.columns).index(sheet.named_by)
    return [first, *([*row[:named_at], CONTINUED, *row[named_at + 1 :]] for row in more)]


def _cells(form: Form, value: Any, default: object) -> Sequence[str | None]:
    if value is default:
        return [None]
    return list(_list_cells(value)) if form is Form.LIST else write_cells(form, value)


def _list_cells(entries: Sequence[str | BaseModel]) -> Iterator[str | None]:
    """What stands in a row of another sheet is not named here; where a name follows it, a + keeps its place."""
    names = [number for number, entry in enumerate(entries) if isinstance(entry, str)]
    if entries and not names:
        yield None
        return
    until = names[-1] + 1 if names else 0
    yield from joined_cells([list_entry(e) if isinstance(e, str) else CONTINUED for e in entries[:until]], ",")


def _fill(sheet: Worksheet, header: Sequence[str], rows: Sequence[_Row]) -> None:
    if len(rows) >= MAX_ROWS:
        raise DoesNotFitError(f"{sheet.title}: {len(rows):,} rows and their header are more than {MAX_ROWS:,}")
    for number, row in enumerate([header, *rows], start=1):
        for column, text in enumerate(row, start=1):
            if text is None:
                continue
            if not fits_cell(text):
                at = f"{sheet.title}!{column_letters(column)}{number}"
                raise DoesNotFitError(f"{at}: a text of {len(text):,} characters is longer than a cell holds")
            cell = sheet.cell(number, column, text)
            # Text, whatever it looks like, also after somebody edits it.
            cell.data_type, cell.number_format = "s", "@"


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
