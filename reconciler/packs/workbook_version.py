"""The cell of a workbook that says by which template it was made, and what is told of another one than ours.

Version 1 were the four sheets of the guide, without this cell; a workbook that has none is read as it is."""

from typing import Any, Final

from reconciler.core.problem import Severity
from reconciler.packs.finding import shown
from reconciler.packs.tree import Flaw, Odd, Position

#: In the sheet Metadata, below its fields. Raised whenever a template has a column or sheet that older ones have not.
VERSION_FIELD: Final = "template_version"
TEMPLATE_VERSION: Final = 2
_RULE: Final = "workbook-version"


def version_flaw(value: Any, at: Position, ours: int = TEMPLATE_VERSION) -> Flaw | None:
    """`value` is what the cell holds: None when it is empty."""
    if value is None or value is Odd.REFUSED:
        return None
    version = _version(value)
    if version is None:
        message = f"{shown(str(value))} is not the version of a template"
        return Flaw(at, _RULE, message, f"write {ours}, or empty the cell")
    if version > ours:
        message = f"a newer sharepack made this workbook: its template is version {version}, this one knows {ours}"
        return Flaw(at, _RULE, message, "update sharepack, or copy the values into a new `sharepack template`")
    if version < ours:
        message = f"the template is version {version}, and there is {ours} with more columns; all of this one counts"
        hint = "to have them, copy the values into a new `sharepack template`"
        return Flaw(at, _RULE, message, hint, Severity.WARNING)
    return None


def _version(value: object) -> int | None:
    """Excel may have made a number of it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if isinstance(value, bool) else str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 6 and int(text) > 0 else None
