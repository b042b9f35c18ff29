"""Everything a run said and left behind, by place, and the search for a secret in it, in the forms a secret may take on
its way: as it is, in Base64, in hex, in UTF-16, in any letter case, inside a workbook."""

import base64
import io
import traceback
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg


@dataclass(slots=True)
class Heard:
    #: Lower case.
    _places: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def say(self, place: str, text: str | bytes) -> None:
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        self._places[place].append(data.lower())
        if data.startswith(b"PK"):
            self._unpack(place, data)

    def say_failure(self, place: str, failure: BaseException) -> None:
        """All that a handler, a debugger or an error tracker can read off an exception."""
        self.say(place, "".join(traceback.format_exception(failure)))
        for each in _family(failure):
            self.say(place, f"{each!r} {each} {each.args!r} {_attributes(each)!r} {getattr(each, '__notes__', '')}")

    def say_folder(self, place: str, folder: Path) -> None:
        """Also of a server that runs meanwhile and takes files of its own away."""
        for path in folder.rglob("*"):
            self.say(place, path.name)
            with suppress(FileNotFoundError):
                if path.is_file():
                    self.say(place, path.read_bytes())

    async def say_tables(self, place: str, dsn: str) -> None:
        """Every table of every schema, PostgreSQL's own among them, all columns as text."""
        connection = await asyncpg.connect(dsn)
        try:
            for (name,) in await connection.fetch(_TABLES):
                for (row,) in await connection.fetch(f"SELECT t::text FROM {name} AS t"):
                    self.say(place, row)
        finally:
            await connection.close()

    def places(self) -> set[str]:
        return set(self._places)

    def where(self, secret: str) -> set[str]:
        """The places that hold it in any form."""
        wanted = forms(secret)
        return {place for place, said in self._places.items() if any(form in each for each in said for form in wanted)}

    def _unpack(self, place: str, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                self._places[place].append(archive.read(name).lower())


#: Of PostgreSQL's own views only the one that shows what others are doing; the rest are made of its tables, and some do
#: not work everywhere.
_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'f') OR c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        OR c.relname = 'pg_stat_activity'
    ORDER BY 1
"""


def forms(secret: str) -> frozenset[bytes]:
    raw = secret.encode()
    texts = [secret, raw.hex(), quote(secret, safe=""), *_base64_forms(raw)]
    wide = secret.lower().encode("utf-16-le")
    return frozenset([*(text.lower().encode() for text in texts), wide, wide[1:-1]])


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What stays the same whatever comes before and after: Base64 cuts its input into threes."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode()
        first = -(-before * 4 // 3) if before else 0
        whole = (before + len(raw)) // 3 * 4
        yield coded[first:whole]


def _family(failure: BaseException) -> Iterator[BaseException]:
    """The exception, its causes and contexts, and what it carries."""
    waiting: list[object] = [failure]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, *each.args, *_attributes(each).values()]
            waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []


def _attributes(failure: BaseException) -> dict[str, object]:
    return dict(getattr(failure, "__dict__", {}))
