"""Writes packs to Git: a commit on top of what the remote has now, pushed only if nothing came in between, else made
anew on top of that. Without a remote, the same with the branch of this repository. Who may hand in what, and whether it
is a pack, is decided by others.

Nothing is checked out: what a killed process leaves are loose objects that nothing leads to.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.fetching import FETCH_LIMIT, fetch, talk
from reconciler.adapters.git.following import Remote, remote_of
from reconciler.adapters.git.pulls import OWN_REFS
from reconciler.adapters.git.repository import Repository
from reconciler.adapters.git.storing_checkout import bring_along, mend, remember
from reconciler.adapters.git.storing_commit import attempt, line, person
from reconciler.adapters.git.storing_failures import (
    TurnedAwayError,
    cannot_write,
    is_locked,
    is_overtaken,
    not_pushed,
)
from reconciler.adapters.git.storing_paths import check_paths
from reconciler.adapters.git.storing_target import (
    Target,
    check_branch,
    local_target,
    refspecs,
    remote_target,
    tip,
    with_push_urls,
)
from reconciler.adapters.git.storing_turn import Turn, alone
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError, Put, Stored

COMMITTER: Final = "sharepack <sharepack@localhost>"

#: Others may be faster this often, and for as many seconds: giving up takes both.
_TRIES: Final = 10
_PATIENCE: Final = 30.0
#: Seconds before the second try, at most, and before any.
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0

#: Puts in one push.
_MOST: Final = 100

_AGAIN: Final = (
    "Check the network and a proxy, and hand it in again: should it have arrived, nothing is committed twice."
)

#: For the reflog.
_REASON: Final = "sharepack: put"

#: No hook, no question for a signature, nothing beside the one branch.
_PUSH: Final = ("push", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no", "--no-progress")


_Outcome: TypeAlias = Stored | PackStoreError


@dataclass(slots=True, eq=False)
class _Asked:
    """A put, from when it is asked for until it is told what became of it."""

    put: Put
    branch: str
    outcome: _Outcome | None = None
    is_alone: bool = False


class GitPackStore:
    """Use it from any task and thread. `revision`: what the packs are read from, as for reading (`packs_revision`).
    `limit`: seconds for each exchange with the remote."""

    def __init__(
        self, folder: Path, revision: str = "", *, committer: str = COMMITTER, limit: float = FETCH_LIMIT
    ) -> None:
        self._folder = folder.absolute()
        self._revision = revision
        self._committer = person(committer)
        self._limit = limit
        self._turn = Turn()
        self._asked: list[_Asked] = []

    async def put(self, put: Put, branch: str = "") -> Stored:
        asked = _Asked(put, branch)
        self._asked.append(asked)
        try:
            async with self._turn:
                while asked.outcome is None:
                    await self._serve(self._together(asked))
        finally:
            self._asked.remove(asked)
        if isinstance(asked.outcome, Stored):
            return asked.outcome
        raise asked.outcome

    def _together(self, first: _Asked) -> Sequence[_Asked]:
        """Who waits meanwhile is served with the same push: an exchange with a remote takes a second."""
        if first.is_alone:
            return (first,)
        waiting = [each for each in list(self._asked) if each.outcome is None and not each.is_alone]
        others = [each for each in waiting if each is not first and each.branch == first.branch]
        return (first, *others[: _MOST - 1])

    async def _serve(self, batch: Sequence[_Asked]) -> None:
        try:
            repository = await asyncio.to_thread(repo.locate, self._folder.resolve())
            await asyncio.to_thread(check_branch, repository, batch[0].branch)
            batch = _sound(repository, batch)
            if not batch:
                return
            async with alone(repository.common_dir / OWN_REFS, self._limit):
                remote = await asyncio.to_thread(remote_of, repository)
                if remote is None:
                    outcomes = await self._here(repository, batch)
                else:
                    remote = await asyncio.to_thread(with_push_urls, repository, remote)
                    outcomes = await self._there(repository, remote, batch)
        except (PackSourceError, PackStoreError) as error:
            for each in batch:
                # It may be only one of them that the remote will not have.
                each.is_alone = isinstance(error, TurnedAwayError) and len(batch) > 1
                each.outcome = None if each.is_alone else PackStoreError(error.what, error.advice)
            return
        except OSError as error:
            what = f"Nothing can be written for the Git repository of {self._folder}: {error.strerror or error}."
            advice = "Make room, or let this process write to its temporary folder."
            outcomes = [PackStoreError(what, advice) for _ in batch]
        for each, outcome in zip(batch, outcomes, strict=True):
            each.outcome = outcome

    async def _here(self, repository: Repository, batch: Sequence[_Asked]) -> Sequence[_Outcome]:
        said = ""
        for pause in _pauses():
            outcome = await asyncio.to_thread(self._commit_here, repository, batch)
            if not isinstance(outcome, str):
                return outcome
            said = outcome
            await asyncio.sleep(pause)
        raise cannot_write(repository.root, said) or _too_busy(f"the Git repository {repository.root}")

    def _commit_here(self, repository: Repository, batch: Sequence[_Asked]) -> Sequence[_Outcome] | str:
        """What git said when somebody else was faster."""
        target = local_target(repository, self._revision, batch[0].branch)
        mend(repository)
        old = tip(repository, target.tracking)
        base = old or _start(repository, target)
        made, outcomes = self._grown(repository, base, batch)
        if made is None or made == base:
            return outcomes
        done = (each.put for each, outcome in zip(batch, outcomes, strict=True) if isinstance(outcome, Stored))
        paths = {path for put in done for path in put.files}
        record = remember(repository, target, base, made, paths)
        moved = attempt(repository, "update-ref", "-m", _REASON, target.branch, made, old or "0" * len(made))
        if moved.code == 0:
            bring_along(repository, record)
            return outcomes
        if is_overtaken(moved.said) or is_locked(moved.said):
            return moved.said
        begin = f"The branch {target.name!r} of {repository.root} could not be moved"
        raise cannot_write(repository.root, moved.said) or PackStoreError(f"{begin}: {moved.said.strip()}")

    def _grown(
        self, repository: Repository, base: str | None, batch: Sequence[_Asked]
    ) -> tuple[str | None, Sequence[_Outcome]]:
        """The tip of a line of commits, and what becomes of each once a branch leads to it."""
        outcomes: list[_Outcome] = []
        with line(repository, base, self._committer) as grown:
            grown.prepare(each.put for each in batch)
            for each in batch:
                try:
                    made = grown.add(each.put)
                    outcomes.append(Stored(made or _known(repository, grown.tip), is_new=made is not None))
                except (PackSourceError, PackStoreError) as error:
                    outcomes.append(PackStoreError(error.what, error.advice))
        return grown.tip, outcomes

    async def _there(self, repository: Repository, remote: Remote, batch: Sequence[_Asked]) -> Sequence[_Outcome]:
        failed = _too_busy(f"the remote {remote.name!r} of {repository.root}")
        branch = batch[0].branch
        for pause in _pauses():
            await fetch(repository, self._limit, refspecs(remote, branch))
            target, base, old = await asyncio.to_thread(self._look, repository, remote, branch)
            made, outcomes = await asyncio.to_thread(self._grown, repository, base, batch)
            if made is None or made == base:
                return outcomes
            said = await self._push(repository, remote, target, made, old)
            if not said:
                return outcomes
            if not is_overtaken(said):
                failed = not_pushed(repository.root, remote, target.name, said)
            await asyncio.sleep(pause)
        raise failed

    def _look(self, repository: Repository, remote: Remote, branch: str) -> tuple[Target, str | None, str | None]:
        """Where it goes, what it goes on top of, and what the branch is at (None: it is new)."""
        target = remote_target(repository, remote, self._revision, branch)
        old = tip(repository, target.tracking)
        base = old or _start(repository, target)
        if base is None and target.start:
            raise PackStoreError(
                f"The branch {target.name!r} cannot begin at {target.start!r}, which is not there.",
                "Push a first commit to the branch that the packs are read from.",
            )
        if base is None and _has_branches(repository, target):
            raise PackStoreError(
                f"The branch {target.name!r} of the remote {remote.name!r} of {repository.root} is not there, and the "
                "remote is not empty.",
                "Push it again, or let `packs_revision` name another one.",
            )
        return target, base, old

    async def _push(self, repository: Repository, remote: Remote, target: Target, made: str, old: str | None) -> str:
        """Empty when it is there; what git said when somebody else was faster."""
        lease = f"--force-with-lease={target.branch}:{old or ''}"
        # A mirror takes no single branches otherwise.
        arguments = ("-c", f"remote.{remote.name}.mirror=false", "-c", "push.pushOption=", *_PUSH, lease)
        refspec = f"{made}:{target.branch}"
        try:
            ended = await talk(repository, remote, (*arguments, remote.name, refspec), self._limit, "Pushing to")
        except PackSourceError as error:
            if await self._arrived(repository, remote, target, made):
                return ""
            raise PackStoreError(error.what, _AGAIN) from None
        if ended.code == 0:
            await asyncio.to_thread(_keep, repository, target, made, old)
            return ""
        if is_overtaken(ended.said) or is_locked(ended.said):
            return ended.said
        if "rejected]" not in ended.said and await self._arrived(repository, remote, target, made):
            return ""
        raise not_pushed(repository.root, remote, target.name, ended.said)

    async def _arrived(self, repository: Repository, remote: Remote, target: Target, made: str) -> bool:
        """Whether the remote took it though the answer was lost."""
        try:
            await fetch(repository, self._limit, refspecs(remote, target.name))
            return await asyncio.to_thread(_is_in, repository, made, target.tracking)
        except PackSourceError:
            return False


def _sound(repository: Repository, batch: Sequence[_Asked]) -> Sequence[_Asked]:
    """Those whose files may be written; the others are told why not."""
    for each in batch:
        try:
            check_paths(each.put.files, repository.prefix)
        except (PackSourceError, PackStoreError) as error:
            each.outcome = PackStoreError(error.what, error.advice)
    return [each for each in batch if each.outcome is None]


def _pauses() -> Iterator[float]:
    """Seconds to wait after each try; ends when it is time to give up."""
    until = time.monotonic() + _PATIENCE
    tries = 0
    while tries < _TRIES or time.monotonic() < until:
        yield random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries))  # noqa: S311 - only not to step in time
        tries += 1


def _keep(repository: Repository, target: Target, made: str, old: str | None) -> None:
    """Push does so itself for branches that the configuration fetches. A fetch may have brought a newer one meanwhile;
    and if it cannot be written now, the next fetch will: the commit is where it belongs."""
    if tip(repository, target.tracking) == old:
        arguments = ("-m", _REASON, target.tracking, made, old or "0" * len(made))
        attempt(repository, "update-ref", *arguments)


def _is_in(repository: Repository, commit_id: str, ref: str) -> bool:
    return git(repository.root, "merge-base", "--is-ancestor", commit_id, ref, may_fail=(1, 128)).code == 0


def _start(repository: Repository, target: Target) -> str | None:
    return tip(repository, target.start) if target.start else None


def _known(repository: Repository, base: str | None) -> str:
    if base is None:
        raise PackStoreError(f"{repository.root} has no commit yet, and this would not make one.", "Hand in a file.")
    return base


def _has_branches(repository: Repository, target: Target) -> bool:
    """Whether the clone knows any other branch of the remote."""
    beside = (target.start or target.tracking).rpartition("/")[0]
    return bool(git(repository.root, "for-each-ref", "--count=1", "--format=%(refname)", beside).text)


def _too_busy(where: str) -> PackStoreError:
    return PackStoreError(
        f"Others were faster {_TRIES} times and more: {where} takes too many commits at once.",
        "Hand it in again in a minute; nothing was changed.",
    )
