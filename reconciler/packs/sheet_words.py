"""What a workbook says about its own columns: what each is for, whether it is needed, how it is written, an example.

Taken from the fields of the document, so that the schema, the template and the checks say the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic.fields import FieldInfo

from reconciler.packs.cell_values import write_cells
from reconciler.packs.document import Metadata, PackDocument
from reconciler.packs.sheets import METADATA, METADATA_FIELDS, RELEASE, TABLES, Form

#: The columns that are no field of an entry: what the row is within.
_WITHIN: Final = {
    "share": ("The share, as the sheet Shares names it.", "sales_q1_share"),
    "recipient": ("The recipient, as the sheet Recipients names it.", "sales-analyst"),
}
#: For fields whose description needs no example in the schema.
_EXAMPLES: Final[Mapping[str, Any]] = {
    "description": "Orders and customers for the quarterly report",
    "comment": "Q1 sales data",
    "reason": "The share is replaced by sales_q2_share",
    "subject": "8a6b2f0e-4c1d-4f7e-9b3a-000000000000",
    "audiences": ["4a1c7d52-0000-4000-9000-000000000000"],
    "renamed_from": "sales_share",
    "start_version": 12,
    "adopt": True,
    "protect": True,
    "history": True,
    "cdf": True,
}


@dataclass(frozen=True, slots=True)
class ColumnWords:
    sheet: str
    column: str
    is_required: bool
    description: str
    form: Form
    #: As it is written in a cell.
    example: str
    #: The words the column takes; empty when it takes any.
    choices: Sequence[str] = ()

    @property
    def note(self) -> str:
        """For the comment at the head of the column."""
        lines = [self.description, "Required." if self.is_required else "", f"Written as {self.form.value}."]
        return "\n".join(filter(None, [*lines, f"Example: {self.example}" if self.example else ""]))


def column_words() -> Iterator[ColumnWords]:
    for name, field in Metadata.model_fields.items():
        yield _words(METADATA, name, METADATA_FIELDS[name], field)
    for sheet in TABLES:
        for name, form in sheet.columns.items():
            fields = (
                {name: PackDocument.model_fields[sheet.section]} if sheet.model is None else sheet.model.model_fields
            )
            if name in fields:
                yield _words(sheet.title, name, form, fields[name])
            else:
                yield _owner_words(sheet.title, name, form)


def _owner_words(title: str, name: str, form: Form) -> ColumnWords:
    description, example = _WITHIN[name]
    return ColumnWords(title, name, is_required=True, description=description, form=form, example=example)


def _words(title: str, name: str, form: Form, field: FieldInfo) -> ColumnWords:
    return ColumnWords(
        sheet=title,
        column=name,
        is_required=field.is_required() or title == RELEASE.title,
        description=field.description or "",
        form=form,
        example=_example(name, form, field),
        choices=_choices(form, field),
    )


def _example(name: str, form: Form, field: FieldInfo) -> str:
    """As it is written in a cell; "" where the cell stays empty."""
    if form is Form.ROWS:
        return ""
    value = example_value(name, field)
    # The one field whose column holds an entry of its list.
    return write_cells(form, value[0] if form is Form.TEXT and isinstance(value, list) else value)[0] or ""


def example_value(name: str, field: FieldInfo) -> Any:
    """A value of the field, as YAML would hold it."""
    given = [*_choices(Form.TEXT, field), *(field.examples or [])]
    return given[0] if given else _EXAMPLES[name]


def _choices(form: Form, field: FieldInfo) -> Sequence[str]:
    if form is Form.YES_NO:
        return ("TRUE", "FALSE")
    extra: Any = field.json_schema_extra or {}
    return tuple(extra.get("anyOf", [{}])[0].get("enum", ()))
