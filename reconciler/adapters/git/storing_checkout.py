"""Keeps the working tree in step where the branch that was committed to is checked out in it: the files of a put, and
only those that nobody has touched, or Git would show the commit as taken back. What is to be done is written down
before the branch moves, so that the next put ends what a killed process began.
"""

import json
import os
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.pulls import OWN_REFS
from reconciler.adapters.git.repository import Repository
from reconciler.adapters.git.storing_commit import run
from reconciler.adapters.git.storing_failures import cannot_write
from reconciler.adapters.git.storing_paths import Entry
from reconciler.adapters.git.storing_target import Target
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError

#: How often, and after how many seconds, an index that somebody else holds is tried again.
_TRIES: Final = 10
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Record:
    #: Full name.
    branch: str
    #: Empty before the first commit.
    base: str
    commit: str
    paths: tuple[str, ...]


def remember(
    repository: Repository, target: Target, base: str | None, commit: str, paths: Collection[str]
) -> Record | None:
    """Before the branch moves. None when it is not checked out here. Raises PackStoreError."""
    if repository.is_bare or _checked_out(repository) != target.branch:
        return None
    record = Record(target.branch, base or "", commit, tuple(sorted(paths)))
    place = _place(repository)
    try:
        place.parent.mkdir(exist_ok=True)
        beside = place.with_suffix(".new")
        beside.write_text(json.dumps(asdict(record)), encoding="utf-8")
        beside.replace(place)
    except OSError as error:
        said = f"{error.strerror}: {place}"
        raise cannot_write(repository.root, said) or PackStoreError(f"{place} cannot be written: {said}") from None
    return record


def mend(repository: Repository) -> None:
    """Ends what a killed process began."""
    if repository.is_bare:
        return
    try:
        found = json.loads(_place(repository).read_text(encoding="utf-8"))
        record = Record(found["branch"], found["base"], found["commit"], tuple(found["paths"]))
    except (OSError, ValueError, LookupError, TypeError):
        return
    bring_along(repository, record)


def bring_along(repository: Repository, record: Record | None) -> None:
    """Never fails: the commit is there. What could not be done is tried again by the next put."""
    if record is None:
        return
    with suppress(OSError, PackSourceError, PackStoreError):
        if _checked_out(repository) == record.branch and _is_in(repository, record.commit):
            _follow(repository, record)
        _place(repository).unlink(missing_ok=True)


def _follow(repository: Repository, record: Record) -> None:
    old = _at(repository, record.base, record.paths) if record.base else {}
    new = _at(repository, "HEAD", record.paths)
    indexed = _indexed(repository, record.paths)
    staged = []
    for path in record.paths:
        was, now, staged_as = old.get(path), new.get(path), indexed.get(path)
        if staged_as not in (was, now):
            continue
        _bring_file(repository, path, was, now)
        if staged_as != now:
            mode, oid = (now.mode, now.oid) if now is not None else ("0", "0" * len(record.commit))
            staged.append(f"{mode} {oid}\t{path}\0")
    if staged:
        _bring_index(repository, "".join(staged).encode())


def _bring_file(repository: Repository, path: str, was: Entry | None, now: Entry | None) -> None:
    """Bytes as they are in Git: whoever has line endings changed on the way finds that the file was changed, and it
    stays; a filter is a program that somebody's configuration names."""
    place = repository.root / path
    if not place.parent.resolve().is_relative_to(repository.root) or place.parent.resolve() != place.parent:
        return
    if place.is_symlink() or (place.exists() and not place.is_file()):
        return
    content = place.read_bytes() if place.exists() else None
    like = (was or now or Entry("", "0" * 40)).oid
    there = None if content is None else repo.blob_id(content, like)
    wanted = now.oid if now is not None else None
    if there == wanted or there != (was.oid if was is not None else None):
        return
    if now is None:
        place.unlink()
        with suppress(OSError):
            for above in place.relative_to(repository.root).parents[:-1]:
                (repository.root / above).rmdir()
        return
    _write(place, git(repository.root, "cat-file", "blob", now.oid).out, 0o777 if now.mode == "100755" else 0o666)


def _write(place: Path, content: bytes, mode: int) -> None:
    """Whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name[:100]}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        beside.replace(place)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _bring_index(repository: Repository, changes: bytes) -> None:
    """On a copy, which then takes the place of the index under Git's own lock: the lock is there for two calls of the
    system, not for a run of git.

    Git looks at files that changed in the second in which the index was written, and runs their filters for that. Here
    it finds no files. So that the next git looks instead, the copy is dated as the index was."""
    index, lock = repository.git_dir / "index", repository.git_dir / "index.lock"
    copy = _place(repository).with_name("index")
    nothing = _place(repository).with_name("nothing")
    nothing.mkdir(exist_ok=True)
    there = replace(repository, root=nothing)
    more = {"GIT_INDEX_FILE": str(copy), "GIT_DIR": str(repository.git_dir), "GIT_WORK_TREE": str(nothing)}
    for _ in range(_TRIES):
        copy.with_name("index.lock").unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
        dated = index.stat().st_mtime_ns if index.exists() else None
        before = index.read_bytes() if dated is not None else b""
        if before:
            copy.write_bytes(before)
        run(there, "update-index", "--add", "-z", "--index-info", stdin=changes, more=more)
        if dated is not None:
            os.utime(copy, ns=(dated, dated))
        try:
            lock.hardlink_to(copy)
        except FileExistsError:
            time.sleep(_PAUSE)
            continue
        copy.unlink()
        if (index.read_bytes() if index.exists() else b"") == before:
            lock.replace(index)
            return
        lock.unlink()
    raise PackStoreError(f"{lock} is there.", "Another git is at work in this clone.")


def _at(repository: Repository, revision: str, paths: Collection[str]) -> Mapping[str, Entry]:
    found = {}
    listed = git(repository.root, "ls-tree", "-z", "--full-tree", revision, "--", *paths).out
    for line in listed.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, oid = facts.decode().split()
        found[os.fsdecode(path)] = Entry(mode, oid)
    return found


def _indexed(repository: Repository, paths: Collection[str]) -> Mapping[str, Entry]:
    """A path that is in conflict, or left out of the working tree, has an entry like no other."""
    found = {}
    listed = git(repository.root, "ls-files", "-z", "-t", "--stage", "--", *paths).out
    for line in listed.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        tag, mode, oid, stage = facts.decode().split()
        found[os.fsdecode(path)] = Entry(mode if (tag, stage) == ("H", "0") else "", oid)
    return found


def _checked_out(repository: Repository) -> str:
    return git(repository.root, "symbolic-ref", "--quiet", "HEAD", may_fail=(1, 128)).text


def _is_in(repository: Repository, commit: str) -> bool:
    return git(repository.root, "merge-base", "--is-ancestor", commit, "HEAD", may_fail=(1, 128)).code == 0


def _place(repository: Repository) -> Path:
    return repository.git_dir / OWN_REFS / "behind.json"
