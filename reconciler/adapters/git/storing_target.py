"""Which branch a put goes to: the one that the packs are read from, on the remote that it is fetched from; never one
whose commits would not be read here. Asks nobody but the clone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.following import Remote
from reconciler.adapters.git.pulls import OWN_REFS
from reconciler.adapters.git.repository import Repository
from reconciler.adapters.git.storing_failures import as_store_error
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError

_HEADS: Final = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Target:
    #: Of the remote or, without one, of this repository; with `refs/heads/`.
    branch: str
    #: Where this clone keeps it.
    tracking: str
    #: Where the branch begins when it is new; empty when it must not be.
    start: str = ""

    @property
    def name(self) -> str:
        return self.branch.removeprefix(_HEADS)


def check_branch(repository: Repository, branch: str) -> None:
    if branch and git(repository.root, "check-ref-format", f"{_HEADS}{branch}", may_fail=(1,)).code != 0:
        raise PackStoreError(f"{branch!r} is not a name that a branch can have.", "Choose another one.")
    if branch.startswith("-"):
        raise PackStoreError(f"{branch!r} begins with a hyphen, as no branch may.", "Choose another one.")


def local_target(repository: Repository, revision: str, branch: str) -> Target:
    """Where there is no remote."""
    followed = _read_from(repository, revision, None)
    if not followed.startswith(_HEADS):
        raise PackStoreError(
            f"The packs of {repository.root} are read from {followed!r}, and there is no remote it could be pushed to.",
            "Add the remote (`git remote add`), or let `packs_revision` name a branch of this repository.",
        )
    return _with_branch(Target(followed, followed), branch, f"{_HEADS}{branch}")


def remote_target(repository: Repository, remote: Remote, revision: str, branch: str) -> Target:
    tracking = _read_from(repository, revision, remote)
    source = _counterpart(remote.refspecs, tracking, is_local=True)
    if source is None or not source.startswith(_HEADS):
        raise _not_followed(repository, remote, tracking)
    return _with_branch(Target(source, tracking), branch, tracking_of(remote, branch))


def tracking_of(remote: Remote, branch: str) -> str:
    """Where this clone keeps a branch of the remote: a place of our own when it fetches only others."""
    return _counterpart(remote.refspecs, f"{_HEADS}{branch}", is_local=False) or f"refs/{OWN_REFS}/heads/{branch}"


def refspecs(remote: Remote, branch: str) -> tuple[str, ...]:
    """All that is fetched, and `branch` if it is not among that: by a pattern, as a ref that is not there would fail
    the fetch."""
    if not branch or _counterpart(remote.refspecs, f"{_HEADS}{branch}", is_local=False) is not None:
        return remote.refspecs
    return (*remote.refspecs, f"+{_HEADS}{branch}*:refs/{OWN_REFS}/heads/{branch}*")


def with_push_urls(repository: Repository, remote: Remote) -> Remote:
    """What is pushed may go elsewhere than where it is fetched from, by a URL with another password."""
    urls = git(repository.root, "config", "--get-all", f"remote.{remote.name}.pushurl", may_fail=(1,)).text
    return replace(remote, urls=(*remote.urls, *urls.splitlines()))


def _with_branch(followed: Target, branch: str, tracking: str) -> Target:
    if not branch or branch == followed.name:
        return followed
    return Target(f"{_HEADS}{branch}", tracking, start=followed.tracking)


def _read_from(repository: Repository, revision: str, remote: Remote | None) -> str:
    """The full name of the ref that the newest commit is read from, be it there or not."""
    if revision and revision != "HEAD":
        full = git(repository.root, "rev-parse", "--symbolic-full-name", revision, may_fail=(128,)).text
        # A branch of an empty remote is not there yet, and `rev-parse` then says the name again.
        if not full.startswith("refs/") and remote is not None and revision.startswith(f"{remote.name}/"):
            full = f"refs/remotes/{revision}"
        if not full.startswith("refs/") or full.startswith("refs/tags/"):
            raise PackStoreError(
                f"The packs are read from {revision!r}, which is not a branch of {repository.root}.",
                "Let `packs_revision` name a branch, such as `origin/main`, or leave it empty.",
            )
        return full
    head = git(repository.root, "symbolic-ref", "--quiet", "HEAD", may_fail=(1, 128)).text
    if not head:
        raise PackStoreError(
            f"No branch is checked out in {repository.root}, so there is none to commit to.",
            "Check one out (`git switch main`), or let `packs_revision` name one, such as `origin/main`.",
        )
    return head if repository.is_bare else _upstream(repository, head, remote) or head


def _upstream(repository: Repository, head: str, remote: Remote | None) -> str | None:
    branch = head.removeprefix(_HEADS)
    merge, of = (
        git(repository.root, "config", "--get", f"branch.{branch}.{name}", may_fail=(1,)).text
        for name in ("merge", "remote")
    )
    if not merge:
        return None
    if of == ".":
        return merge
    if remote is None or of != remote.name:
        raise PackStoreError(
            f"The checked-out branch {branch!r} of {repository.root} follows the remote {of!r}, which is not there.",
            "Add it (`git remote add`), or follow another one (`git branch --set-upstream-to REMOTE/NAME`).",
        )
    tracking = _counterpart(remote.refspecs, merge, is_local=False)
    if tracking is None:
        raise _not_followed(repository, remote, merge)
    return tracking


def _not_followed(repository: Repository, remote: Remote, ref: str) -> PackStoreError:
    return PackStoreError(
        f"The packs of {repository.root} are read from {ref!r}, which no fetch from the remote {remote.name!r} brings "
        "up to date, so what is pushed there would not be read here.",
        f"Follow the remote (`git branch --set-upstream-to {remote.name}/NAME`), or let `packs_revision` name its "
        f"branch, such as `{remote.name}/main`.",
    )


def _counterpart(specs: Sequence[str], ref: str, *, is_local: bool) -> str | None:
    """What the remote calls a ref of this clone, or the other way round."""
    for spec in specs:
        source, _, destination = spec.removeprefix("+").partition(":")
        known, wanted = (destination, source) if is_local else (source, destination)
        if spec.startswith("^") or not known or not wanted:
            continue
        before, star, after = known.partition("*")
        if not star and known == ref:
            return wanted
        if star and ref.startswith(before) and ref.endswith(after) and len(ref) > len(before) + len(after) - 1:
            return wanted.replace("*", ref[len(before) : len(ref) - len(after)])
    return None


def tip(repository: Repository, ref: str) -> str | None:
    try:
        return repo.commit_id(repository, ref)
    except PackSourceError as error:
        raise as_store_error(error) from None
