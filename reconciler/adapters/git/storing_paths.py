"""Which paths a put may write: files below the packs folder that every clone can hold. Whether the content is a pack is
not decided here."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.adapters.git.contents import check_size
from reconciler.ports.pack_store import PackStoreError

_FILES: Final = ("100644", "100755")
_LINK: Final = "120000"
#: Of most file systems.
_LONGEST_NAME: Final = 255
_ADVICE: Final = "Choose another file name."
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    #: `100644`, `100755`, `120000` (a link) or `160000` (a submodule).
    mode: str
    oid: str


def check_paths(files: Mapping[str, bytes | None], folder: str) -> None:
    """`folder`: the packs folder relative to the repository. Raises PackStoreError, or PackSourceError for content that
    is too large to be read back."""
    for path, content in files.items():
        if (reason := next(_reasons(path, folder), None)) is not None:
            raise PackStoreError(f"{_shown(path)} cannot be written: {reason}.", _ADVICE)
        if content is not None:
            check_size(path, len(content))


def check_place(files: Mapping[str, bytes | None], there: Mapping[str, Entry]) -> None:
    """Nothing else stands where a file is to be, on any file system. `there`: what the packs folder has now."""
    for path in files:
        if (entry := there.get(path)) is not None and entry.mode not in _FILES:
            raise _in_the_way(path, path, entry)
    left = {path: entry for path, entry in there.items() if path not in files}
    written = [path for path, content in files.items() if content is not None]
    known = {_folded(path): path for path in left}
    folders = {_folded(above): above for path in left for above in _above(path)}
    for path in written:
        for above in (*_above(path), path):
            other = known.get(_folded(above))
            if other is not None:
                raise _in_the_way(path, other, left[other])
        if (folder := folders.get(_folded(path))) is not None:
            raise PackStoreError(f"{_shown(path)} cannot be written: {_shown(folder)} is a folder.", _ADVICE)
        known[_folded(path)] = path
        left[path] = Entry(_FILES[0], "")
        folders.update({_folded(above): above for above in _above(path)})


def _reasons(path: str, folder: str) -> Iterator[str]:
    """Against writing it; the first is what is wrong."""
    if any("\ud800" <= letter <= "\udfff" for letter in path):
        yield "its name is not Unicode text"
        return
    names = path.split("/")
    if _CONTROL.search(path):
        yield "its name holds control characters"
    if path.startswith("/") or "\\" in path or re.match(r"[A-Za-z]:", path):
        yield "it is not a path relative to the repository, with forward slashes"
    if any(not name or name in {".", ".."} for name in names):
        yield "it does not name a file"
    if folder and not path.startswith(f"{folder}/"):
        yield f"it does not lie in the packs folder {folder!r}"
    below = names[len(folder.split("/")) if folder else 0 :]
    if any(_visible(name).startswith((".", "git~")) for name in below):
        yield "hidden files and folders, and Git's own, hold no packs"
    if any(len(name.encode()) > _LONGEST_NAME for name in names):
        yield f"a name in it is longer than {_LONGEST_NAME} bytes"


def _visible(name: str) -> str:
    """As macOS compares it: without letter case, and without characters that show nothing."""
    return "".join(letter for letter in name if unicodedata.category(letter) != "Cf").casefold()


def _in_the_way(path: str, other: str, entry: Entry) -> PackStoreError:
    if entry.mode == _LINK:
        what = f"{_shown(other)} is a symbolic link"
    elif entry.mode not in _FILES:
        what = f"{_shown(other)} is a Git repository of its own (a submodule)"
    elif path.startswith(f"{other}/"):
        what = f"{_shown(other)} is a file"
    else:
        what = f"{_shown(other)} is there, which is the same name where case does not count"
    return PackStoreError(f"{_shown(path)} cannot be written: {what}.", _ADVICE)


def _above(path: str) -> Iterator[str]:
    """The folders it lies in."""
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)


def _folded(path: str) -> str:
    """As file systems see it that fold case and compose letters (macOS, Windows)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _shown(path: str) -> str:
    return repr(path if len(path) <= 200 else f"{path[:200]}…")
