"""What the text of one workbook cell stands for, in both directions.

An empty cell is an absent field. A text in double quotes is a JSON string, so `""` is the empty text and, in a list
column, the empty list. Lists are separated by commas, semicolons or line breaks; an entry that holds one is quoted.
Properties are lines of `name=value`, either side quoted where it would be read as something else."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

EMPTY: Final = '""'
#: The name of a row that adds to the lists of the row above. A cell holds at most 32,767 characters.
CONTINUED: Final = "+"
MAX_CELL: Final = 30_000
_MOST_CELL: Final = 32_767

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_ENTRY: Final = re.compile(rf"[ \t]*(?:({_QUOTED})[ \t]*(?=[,;\n]|\Z)|([^,;\n]*))(?:[,;\n]|\Z)")
_SEPARATOR: Final = re.compile("[,;\n]")
_IN_LINE: Final = r'"(?:[^"\\\n]|\\.)*"'
_REST: Final = rf"[ \t]*(?:({_IN_LINE})[ \t]*(?=\n|\Z)|([^\n]*))(?:\n|\Z)"
_LINE: Final = re.compile(_REST)
_PAIR: Final = re.compile(rf"[ \t]*(?:({_IN_LINE})[ \t]*(?==)|([^=\n]*))={_REST}")
#: Excel reads =, and openpyxl the names of errors, as more than text; `_x0041_` is how XML parts escape a character.
_NOT_PLAIN: Final = re.compile(r'\A["=+#\s]|\s\Z|[^\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|_x[0-9A-Fa-f]{4}_')
_BREAK: Final = r"\n"
_NAME_ENDS: Final = r'[\n="]'
_NOT_XML: Final = re.compile("[^\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_ESCAPE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def read_text(cell: str) -> str:
    return _unquoted(cell) if cell[:1] == '"' and re.fullmatch(_QUOTED, cell, re.DOTALL) else cell


def read_list(cell: str) -> Sequence[str]:
    return _entries(_ENTRY, cell) if '"' in cell else _stripped(_SEPARATOR.split(cell))


def read_lines(cell: str) -> Sequence[str]:
    """A list whose entries may hold commas and semicolons as they are."""
    return _entries(_LINE, cell) if '"' in cell else _stripped(cell.split("\n"))


def _stripped(entries: Iterable[str]) -> Sequence[str]:
    return [text for entry in entries if (text := entry.strip())]


def _entries(pattern: re.Pattern[str], cell: str) -> Sequence[str]:
    if cell.strip() == EMPTY:
        return []
    entries: list[str] = []
    for found in pattern.finditer(cell):
        if found[1] is not None:
            entries.append(_unquoted(found[1]))
        elif found[2].strip():
            entries.append(found[2].strip())
    return entries


def read_pairs(cell: str) -> Sequence[tuple[str, str | None]]:
    """Names and values in their order. The value is None where a line has no equals sign, and the name that line."""
    if cell.strip() == EMPTY:
        return []
    pairs: list[tuple[str, str | None]] = []
    at = 0
    while at < len(cell):
        found = _PAIR.match(cell, at)
        if found is None:
            line = cell[at:].partition("\n")[0]
            at += len(line) + 1
            if line.strip():
                pairs.append((line.strip(), None))
            continue
        at = found.end()
        name = found[2].strip() if found[1] is None else _unquoted(found[1])
        pairs.append((name, found[4].strip() if found[3] is None else _unquoted(found[3])))
    return pairs


def write_text(text: str) -> str:
    return text if text and not _NOT_PLAIN.search(text) else _quoted(text)


def write_list(entries: Iterable[str]) -> Iterator[str]:
    return joined_cells(map(list_entry, entries), ",")


def write_lines(entries: Iterable[str]) -> Iterator[str]:
    return joined_cells((_quoted_if(_BREAK, entry) for entry in entries), "\n")


def write_pairs(pairs: Mapping[str, str]) -> Iterator[str]:
    return joined_cells((f"{_quoted_if(_NAME_ENDS, name)}={_quoted_if(_BREAK, pairs[name])}" for name in pairs), "\n")


def list_entry(entry: str) -> str:
    return _quoted_if(r'[,;\n"]', entry)


def joined_cells(entries: Iterable[str], separator: str) -> Iterator[str]:
    """One cell, or as many as a long list needs. `entries` are as they are written."""
    cell: str | None = None
    for entry in entries:
        if cell is not None and len(cell) + len(entry) >= MAX_CELL:
            yield cell
            cell = None
        cell = entry if cell is None else f"{cell}{separator}{entry}"
    yield EMPTY if cell is None else cell


def _quoted_if(pattern: str, text: str) -> str:
    written = write_text(text)
    return _quoted(text) if written == text and re.search(pattern, text) else written


def _quoted(text: str) -> str:
    """As a JSON string. Only what XML cannot hold is escaped, so that a text grows to at most twice its length."""
    written = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    return _XML_ESCAPE.sub(r"\\u005f", written)


def fits_cell(text: str) -> bool:
    """Excel counts in UTF-16, and what is too long it cuts without a word."""
    return len(text) <= _MOST_CELL and len(text.encode("utf-16-le", "surrogatepass")) <= 2 * _MOST_CELL


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
