"""Pack files from a plain folder, as they lie there. Without history nothing is ever deleted on their word."""

import asyncio
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.adapters.git.contents import check_size, check_total, digest, is_overlooked, path_text, refuse_link
from reconciler.adapters.git.watching import Places, Watch
from reconciler.core.desired import Revision
from reconciler.ports.pack_source import Ancestry, Gaps, Listing, PackFiles, PackSourceError


class FolderPackSource:
    """A folder outside Git."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._watch = Watch(lambda: Places((folder,)))

    @property
    def has_commits(self) -> bool:
        return False

    async def committed(self, revision: str = "HEAD") -> PackFiles:
        raise _no_commits(self._folder, revision)

    async def working_tree(self) -> PackFiles:
        return await asyncio.to_thread(self._read)

    async def listed(self, revision: str) -> Listing | None:
        raise _no_commits(self._folder, revision)

    async def identified(self, files: Mapping[str, bytes], like: str) -> Mapping[str, str]:  # noqa: ARG002 - as below
        return {}

    async def contents(self, ids: Mapping[str, str]) -> Mapping[str, bytes]:  # noqa: ARG002 - as below
        return {}

    async def gaps(self) -> Gaps:
        return Gaps()

    async def descends_from_all(self, older: Collection[str], newer: str) -> bool:  # noqa: ARG002 - as below
        return False

    async def ancestry(self, older: str, newer: str) -> Ancestry:  # noqa: ARG002 - the port's signature
        return Ancestry.NO_HISTORY

    async def fetch(self) -> None:
        """There is nothing to fetch from."""

    async def merge_base(self, older: str, newer: str) -> str:
        raise _no_history(self._folder, f"{newer!r} left no {older!r}")

    async def came_in(self, paths: Collection[str], since: str, until: str) -> Sequence[str]:  # noqa: ARG002 - as above
        raise _no_history(self._folder, f"nothing came in until {until!r}")

    async def fetch_pull(self, number: int) -> str:
        raise _no_history(self._folder, f"there is no pull request {number}")

    async def followed(self, revision: str = "") -> str:  # noqa: ARG002 - there are no branches
        return ""

    async def newest(self, revision: str = "") -> str:
        if revision:
            raise _no_commits(self._folder, revision)
        await self._watch.begin()
        return (await self.working_tree()).revision.content

    async def changed(self, wait: float) -> bool:
        return await self._watch.changed(wait)

    def _read(self) -> PackFiles:
        folder = existing_folder(self._folder)
        files = {}
        total = 0
        for path in _walk(folder):
            shown = path_text(os.fsencode(path.relative_to(folder).as_posix()))
            content = read_file(path, shown)
            if content is not None:
                files[shown] = content
                total += len(content)
                check_total(str(folder), total)
        return PackFiles(Revision(content=digest(files)), files)


def _no_commits(folder: Path, revision: str) -> PackSourceError:
    return _no_history(folder, f"there is no commit {revision!r} to read")


def _no_history(folder: Path, consequence: str) -> PackSourceError:
    return PackSourceError(
        f"{folder} is not in a Git repository, so {consequence}.",
        "Put the folder under Git (`git init`, `git add`, `git commit`), or work with the files as they lie there.",
    )


def existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise PackSourceError(f"The packs folder {folder} {what}. Create it, or name another one with `packs_dir`.")
    return folder.resolve()


def read_file(path: Path, shown: str) -> bytes | None:
    """The bytes of a regular file; None when it is gone or no file at all (a pipe, a socket, an editor's lock link)."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            if is_overlooked(path.name):
                return None
            raise refuse_link(shown)
        if not stat.S_ISREG(found.st_mode):
            return None
        check_size(shown, found.st_size)
        # The link may have been put there since: opening must not follow it either.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PackSourceError(f"{shown} cannot be read: {error.strerror}.") from None


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise PackSourceError(f"{error.filename} cannot be read: {error.strerror}.")

    for place, folders, names in os.walk(folder, onerror=fail, followlinks=False):
        folders[:] = sorted(set(folders) - {".git"})
        for name in folders:
            link = Path(place, name)
            if link.is_symlink() and not is_overlooked(name):
                raise refuse_link(link.relative_to(folder).as_posix())
        yield from (Path(place, name) for name in sorted(names))
