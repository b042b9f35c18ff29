"""The packs folder of a Git repository, as a PackSource. Nothing else in the repository is read."""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.contents import check_total, digest, path_text, refuse_repository, without_pointer
from reconciler.adapters.git.fetching import FETCH_LIMIT, fetch
from reconciler.adapters.git.folder import FolderPackSource, existing_folder, read_file
from reconciler.adapters.git.following import followed, newest
from reconciler.adapters.git.history import ancestry, descends_from_all, gaps, is_commit_id
from reconciler.adapters.git.lineage import came_in, merge_base
from reconciler.adapters.git.listing import contents, listed, no_folder
from reconciler.adapters.git.memory import CommitContent, Memory
from reconciler.adapters.git.pulls import OWN_REFS, fetch_pull
from reconciler.adapters.git.repository import Repository
from reconciler.adapters.git.watching import Places, Watch
from reconciler.adapters.git.whereabouts import Whereabouts
from reconciler.core.desired import Revision
from reconciler.ports.pack_source import Ancestry, Gaps, Listing, PackFiles, PackSource, PackSourceError


def pack_source(folder: Path) -> PackSource:
    """A GitPackSource when the folder lies in a repository (also a bare one), a FolderPackSource otherwise."""
    folder = folder.absolute()
    in_git = any((place / ".git").exists() or _is_bare_repository(place) for place in (folder, *folder.parents))
    return GitPackSource(folder) if in_git else FolderPackSource(folder)


class GitPackSource:
    """The repository may be cloned again between two questions. Only what a full commit id stands for is remembered
    beyond that, as it is the same in any clone."""

    def __init__(self, folder: Path, fetch_limit: float = FETCH_LIMIT) -> None:
        self._folder = folder
        self._fetch_limit = fetch_limit
        self._whereabouts = Whereabouts(folder)
        self._memory = Memory()
        self._watch = Watch(self._places)

    @property
    def has_commits(self) -> bool:
        return True

    async def committed(self, revision: str = "HEAD") -> PackFiles:
        return await asyncio.to_thread(self._committed, revision)

    async def working_tree(self) -> PackFiles:
        return await asyncio.to_thread(self._working_tree)

    async def listed(self, revision: str) -> Listing | None:
        return await asyncio.to_thread(self._listed, revision)

    async def identified(self, files: Mapping[str, bytes], like: str) -> Mapping[str, str]:
        return {path: repo.blob_id(content, like) for path, content in files.items()}

    async def contents(self, ids: Mapping[str, str]) -> Mapping[str, bytes]:
        return await asyncio.to_thread(lambda: contents(self._locate(), ids))

    async def gaps(self) -> Gaps:
        return await asyncio.to_thread(lambda: gaps(self._locate()))

    async def descends_from_all(self, older: Collection[str], newer: str) -> bool:
        unknown = [commit for commit in older if not self._memory.descends(commit, newer)]
        if older and not unknown:
            return True
        descends = await asyncio.to_thread(lambda: descends_from_all(self._locate(), unknown, newer))
        if descends:
            self._memory.keep_descent(unknown, newer)
        return descends

    async def ancestry(self, older: str, newer: str) -> Ancestry:
        if self._memory.descends(older, newer):
            return Ancestry.DESCENDS
        found = await asyncio.to_thread(lambda: ancestry(self._locate(), older, newer))
        if found is Ancestry.DESCENDS and is_commit_id(older) and is_commit_id(newer):
            self._memory.keep_descent([older], newer)
        return found

    async def fetch(self) -> None:
        await fetch(await asyncio.to_thread(self._locate), self._fetch_limit)

    async def newest(self, revision: str = "") -> str:
        await self._watch.begin()
        return await asyncio.to_thread(lambda: newest(self._locate(), revision))

    async def followed(self, revision: str = "") -> str:
        return await asyncio.to_thread(lambda: followed(self._locate(), revision))

    async def merge_base(self, older: str, newer: str) -> str:
        return await asyncio.to_thread(lambda: merge_base(self._locate(), older, newer))

    async def came_in(self, paths: Collection[str], since: str, until: str) -> Sequence[str]:
        return await asyncio.to_thread(lambda: came_in(self._locate(), paths, since, until))

    async def fetch_pull(self, number: int) -> str:
        return await fetch_pull(await asyncio.to_thread(self._locate), number, self._fetch_limit)

    async def changed(self, wait: float) -> bool:
        return await self._watch.changed(wait)

    def _locate(self) -> Repository:
        return self._whereabouts.repository()

    def _places(self) -> Places:
        try:
            repository = self._locate()
        except PackSourceError:
            return Places((self._folder,))
        tells = tuple(repository.common_dir / name for name in ("refs", "reftable"))
        trees = tells if repository.is_bare else (self._folder.resolve(), *tells)
        files = (repository.git_dir / "HEAD", repository.common_dir / "packed-refs")
        return Places(trees, files, beside=repository.common_dir / "refs" / OWN_REFS)

    def _committed(self, revision: str) -> PackFiles:
        folder = str(self._folder.resolve())
        known = self._memory.content(folder, revision)
        if known is not None:
            return _pack_files(known, revision, "")
        repository = self._locate()
        commit = repo.commit_id(repository, revision)
        if commit is None:
            raise repo.no_commit(repository, revision)
        branch = repo.branch_name(repository, revision)
        known = self._memory.content(folder, commit)
        if known is None:
            known = _content(repository, commit)
            self._memory.keep(folder, commit, known)
        return _pack_files(known, commit, branch)

    def _listed(self, revision: str) -> Listing | None:
        folder = str(self._folder.resolve())
        found = self._memory.listing(folder, revision)
        if found is None:
            found = listed(self._locate(), revision)
            if found is not None:
                self._memory.keep_listing(folder, found)
        return found

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
        revision = Revision(commit.id, is_committed, commit.branch, commit.author, digest(files))
        return PackFiles(revision, files, repository.prefix.strip("/"))

    def _existing_folder(self) -> Path:
        if not self._folder.exists():
            repository = self._locate()
            missing = gaps(repository)
            if missing.sparse or missing.deleted:
                raise _not_checked_out(repository, missing)
        return existing_folder(self._folder)


def _content(repository: Repository, commit: str) -> CommitContent:
    author = repo.author(repository, commit)
    files = {}
    for raw, content in repo.blobs(repository, _entries(repository, commit)).items():
        path = path_text(raw)
        files[path] = without_pointer(path, content, repository.lfs_objects)
    return CommitContent(author, repository.prefix.strip("/"), MappingProxyType(files), digest(files))


def _pack_files(content: CommitContent, commit: str, branch: str) -> PackFiles:
    revision = Revision(commit, is_committed=True, branch=branch, author=content.author, content=content.digest)
    return PackFiles(revision, content.files, content.folder)


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
        raise no_folder(repository, commit)
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


def _is_bare_repository(place: Path) -> bool:
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()
