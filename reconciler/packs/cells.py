"""What the text of one workbook cell stands for, in both directions.

An empty cell is an absent field. A text in double quotes is a JSON string, so `""` is the empty text and, in a list
column, the empty list. Lists are separated by commas, semicolons or line breaks; an entry that holds one is quoted."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

EMPTY: Final = '""'
#: The name of a row that adds to the lists of the row above. A cell holds at most 32,767 characters.
CONTINUED: Final = "+"
MAX_CELL: Final = 30_000

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_ENTRY: Final = re.compile(rf"[ \t]*(?:({_QUOTED})[ \t]*(?=[,;\n]|\Z)|([^,;\n]*))(?:[,;\n]|\Z)")
#: Excel reads =, and openpyxl the names of errors, as more than text; `_x0041_` is how XML parts escape a character.
_NOT_PLAIN: Final = re.compile(r'\A["=+#\s]|\s\Z|[^\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|_x[0-9A-Fa-f]{4}_')


def read_text(cell: str) -> str:
    return _unquoted(cell) if re.fullmatch(_QUOTED, cell, re.DOTALL) else cell


def read_list(cell: str) -> Sequence[str]:
    if cell.strip() == EMPTY:
        return []
    entries: list[str] = []
    for found in _ENTRY.finditer(cell):
        if found[1] is not None:
            entries.append(_unquoted(found[1]))
        elif found[2].strip():
            entries.append(found[2].strip())
    return entries


def write_text(text: str) -> str:
    if text and not _NOT_PLAIN.search(text):
        return text
    return json.dumps(text).replace("_", "\\u005f") if "_x" in text else json.dumps(text)


def write_lists(entries: Sequence[str]) -> Iterator[str]:
    """One cell, or as many as a long list needs."""
    if not entries:
        yield EMPTY
    cell = ""
    for entry in map(_list_entry, entries):
        if cell and len(cell) + len(entry) >= MAX_CELL:
            yield cell
            cell = ""
        cell = f"{cell},{entry}" if cell else entry
    if cell:
        yield cell


def _list_entry(entry: str) -> str:
    written = write_text(entry)
    needs_quotes = written == entry and re.search(r'[,;\n"]', entry)
    return json.dumps(entry) if needs_quotes else written


def _unquoted(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def column_letters(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
