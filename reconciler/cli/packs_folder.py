"""Reads a packs folder from the file system for the commands that need nothing else, and finds it from a path in it."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.packs.file_names import TENANTS_NAMES, is_pack, is_tenants_file
from reconciler.packs.parsing import MAX_WORKBOOK_BYTES

_USUAL_NAME: Final = "sharepacks"


def folder_around(path: Path, home: Path) -> Path:
    """The packs folder `path` stands in: `home`, or the nearest with a tenants file or the usual name, or its own."""
    if path.is_relative_to(home):
        return home
    start = path if path.is_dir() else path.parent
    for folder in (start, *start.parents):
        if folder.name == _USUAL_NAME or any((folder / name).is_file() for name in TENANTS_NAMES):
            return folder
        if (folder / ".git").exists():
            break
    return start


def repository_top(folder: Path) -> Path | None:
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


class FolderFiles(Mapping[str, bytes]):
    """The files of a folder by their shown paths. Packs are read at once; what lies beside them (notebooks, whatever
    else) only when a pack names it."""

    def __init__(self, packs: Mapping[str, bytes], others: Mapping[str, Path]) -> None:
        self.packs = packs
        self._others = others

    def __getitem__(self, path: str) -> bytes:
        return self.packs[path] if path in self.packs else _read(self._others[path])

    def __iter__(self) -> Iterator[str]:
        return iter([*self.packs, *self._others])

    def __len__(self) -> int:
        return len(self.packs) + len(self._others)

    def __contains__(self, path: object) -> bool:
        return path in self.packs or path in self._others


def read_folder(folder: Path, relative_to: Path) -> FolderFiles:
    """What lies below `folder`, by path relative to `relative_to` where that is above it.

    Raises OSError for a pack or tenants file that cannot be read."""
    packs: dict[str, bytes] = {}
    others: dict[str, Path] = {}
    for path in _files(folder):
        inside = path.relative_to(folder).as_posix()
        is_ours = is_pack(inside) or is_tenants_file(inside)
        # A named pipe would wait for a writer forever; a link may lead nowhere.
        if is_ours and stat.S_ISREG(path.stat().st_mode):
            packs[shown_path(path, relative_to)] = _read(path)
        elif not is_ours and path.is_file():
            others[shown_path(path, relative_to)] = path
    return FolderFiles(packs, others)


def shown_path(path: Path, relative_to: Path) -> str:
    return (path.relative_to(relative_to) if path.is_relative_to(relative_to) else path).as_posix()


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names))


def _read(path: Path) -> bytes:
    """At most one byte more than any pack may have: enough to be refused as too large."""
    with path.open("rb") as stream:
        return stream.read(MAX_WORKBOOK_BYTES + 1)
