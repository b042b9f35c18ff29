"""The packs folder of a Git repository, as a PackSource. Nothing else in the repository is read."""

import asyncio
import os
from collections.abc import Collection
from pathlib import Path

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.contents import check_total, digest, path_text, refuse_repository, without_pointer
from reconciler.adapters.git.folder import FolderPackSource, existing_folder, read_file
from reconciler.adapters.git.history import ancestry, descends_from_all, gaps
from reconciler.adapters.git.repository import CommitFacts, Repository
from reconciler.core.desired import Revision
from reconciler.ports.pack_source import Ancestry, Gaps, PackFiles, PackSource, PackSourceError


def pack_source(folder: Path) -> PackSource:
    """A GitPackSource when the folder lies in a repository (also a bare one), a FolderPackSource otherwise."""
    folder = folder.absolute()
    in_git = any((place / ".git").exists() or _is_bare_repository(place) for place in (folder, *folder.parents))
    return GitPackSource(folder) if in_git else FolderPackSource(folder)


class GitPackSource:
    """The repository is looked up anew at each question: it may have been cloned again in between."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def committed(self, revision: str = "HEAD") -> PackFiles:
        return await asyncio.to_thread(self._committed, revision)

    async def working_tree(self) -> PackFiles:
        return await asyncio.to_thread(self._working_tree)

    async def gaps(self) -> Gaps:
        return await asyncio.to_thread(lambda: gaps(repo.locate(self._folder.resolve())))

    async def descends_from_all(self, older: Collection[str], newer: str) -> bool:
        return await asyncio.to_thread(lambda: descends_from_all(repo.locate(self._folder.resolve()), older, newer))

    async def ancestry(self, older: str, newer: str) -> Ancestry:
        return await asyncio.to_thread(lambda: ancestry(repo.locate(self._folder.resolve()), older, newer))

    def _committed(self, revision: str) -> PackFiles:
        repository = repo.locate(self._folder.resolve())
        commit = repo.commit_facts(repository, revision)
        contents = repo.blobs(repository, _entries(repository, commit.id))
        files = {}
        for raw, content in contents.items():
            path = path_text(raw)
            files[path] = without_pointer(path, content, repository.lfs_objects)
        return PackFiles(_revision(commit, files, is_committed=True), files, repository.prefix.strip("/"))

    def _working_tree(self) -> PackFiles:
        repository = repo.locate(self._existing_folder())
        if repository.is_bare:
            raise PackSourceError(f"{repository.root} is a bare repository; it has commits but no files to work with.")
        on_disk = _on_disk(repository)
        files = {path_text(raw): content for raw, content in on_disk.items()}
        files = {path: without_pointer(path, content, repository.lfs_objects) for path, content in files.items()}
        if not repo.is_named(repository):
            return PackFiles(Revision(content=digest(files)), files, repository.prefix.strip("/"))
        commit = repo.commit_facts(repository, "HEAD")
        is_committed = not repo.has_changes(repository) and repo.is_same_content(
            repository, repo.entries(repository, commit.id), on_disk
        )
        return PackFiles(_revision(commit, files, is_committed=is_committed), files, repository.prefix.strip("/"))

    def _existing_folder(self) -> Path:
        if not self._folder.exists():
            repository = repo.locate(self._folder.resolve())
            missing = gaps(repository)
            if missing.sparse or missing.deleted:
                raise _not_checked_out(repository, missing)
        return existing_folder(self._folder)


def _not_checked_out(repository: Repository, missing: Gaps) -> PackSourceError:
    count = len(missing.sparse) + len(missing.deleted)
    bring_back = "`git sparse-checkout disable`" if missing.sparse else f"`git checkout HEAD -- {repository.prefix}`"
    return PackSourceError(
        f"The packs folder {repository.root / repository.prefix} is not checked out: HEAD has {count} "
        f"{'file' if count == 1 else 'files'} in it. Nothing is taken to be removed.",
        f"{bring_back} brings it back; to remove packs on purpose, commit that, and keep one file in the folder.",
    )


def _entries(repository: Repository, commit: str) -> dict[bytes, str]:
    found = dict(repo.readable_entries(repository, commit))
    if not found or os.fsencode(repository.prefix) in found:
        raise PackSourceError(
            f"There is no folder {repository.prefix or '/'!r} with files in commit {commit[:12]} of {repository.root}. "
            "Nothing is taken to be removed.",
            "Check `packs_dir` and the commit; an empty folder needs one committed file, such as a README.",
        )
    return found


def _on_disk(repository: Repository) -> dict[bytes, bytes]:
    listed = repo.listed_files(repository)
    if not listed and repo.has_ignored_files(repository):
        raise PackSourceError(
            f"Git ignores everything in {repository.root / repository.prefix} (.gitignore), so no pack is seen there."
        )
    files = {}
    total = 0
    for raw in listed:
        place = repository.root / os.fsdecode(raw)
        if raw.endswith(b"/") or (place / ".git").exists():
            raise refuse_repository(path_text(raw))
        content = read_file(place, path_text(raw))
        if content is not None:
            files[raw] = content
            total += len(content)
            check_total(str(repository.root / repository.prefix), total)
    return files


def _revision(commit: CommitFacts, files: dict[str, bytes], *, is_committed: bool) -> Revision:
    return Revision(commit.id, is_committed, commit.branch, commit.author, digest(files))


def _is_bare_repository(place: Path) -> bool:
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()
