"""What may be read as a pack file, whichever place it comes from: the size limits, Git LFS pointers, the digest."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.ports.pack_source import PackSourceError

LARGEST_FILE: Final = 64 * 1024 * 1024
LARGEST_FOLDER: Final = 1024 * 1024 * 1024

#: The pointer file of Git LFS: three lines that stand in for content kept elsewhere
#: (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
_POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d+)\n?"
)
_LARGEST_POINTER: Final = 1024


def check_size(path: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise PackSourceError(
            f"{path} has {size / 1024 / 1024:,.0f} MB; files of more than {LARGEST_FILE // 1024 // 1024} MB are not "
            "read. Move it out of the packs folder."
        )


def check_total(folder: str, size: int) -> None:
    if size > LARGEST_FOLDER:
        raise PackSourceError(
            f"The files in {folder} have {size / 1024 / 1024:,.0f} MB together; no more than "
            f"{LARGEST_FOLDER // 1024 // 1024} MB are read. Keep only packs there."
        )


def refuse_link(path: str) -> PackSourceError:
    """Skipping it in silence would look as if the pack behind it had been removed, and removal is deletion."""
    return PackSourceError(
        f"{path} is a symbolic link; packs are read from files only. Replace the link by the file it points to."
    )


def refuse_repository(path: str) -> PackSourceError:
    return PackSourceError(
        f"{path} is a Git repository of its own (a submodule); its files belong to another history and are not read. "
        "Move the packs here, or point `packs_dir` at a folder inside that repository."
    )


def path_text(raw: bytes) -> str:
    """A path as text that can be printed: bytes that are not UTF-8 show as `\\xff`."""
    return raw.decode("utf-8", "backslashreplace")


def is_overlooked(name: str) -> bool:
    """Links that editors leave beside an open file (`.#q1.yaml`) and other hidden ones stand for no pack."""
    return name.startswith(".")


def without_pointer(path: str, content: bytes, lfs_objects: Path) -> bytes:
    """The content a Git LFS pointer stands for, from this clone's store; any other content as it is."""
    pointer = _POINTER.fullmatch(content) if len(content) <= _LARGEST_POINTER else None
    if pointer is None:
        return content
    check_size(path, int(pointer["size"]))
    oid = pointer["oid"].decode()
    try:
        stored = (lfs_objects / oid[:2] / oid[2:4] / oid).read_bytes()
    except OSError:
        stored = b""
    if hashlib.sha256(stored).hexdigest() != oid:
        raise PackSourceError(
            f"{path} is kept in Git LFS and its content is not in this clone. Run `git lfs fetch`, or keep packs in "
            "Git itself (`git lfs untrack`)."
        )
    return stored


def digest(files: Mapping[str, bytes]) -> str:
    """One value over all paths and bytes, in an order of its own."""
    total = hashlib.sha256()
    for path in sorted(files):
        name = path.encode("utf-8", "surrogateescape")
        total.update(b"%d:%b%d:" % (len(name), name, len(files[path])))
        total.update(files[path])
    return total.hexdigest()
