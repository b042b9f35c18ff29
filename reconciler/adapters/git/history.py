"""What a clone can and cannot tell: how two commits stand to each other, and which files it did not check out."""

import os
import re
from collections.abc import Collection
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git, refuse_damage
from reconciler.adapters.git.contents import path_text
from reconciler.adapters.git.repository import Repository
from reconciler.ports.pack_source import Ancestry, Gaps

_COMMIT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_commit_id(revision: str) -> bool:
    """Whether it can mean but one commit, today and tomorrow."""
    return _COMMIT_ID.fullmatch(revision) is not None


def descends_from_all(repository: Repository, older: Collection[str], newer: str) -> bool:
    """Hundreds of commits on record cost one process: nothing may be left of them that `newer` does not reach. Where
    history is cut off, damaged or unknown (or commits are dated before their parents), something is, or git fails."""
    if not all(map(is_commit_id, (newer, *older))):
        return False
    lines = "".join(f"{line}\n" for line in (*older, f"^{newer}"))
    answer = git(repository.root, "rev-list", "--max-count=1", "--stdin", stdin=lines.encode(), may_fail=(1, 128))
    return answer.code == 0 and not answer.out


def ancestry(repository: Repository, older: str, newer: str) -> Ancestry:
    """One process when `newer` descends from `older`; only other answers need a closer look."""
    if not _is_option(older) and not _is_option(newer):
        answer = git(repository.root, "merge-base", "--is-ancestor", older, newer, may_fail=(1, 128))
        if answer.code == 0:
            return Ancestry.DESCENDS
        refuse_damage(repository.root, "merge-base", answer)
    tip = repo.commit_id(repository, newer)
    if tip is None:
        raise repo.no_commit(repository, newer)
    known = repo.commit_id(repository, older)
    # Where history is cut off, "no" only means that no path was found in what is here.
    if repo.is_shallow(repository):
        return Ancestry.CUT_OFF
    return Ancestry.UNKNOWN if known is None else _without_descent(repository, known, tip)


def _without_descent(repository: Repository, older: str, newer: str) -> Ancestry:
    # Before Git 2.45 merge-base takes a missing commit for the start of history and says no; this says what is wrong.
    git(repository.root, "rev-list", "--count", older, newer)
    common = git(repository.root, "merge-base", older, newer, may_fail=(1,))
    if common.code == 1:
        return Ancestry.UNRELATED
    return Ancestry.REWOUND if common.text == newer else Ancestry.DIVERGED


def _is_option(revision: str) -> bool:
    return not revision or revision.startswith("-")


def gaps(repository: Repository) -> Gaps:
    if repository.is_bare or not repo.is_named(repository):
        return Gaps()
    at_head = repo.entries(repository, repo.commit_facts(repository, "HEAD").id)
    absent = {path for path in at_head if not os.path.lexists(repository.root / os.fsdecode(path))}
    sparse = absent & repo.sparse_files(repository)
    return Gaps(_shown(sparse), _shown(absent - sparse))


def _shown(paths: set[bytes]) -> tuple[str, ...]:
    return tuple(sorted(map(path_text, paths)))
