"""What the XML of a worksheet shows and its values do not: merged cells, hidden rows, formulas without a result."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from reconciler.core.problem import Severity
from reconciler.packs.tree import Flaw

#: Whether a closer look is worth it: most sheets have none of these.
_SUSPECT: Final = re.compile(rb"""<(?:\w+:)?(?:f[\s>/]|mergeCell[\s>/])|\shidden\s*=""")
#: One of these is in all that is suspect, and that none is there is told in a tenth of the time.
_SIGNS: Final = (b"<f", b":f", b"mergeCell", b"hidden")
_MAX_FLAWS: Final = 200


@dataclass(frozen=True, slots=True)
class SheetMarks:
    flaws: tuple[Flaw, ...] = ()
    #: Cells that hold a formula and no value.
    unresolved: frozenset[str] = frozenset()


def sheet_marks(title: str, xml: bytes) -> SheetMarks:
    """`xml` has no document type: the gate has seen to that."""
    if not (any(sign in xml for sign in _SIGNS) and _SUSPECT.search(xml)):
        return SheetMarks()
    flaws: list[Flaw] = []
    unresolved: set[str] = set()
    for _, element in ET.iterparse(io.BytesIO(xml)):  # noqa: S314 - expansion needs a document type
        tag = _local(element)
        for flaw in _flaws(title, tag, element):
            if flaw.rule == "workbook-formula":
                unresolved.add(flaw.at[1] if isinstance(flaw.at[1], str) else "")
            if len(flaws) < _MAX_FLAWS:
                flaws.append(flaw)
        if tag == "row":
            element.clear()
    return SheetMarks(tuple(flaws), frozenset(unresolved))


def _flaws(title: str, tag: str, element: ET.Element) -> Iterator[Flaw]:
    is_hidden = element.get("hidden") in {"1", "true"}
    if tag == "mergeCell":
        ref = element.get("ref", "")
        at = (title, ref.partition(":")[0])
        yield Flaw(at, "workbook-merged-cells", f"the cells {ref} are merged", "unmerge them and fill each cell")
    elif tag == "row" and is_hidden:
        at = (title, f"A{element.get('r', '')}")
        yield Flaw(at, "workbook-hidden", f"the row {element.get('r', '')} is hidden", "unhide it, or delete it")
    elif tag == "col" and is_hidden:
        yield Flaw((title, ""), "workbook-hidden", "a column of the sheet is hidden", "unhide it, or delete it")
    elif tag == "c":
        yield from _formula(title, element)


def _formula(title: str, cell: ET.Element) -> Iterator[Flaw]:
    parts = {_local(part): part.text or "" for part in cell}
    if "f" not in parts:
        return
    at = (title, cell.get("r", ""))
    if parts.get("v"):
        message, hint = "the cell holds a formula; its stored result is taken", "paste the value instead"
        yield Flaw(at, "workbook-formula-result", message, hint, Severity.WARNING)
    else:
        message = "the cell holds a formula whose result is not stored in the file"
        yield Flaw(at, "workbook-formula", message, "paste the value instead, or open and save it in Excel")


def _local(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]
