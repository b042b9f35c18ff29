"""The repository that a folder is in, looked up again as soon as anything is otherwise that Git goes by."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from reconciler.adapters.git.repository import Repository, locate

#: Of a file or folder: which it is, and when it was last touched. None: there is none.
_Sign: TypeAlias = tuple[int, int, int] | None


class Whereabouts:
    """Safe for all threads. May raise PackSourceError, as `locate` does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: tuple[Path, Repository, list[_Sign]] | None = None

    def repository(self) -> Repository:
        folder = self._folder.resolve()
        if self._known is not None:
            known_folder, repository, signs = self._known
            if known_folder == folder and _signs(folder, repository) == signs:
                return repository
        repository = locate(folder)
        self._known = (folder, repository, _signs(folder, repository))
        return repository


def _signs(folder: Path, repository: Repository) -> list[_Sign]:
    return [_sign(place) for place in _places(folder, repository)]


def _places(folder: Path, repository: Repository) -> Iterator[Path]:
    """Where a repository could begin from the folder up, and where the one that was found keeps its settings."""
    for place in (folder, *folder.parents):
        yield place
        yield place / ".git"
        if place == repository.root:
            break
    yield from (repository.git_dir, repository.common_dir, repository.common_dir / "config")


def _sign(place: Path) -> _Sign:
    try:
        found = os.stat(place)  # noqa: PTH116 - a dozen times for each question
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns
