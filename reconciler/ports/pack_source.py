"""Where packs come from: a folder of a Git repository, or a plain folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.desired import Revision


class PackSourceError(Exception):
    """The packs cannot be read: no such folder, no such commit, Git refuses. Says what to do."""


@dataclass(frozen=True, slots=True)
class PackFiles:
    revision: Revision
    #: Every file of the packs folder by path relative to the repository (or folder), forward slashes.
    files: Mapping[str, bytes]
    #: The packs folder itself, relative to the repository (or folder); "" when it is the top.
    folder: str = ""


class PackSource(Protocol):
    async def committed(self, revision: str = "HEAD") -> PackFiles:
        """The files at a commit. Raises PackSourceError, also when the folder is not in Git."""

    async def working_tree(self) -> PackFiles:
        """The files as they lie there; `is_committed` says whether they are exactly those of HEAD."""

    async def is_ancestor(self, older: str, newer: str) -> bool | None:
        """Whether `newer` is `older` or descends from it; None when Git cannot tell (shallow clone, unknown commit)."""
