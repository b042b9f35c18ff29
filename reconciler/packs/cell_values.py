"""The value of one workbook cell by the form of its column, in both directions, or what is wrong with it.

Cells are text. Only where nothing is lost by it, something else is taken: TRUE and FALSE, whole numbers and dates in
columns of these forms. Anywhere else, what Excel made a number or a date of is no longer what was typed."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final, TypeAlias, assert_never

from reconciler.packs.cells import (
    EMPTY,
    read_lines,
    read_list,
    read_pairs,
    read_text,
    write_lines,
    write_list,
    write_pairs,
    write_text,
)
from reconciler.packs.finding import shown
from reconciler.packs.sheets import Form
from reconciler.packs.tree import Flaw, Number, Odd, Position

Read: TypeAlias = tuple[object, Sequence[Flaw]]

_YES_NO: Final = {"true": True, "yes": True, "false": False, "no": False}
#: As in YAML.
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_AS_TEXT: Final = "format it as text and type the value again"


def read_cell(form: Form, cell: Any, at: Position) -> Read:
    """`cell` is filled."""
    if form is Form.TEXT and cell.data_type == "s" and isinstance(cell.value, str) and "\r" not in cell.value:
        return read_text(cell.value), ()  # what most cells are
    match form:
        case Form.YES_NO:
            return _yes_no(cell.value), ()
        case Form.NUMBER if not _is_text(cell):
            return _number(cell, at)
        case Form.DAY if isinstance(cell.value, dt.date):
            return _moment(cell.value), ()
    text, flaws = _text(cell, at)
    return _of_text(form, text, at) if isinstance(text, str) else (text, flaws)


def _of_text(form: Form, text: str, at: Position) -> Read:
    match form:
        case Form.TEXT | Form.DAY | Form.YES_NO:
            return read_text(text), ()
        case Form.NUMBER:
            whole = text.strip()
            return (int(whole) if _WHOLE.fullmatch(whole) else read_text(text)), ()
        case Form.LIST:
            return list(read_list(text)), ()
        case Form.LINES:
            return list(read_lines(text)), ()
        case Form.PAIRS:
            return _pairs(read_pairs(text), at)
        case Form.ROWS:
            return ([], ()) if text.strip() == EMPTY else _elsewhere(at)
        case _:
            assert_never(form)


def _elsewhere(at: Position) -> Read:
    message = "policies stand in the sheet FederationPolicies, not here"
    hint = f'add a row there for each and empty this cell; {EMPTY} here says "none"'
    return Odd.REFUSED, (Flaw(at, "list-expected", message, hint),)


def _yes_no(value: object) -> object:
    if isinstance(value, bool) or value is Odd.REFUSED:
        return value
    word = _YES_NO.get(str(value).strip().lower())
    return str(value) if word is None else word


def _number(cell: Any, at: Position) -> Read:
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Excel keeps 15 digits of a number.
        is_whole = abs(value) < 10**15 and float(value).is_integer()
        return (int(value) if is_whole else Number(str(value))), ()
    return _text(cell, at)


def _moment(value: dt.date) -> str:
    """A day, or a moment in UTC to the second: Excel keeps days as fractions, which are a little off."""
    if not isinstance(value, dt.datetime):
        return value.isoformat()
    whole = (value + dt.timedelta(milliseconds=500)).replace(microsecond=0)
    return whole.date().isoformat() if whole.time() == dt.time() else f"{whole.isoformat()}Z"


def _pairs(
    pairs: Iterable[tuple[str, str | None]], at: Position, beside: MutableMapping[str, str] | None = None
) -> Read:
    found = {} if beside is None else beside
    flaws: list[Flaw] = []
    for name, value in pairs:
        if value is None:
            message = f"the line {shown(name)} is not name=value"
            flaws.append(Flaw(at, "workbook-pairs", message, "write one property per line, as country=DE"))
        elif name in found:
            flaws.append(Flaw(at, "key-duplicate", f"{shown(name)} stands here again", "keep one of the two"))
        else:
            found[name] = value
    return found, flaws


def joined(before: object, more: object, at: Position) -> Read:
    """`before`, a list or mapping, once it holds what the next row adds: there may be thousands of rows. Anything else
    has been reported."""
    if isinstance(before, list) and isinstance(more, list):
        before.extend(more)
        return before, ()
    if isinstance(before, MutableMapping) and isinstance(more, Mapping):
        return _pairs(more.items(), at, before)
    return Odd.REFUSED, ()


def _is_text(cell: Any) -> bool:
    return isinstance(cell.value, str) or cell.value is Odd.REFUSED


def _text(cell: Any, at: Position) -> Read:
    value = cell.value
    if value is Odd.REFUSED:
        return value, ()
    if cell.data_type == "e":
        hint = "write a value, or empty the cell"
        return Odd.REFUSED, (Flaw(at, "workbook-error-cell", f"the cell holds the error {value}", hint),)
    if isinstance(value, str):
        return value.replace("\r\n", "\n"), ()
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return Odd.REFUSED, (Flaw(at, "workbook-number", "the cell holds a date", _AS_TEXT),)
    message = f"the cell holds the {'truth value' if isinstance(value, bool) else 'number'} {value}, not a text"
    return Odd.REFUSED, (Flaw(at, "workbook-number", message, _AS_TEXT),)


def write_cells(form: Form, value: Any) -> Sequence[str | None]:
    """The text of a cell, or of as many as a long list needs, for a value that is mentioned."""
    return list(_WRITERS[form](value))


_WRITERS: Final[Mapping[Form, Callable[[Any], Iterable[str | None]]]] = {
    Form.TEXT: lambda text: [write_text(text)],
    Form.DAY: lambda text: [write_text(text)],
    Form.YES_NO: lambda is_so: ["TRUE" if is_so else "FALSE"],
    Form.NUMBER: lambda number: [str(number)],
    Form.LIST: write_list,
    Form.LINES: write_lines,
    Form.PAIRS: write_pairs,
    Form.ROWS: lambda rows: [None if rows else EMPTY],
}
