"""Snapshots of packs folders as files in a folder of this user's, so that the next run need not read every pack again.

A file is written beside its place and moved there whole. It is believed only when nobody else can have written it,
when its digest is that of its content, and when it is of this very program; whatever goes wrong with one, it is as if
it were not there. Two processes may write at once. The digest is no secret: who can write to the folder can make the
plan of a branch overlook that packs clash or that a file is broken, and nothing more: what is applied is read anew."""

import hashlib
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from functools import cached_property
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import reconciler
from reconciler.packs.snapshot import Snapshot, decode, encode

_SUFFIX: Final = ".snapshot"
_DIGEST_BYTES: Final = 32
_HOUR: Final = 3600
_PROGRAM: Final = ("core", "packs")
_LIBRARIES: Final = ("pydantic", "pydantic_core", "PyYAML", "openpyxl")
_VERSION: Final = re.compile(r"^Version: (.+)$", re.MULTILINE)


class KeptSnapshots:
    """Implements `packs.snapshot.Snapshots`."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        #: Names of files that are as they should be.
        self._good: set[str] = set()
        #: What was read last, with its file as it was then: one plan asks several times.
        self._last: tuple[Path, os.stat_result, Snapshot] | None = None

    def basis(self, *parts: str) -> str:
        total = hashlib.sha256()
        for part in (self._program, *parts):
            total.update(b"%d:%b" % (len(part.encode()), part.encode()))
        return total.hexdigest()

    def newest(self, basis: str, today: date) -> Iterator[Snapshot]:
        for path in self._files():
            if not path.name.startswith(basis[:16]):
                continue
            found = self._remembered(path) or self._read(path)
            if found is not None and found.basis == basis and found.day <= today:
                self._good.add(path.name)
                with suppress(OSError):
                    os.utime(path)
                    self._last = path, path.lstat(), found
                yield found

    def keep(self, snapshot: Snapshot) -> None:
        data = encode(snapshot)
        name = f"{snapshot.basis[:16]}-{hashlib.sha256(repr(sorted(snapshot.ids.items())).encode()).hexdigest()[:24]}"
        path = self._folder / f"{name}{_SUFFIX}"
        if len(data) + _DIGEST_BYTES > self._most_bytes or path.name in self._good:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_own(self._folder.lstat(), stat.S_ISDIR):
                self._write(path, hashlib.sha256(data).digest() + data)
                self._good.add(path.name)
                self._make_room()

    def _write(self, path: Path, data: bytes) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".new")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)

    @cached_property
    def _program(self) -> str:
        return program_digest()

    def _remembered(self, path: Path) -> Snapshot | None:
        if self._last is None or self._last[0] != path:
            return None
        with suppress(OSError):
            return self._last[2] if _is_same(path.lstat(), self._last[1]) else None
        return None

    def _read(self, path: Path) -> Snapshot | None:
        try:
            # Nobody else's, and not too large to be one of ours.
            found = path.lstat()
            if not _is_own(found, stat.S_ISREG) or found.st_size > self._most_bytes:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        content = data[_DIGEST_BYTES:]
        is_whole = hashlib.sha256(content).digest() == data[:_DIGEST_BYTES]
        return decode(content) if is_whole else None

    def _files(self) -> list[Path]:
        """Used last first."""
        with suppress(OSError):
            if _is_own(self._folder.lstat(), stat.S_ISDIR):
                found = [(each.stat(follow_symlinks=False).st_mtime_ns, each.path) for each in os.scandir(self._folder)]
                return [Path(path) for _, path in sorted(found, reverse=True) if path.endswith(_SUFFIX)]
        return []

    def _make_room(self) -> None:
        left = self._most_bytes
        for path in self._files():
            left -= path.stat().st_size
            if left < 0:
                path.unlink(missing_ok=True)
        for path in self._folder.glob(".*.new"):
            # Of a process that was killed; what another one is writing is young.
            if path.stat().st_mtime < time.time() - _HOUR:
                path.unlink(missing_ok=True)


def _is_own(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Nobody else can have written it."""
    is_mine = not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)
    return is_kind(found.st_mode) and is_mine


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Neither written to since, nor another file in its place."""
    return (one.st_ino, one.st_size, one.st_ctime_ns) == (other.st_ino, other.st_size, other.st_ctime_ns)


def program_digest() -> str:
    """Of all that decides how a pack is read: the code itself, as a version may be under work."""
    total = hashlib.sha256(sys.version.encode())
    top = Path(reconciler.__file__).parent
    for name in _PROGRAM:
        for path in sorted((top / name).glob("*.py")):
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    for library in _LIBRARIES:
        total.update(f"{library} {version(library)}".encode())
    return total.hexdigest()


def version(library: str) -> str:
    """As `importlib.metadata.version`, which reads a library's whole description as an e-mail to tell it."""
    found = _VERSION.search(distribution(library).read_text("METADATA") or "")
    return found[1] if found else distribution(library).version
