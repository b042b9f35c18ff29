"""The packs folder at a commit without its contents, and of those only what is asked for: two processes, however many
files there are."""

import os
from collections.abc import Mapping
from types import MappingProxyType

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.contents import check_size, without_pointer
from reconciler.adapters.git.history import is_commit_id
from reconciler.adapters.git.repository import Repository
from reconciler.core.desired import Revision
from reconciler.ports.pack_source import Listing, NoFolderError, PackSourceError


def listed(repository: Repository, revision: str) -> Listing | None:
    """None when a path is not text."""
    commit = repo.commit_id(repository, revision)
    if commit is None:
        raise repo.no_commit(repository, revision)
    branch = "" if is_commit_id(revision) else repo.branch_name(repository, revision)
    found = repo.entries(repository, commit)
    if not found or os.fsencode(repository.prefix) in found:
        raise no_folder(repository, commit)
    try:
        ids = {path.decode(): oid for path, oid in found.items()}
    except UnicodeDecodeError:
        return None
    author = repo.author(repository, commit)
    return Listing(
        Revision(commit, is_committed=True, branch=branch, author=author),
        repository.prefix.strip("/"),
        MappingProxyType(ids),
    )


def contents(repository: Repository, ids: Mapping[str, str]) -> Mapping[str, bytes]:
    if not ids:
        return {}
    found = {}
    for raw, content in repo.blobs(repository, {path.encode(): oid for path, oid in ids.items()}).items():
        path = raw.decode()
        check_size(path, len(content))
        found[path] = without_pointer(path, content, repository.lfs_objects)
    return found


def no_folder(repository: Repository, commit: str) -> PackSourceError:
    return NoFolderError(
        f"There is no folder {repository.prefix or '/'!r} with files in commit {commit[:12]} of {repository.root}. "
        "Nothing is taken to be removed.",
        "Check `packs_dir` and the commit; an empty folder needs one committed file, such as a README.",
    )
