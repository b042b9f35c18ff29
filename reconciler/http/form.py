"""The file out of a form that somebody sends, in memory: whoever counts the bytes of the body bounds it. What the file
is called and what it holds is for others to judge."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_FIELD: Final = b"file"
#: A form with more is none of ours.
_MOST_PARTS: Final = 20


class FormError(Exception):
    """It is no form with exactly one file in its field `file`."""


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes


async def read_file(content_type: str, body: AsyncIterator[bytes]) -> File:
    """Raises FormError."""
    kind, options = parse_options_header(content_type.encode("latin-1"))
    boundary = options.get(b"boundary", b"")
    if kind.lower() != b"multipart/form-data" or not boundary:
        raise FormError
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async for chunk in body:
            parser.write(chunk)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise FormError from error
    found = [part for part in parts.ended if part.field_name == _FIELD]
    if len(found) != 1 or found[0].file_name is None or not parts.is_whole:
        raise FormError
    return File(_text(found[0].file_name), bytes(found[0].content))


def _text(name: bytes) -> str:
    return name.decode("utf-8", errors="replace")


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    @property
    def _disposition(self) -> dict[bytes, bytes]:
        return parse_options_header(self.headers.get(b"content-disposition", b""))[1]

    @property
    def field_name(self) -> bytes:
        return self._disposition.get(b"name", b"")

    @property
    def file_name(self) -> bytes | None:
        """None: it is a field, and no file."""
        return self._disposition.get(b"filename")


class _Parts:
    """What the parser tells, in the order it reads."""

    def __init__(self) -> None:
        self.ended: list[_Part] = []
        self.is_whole = False
        self._part = _Part()
        self._name = b""
        self._value = b""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }

    def _begin(self) -> None:
        if len(self.ended) >= _MOST_PARTS:
            raise ValueError
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._part.headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._part.content += data[start:end]

    def _end(self) -> None:
        self.ended.append(self._part)

    def _whole(self) -> None:
        self.is_whole = True
