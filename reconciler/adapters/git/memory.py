"""Remembers what can never change of a commit, as a daemon asks for the same one all day. Bounded, for all threads."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.ports.pack_source import Listing

#: Bytes of files; a thousand packs of a commit have some 2 to 4 MB.
LARGEST: Final = 64 * 1024 * 1024
#: A file costs more than its bytes: its path, and the objects that hold both.
_PER_FILE: Final = 300
_MOST_PAIRS: Final = 20_000
#: A plan asks for two commits, each several times.
_MOST_LISTINGS: Final = 4


@dataclass(frozen=True, slots=True)
class CommitContent:
    """The packs folder at a commit. Whoever is given `files` cannot change them."""

    author: str
    #: Relative to the repository.
    folder: str
    files: Mapping[str, bytes]
    digest: str

    @property
    def size(self) -> int:
        return sum(len(path) + len(content) + _PER_FILE for path, content in self.files.items())


@dataclass(slots=True)
class Memory:
    """Contents by resolved packs folder and full commit id, and which commit descends from which."""

    largest: int = LARGEST
    _contents: OrderedDict[tuple[str, str], CommitContent] = field(default_factory=OrderedDict)
    _size: int = 0
    _listings: OrderedDict[tuple[str, str], Listing] = field(default_factory=OrderedDict)
    #: (older, newer) that were found to be in one line. That they are not may change: history can be fetched.
    _lines: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def content(self, folder: str, commit: str) -> CommitContent | None:
        with self._lock:
            found = self._contents.get((folder, commit))
            if found is not None:
                self._contents.move_to_end((folder, commit))
            return found

    def keep(self, folder: str, commit: str, content: CommitContent) -> None:
        size = content.size
        if size > self.largest:
            return
        with self._lock:
            if (folder, commit) in self._contents:
                return
            self._contents[folder, commit] = content
            self._size += size
            while self._size > self.largest:
                self._size -= self._contents.popitem(last=False)[1].size

    def listing(self, folder: str, commit: str) -> Listing | None:
        with self._lock:
            return self._listings.get((folder, commit))

    def keep_listing(self, folder: str, listing: Listing) -> None:
        """Without the branch that it was asked for by."""
        unnamed = replace(listing, revision=replace(listing.revision, branch=""))
        with self._lock:
            self._listings[folder, listing.revision.commit] = unnamed
            while len(self._listings) > _MOST_LISTINGS:
                self._listings.popitem(last=False)

    def descends(self, older: str, newer: str) -> bool:
        """False when nothing is known of it."""
        with self._lock:
            known = (older, newer) in self._lines
            if known:
                self._lines.move_to_end((older, newer))
            return known

    def keep_descent(self, older: Collection[str], newer: str) -> None:
        with self._lock:
            for commit in older:
                self._lines[commit, newer] = None
            while len(self._lines) > _MOST_PAIRS:
                self._lines.popitem(last=False)
