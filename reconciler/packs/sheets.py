"""Which sheets a workbook has, their columns, and how the cells of each column are written.

One table for reading, writing and the template; the guide's four sheets come first, in its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pydantic import BaseModel

from reconciler.packs.document import (
    AllowanceEntry,
    DataObjectEntry,
    FederationPolicyEntry,
    Metadata,
    RecipientEntry,
    ShareEntry,
)


class Form(Enum):
    """How the value of a column is written in a cell, in the words of the template."""

    TEXT = "text"
    LIST = 'list, separated by commas, semicolons or line breaks; "" for none'
    LINES = 'list, one entry per line; "" for none'
    PAIRS = 'name=value, one per line; "" for none'
    YES_NO = "TRUE or FALSE"
    NUMBER = "whole number"
    DAY = "date"
    #: Nothing but "none": what there is stands in the rows of another sheet.
    ROWS = 'empty, or "" for none; each has a row in another sheet'


_FORMS: Final[Mapping[str, Form]] = {
    "allowed_ips": Form.LIST,
    "recipients": Form.LIST,
    "data_objects": Form.LIST,
    "audiences": Form.LIST,
    "partitions": Form.LINES,
    "properties": Form.PAIRS,
    "adopt": Form.YES_NO,
    "protect": Form.YES_NO,
    "history": Form.YES_NO,
    "cdf": Form.YES_NO,
    "start_version": Form.NUMBER,
    "expires_at": Form.DAY,
    "until": Form.DAY,
    "federation_policies": Form.ROWS,
}
#: Forms that a row named + adds to.
LONG: Final = frozenset({Form.LIST, Form.LINES, Form.PAIRS})


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    #: The section of the document its rows are, or belong into.
    section: str
    columns: Mapping[str, Form]
    #: None when a row is a text of its own.
    model: type[BaseModel] | None
    #: The column that names a row.
    named_by: str = "name"
    #: The field of the section's entries that the rows are added to; "" when they are the entries. The entry is named
    #: in the column called as the section.
    within: str = ""

    @property
    def is_continued(self) -> bool:
        """Whether a row named + adds to the row above."""
        return not LONG.isdisjoint(self.columns.values())

    @property
    def needed(self) -> Sequence[str]:
        """The columns without which no row can be read."""
        return [self.section, self.named_by] if self.within else [self.named_by]


def _columns(model: type[BaseModel], *before: str) -> Mapping[str, Form]:
    return {field: _FORMS.get(field, Form.TEXT) for field in (*before, *model.model_fields)}


METADATA_FIELDS: Final[Mapping[str, Form]] = _columns(Metadata)
RECIPIENTS: Final = Sheet("Recipients", "recipient", _columns(RecipientEntry), RecipientEntry)
SHARES: Final = Sheet("Shares", "share", _columns(ShareEntry), ShareEntry)
DATA_OBJECTS: Final = Sheet(
    "DataObjects", "share", _columns(DataObjectEntry, "share"), DataObjectEntry, within="data_objects"
)
FEDERATION_POLICIES: Final = Sheet(
    "FederationPolicies",
    "recipient",
    _columns(FederationPolicyEntry, "recipient"),
    FederationPolicyEntry,
    within="federation_policies",
)
ALLOW: Final = Sheet("Allow", "allow", _columns(AllowanceEntry), AllowanceEntry, "action")
RELEASE: Final = Sheet("Release", "release", {"resource": Form.TEXT}, None, "resource")

METADATA: Final = "Metadata"
PIPELINES: Final = "Pipelines"
#: The sheets with one row an entry. Those that add to others come after them.
TABLES: Final = (RECIPIENTS, SHARES, DATA_OBJECTS, FEDERATION_POLICIES, ALLOW, RELEASE)
TITLES: Final = (METADATA, RECIPIENTS.title, SHARES.title, PIPELINES, *(sheet.title for sheet in TABLES[2:]))
REQUIRED: Final = (METADATA, RECIPIENTS.title, SHARES.title)


def sheet_name(title: str) -> str:
    """Titles that are the same but for letter case, blanks and underscores name the same sheet."""
    return "".join(title.lower().replace("_", " ").split())
