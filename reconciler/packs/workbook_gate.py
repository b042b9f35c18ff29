"""Decides from the bytes alone whether a workbook may be opened: what it unpacks to, and what it must not hold.

Nothing is unpacked before its declared size is known to be reasonable, and no XML part is parsed before it is known to
have no document type (which is where XML expands)."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.packs.tree import Flaw

MAX_PARTS: Final = 1_000
MAX_DIRECTORY_BYTES: Final = 500_000
MAX_PART_BYTES: Final = 30_000_000
MAX_UNPACKED_BYTES: Final = 100_000_000
_AT: Final = (0, 0)
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_END_OF_DIRECTORY: Final = b"PK\x05\x06"
#: Columns beyond ZZ make every row thousands of cells wide. A pattern that begins with a letter is found faster.
_FAR_COLUMN: Final = re.compile(rb"""r(?<=\sr)\s*=\s*["'][A-Za-z]{3,}[0-9]""")
_SAVE_AGAIN: Final = "open it in Excel and save it again as .xlsx"

_FORBIDDEN_PARTS: Final = (
    ("vbaproject", "workbook-macros", "the workbook has macros", "save it as .xlsx, which keeps none"),
    ("xl/macrosheets/", "workbook-macros", "the workbook has macro sheets", "delete them"),
    (
        "xl/externallinks/",
        "workbook-external-link",
        "the workbook links to other workbooks",
        "Data, Edit Links, Break Link",
    ),
    (
        "xl/connections.xml",
        "workbook-external-link",
        "the workbook has data connections",
        "delete them and paste values",
    ),
    ("xl/querytables/", "workbook-external-link", "the workbook has queries", "delete them and paste values"),
    ("xl/embeddings/", "workbook-external-link", "other documents are embedded in the workbook", "delete them"),
)


def refusal(data: bytes) -> Flaw | None:
    """Why the workbook must not be opened, or None."""
    if data.startswith(_OLE):
        return _ole(data)
    if not data:
        return Flaw(_AT, "file-empty", "the file holds nothing", "write a pack, or delete the file")
    if _directory_size(data) > MAX_DIRECTORY_BYTES:
        return Flaw(_AT, "workbook-zip-bomb", "the workbook has too many parts", _SAVE_AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return next(_refusals(archive), None)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError, struct.error) as error:
        return Flaw(_AT, "workbook-unreadable", f"this is not a workbook: {error}", _SAVE_AGAIN)


def _ole(data: bytes) -> Flaw:
    is_encrypted = "EncryptedPackage".encode("utf-16-le") in data
    message = "the workbook is encrypted" if is_encrypted else "this is a workbook of the format before 2007"
    return Flaw(_AT, "workbook-format", message, "save it as .xlsx without a password")


def _directory_size(data: bytes) -> int:
    """Bytes of the archive's table of contents, which `zipfile` reads whole before anything can be asked."""
    at = data.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(data) < at + 22:
        return 0
    # 0xFFFFFFFF stands for "see the 64-bit record", which no workbook of this size needs.
    return int(struct.unpack_from("<I", data, at + 12)[0])


def _refusals(archive: zipfile.ZipFile) -> Iterator[Flaw]:
    parts = archive.infolist()
    yield from _sizes(parts)
    names = [part.filename.lower() for part in parts]
    if any(part.flag_bits & 1 for part in parts):
        yield Flaw(_AT, "workbook-format", "the workbook is encrypted", "save it as .xlsx without a password")
    if any(part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for part in parts):
        yield Flaw(_AT, "workbook-unreadable", "the workbook is packed in a way Excel does not use", _SAVE_AGAIN)
    if len(set(names)) < len(names):
        yield Flaw(_AT, "workbook-unreadable", "the workbook has two parts of one name", _SAVE_AGAIN)
    for words, rule, message, hint in _FORBIDDEN_PARTS:
        if any(words in name for name in names):
            yield Flaw(_AT, rule, message, hint)
    if "[content_types].xml" not in names:
        yield Flaw(_AT, "workbook-unreadable", "this is a zip file, but not a workbook", _SAVE_AGAIN)
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels")):
            yield from _xml(part.filename, archive.read(part))


def _sizes(parts: Sequence[zipfile.ZipInfo]) -> Iterator[Flaw]:
    unpacked = sum(part.file_size for part in parts)
    largest = max((part.file_size for part in parts), default=0)
    if len(parts) > MAX_PARTS:
        yield Flaw(_AT, "workbook-zip-bomb", f"the workbook has {len(parts):,} parts", _SAVE_AGAIN)
    if unpacked > MAX_UNPACKED_BYTES or largest > MAX_PART_BYTES:
        message = f"the workbook would unpack to {unpacked // 1_000_000:,} MB"
        yield Flaw(_AT, "workbook-zip-bomb", message, "delete what is not part of the pack")


def _xml(name: str, content: bytes) -> Iterator[Flaw]:
    head = content[:4]
    if b"\x00" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"encoding=" in content[:100].lower():
        declared = re.search(rb"encoding\s*=\s*[\"']([A-Za-z0-9_-]+)", content[:200], re.IGNORECASE)
        if declared is None or declared[1].lower() not in {b"utf-8", b"us-ascii", b"ascii"}:
            yield Flaw(_AT, "workbook-unreadable", f"the part {name} is not UTF-8", _SAVE_AGAIN)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        yield Flaw(_AT, "workbook-unreadable", f"the part {name} declares a document type", _SAVE_AGAIN)
    if name.startswith("xl/worksheets/") and _FAR_COLUMN.search(content):
        yield Flaw(_AT, "workbook-too-many-rows", f"the sheet in {name} has cells beyond column ZZ", "delete them")
