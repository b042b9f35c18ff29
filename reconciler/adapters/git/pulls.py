"""Brings one pull request to this clone, as a commit to be read: nothing of it is checked out or run. Whether its plan
may be shown to anybody is others' to say."""

import asyncio
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.fetching import FETCH_LIMIT, fetch
from reconciler.adapters.git.following import remote_of
from reconciler.adapters.git.repository import Repository
from reconciler.ports.pack_source import PackSourceError

#: Apart from branches and tags: no command that a person types finds it by a short name.
OWN_REFS: Final = "sharepack"


async def fetch_pull(repository: Repository, number: int, limit: float = FETCH_LIMIT) -> str:
    """The commit that merging it would make, or its newest commit where there is none of that. `limit` in seconds.
    Raises PackSourceError."""
    remote = await asyncio.to_thread(remote_of, repository)
    if remote is None:
        raise PackSourceError(
            f"{repository.root} has no remote to take pull request {number} from.",
            "Add the one it was cloned from (`git remote add origin URL`).",
        )
    # A pattern, as a ref that is not there would fail the fetch, and one that is gone is pruned by it.
    await fetch(repository, limit, (f"+refs/pull/{number}/*:{_place(number)}/*",))
    commit = await asyncio.to_thread(_fetched, repository, number)
    if commit is None:
        raise PackSourceError(
            f"The remote {remote.name!r} of {repository.root} offers no pull request {number}.",
            f"Check the number, and that the host keeps pull requests as `refs/pull/{number}/head`, as GitHub does.",
        )
    return commit


def _fetched(repository: Repository, number: int) -> str | None:
    head = repo.commit_id(repository, f"{_place(number)}/head")
    merged = repo.commit_id(repository, f"{_place(number)}/merge")
    # When there are conflicts, GitHub leaves the merge of an older head there.
    return merged if merged is not None and _parents(repository, merged)[1:] == [head] else head


def _parents(repository: Repository, commit: str) -> list[str]:
    """As written in the commit: at the end of a shallow history `git rev-list --parents` tells of none."""
    written = git(repository.root, "cat-file", "commit", commit).text.partition("\n\n")[0]
    return [line.removeprefix("parent ") for line in written.split("\n") if line.startswith("parent ")]


def _place(number: int) -> str:
    return f"refs/{OWN_REFS}/pull/{number}"
