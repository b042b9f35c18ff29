"""What this clone follows: the commit that is newest, and the remote that it comes from. Asks nobody but the clone."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.repository import Repository
from reconciler.ports.pack_source import PackSourceError


@dataclass(frozen=True, slots=True)
class Remote:
    name: str
    #: What is fetched, and where it is put.
    refspecs: tuple[str, ...]
    #: They may hold a password, so they are shown nowhere.
    urls: tuple[str, ...] = field(default=(), repr=False)


def newest(repository: Repository, revision: str) -> str:
    """The full id of the commit that `revision` names; "" is what the checked-out branch follows, or else HEAD."""
    if revision:
        return _existing(repository, revision)
    branch = "" if repository.is_bare else _checked_out_branch(repository)
    if branch and (followed := _setting(repository, f"branch.{branch}.merge")):
        upstream = repo.commit_id(repository, "@{upstream}")
        # Before anything was ever committed or fetched there is nothing that could be gone.
        if upstream is None and repo.is_named(repository):
            raise _branch_is_gone(branch, followed, _setting(repository, f"branch.{branch}.remote"))
        if upstream is not None:
            return upstream
    return _existing(repository, "HEAD")


def followed(repository: Repository, revision: str) -> str:
    """What the remote calls the branch that `newest` follows; empty when it follows none."""
    if not revision:
        branch = _checked_out_branch(repository)
        return _setting(repository, f"branch.{branch}.merge").removeprefix("refs/heads/") or branch
    named = repo.branch_name(repository, revision)
    remotes = git(repository.root, "remote").text.split()
    return next((named.removeprefix(f"{name}/") for name in remotes if named.startswith(f"{name}/")), named)


def remote_of(repository: Repository) -> Remote | None:
    """That of the branch that is checked out, else `origin`, else the only one."""
    names = git(repository.root, "remote").text.split()
    upstream = _setting(repository, f"branch.{_checked_out_branch(repository)}.remote")
    chosen = next((name for name in (upstream, "origin") if name in names), names[0] if len(names) == 1 else None)
    if chosen is None:
        return None
    urls = _settings(repository, f"remote.{chosen}.url")
    configured = tuple(_settings(repository, f"remote.{chosen}.fetch"))
    specs = configured if repository.is_bare else tuple(_for_remote_branches(configured))
    if not any(not spec.startswith("^") for spec in specs):
        specs = (f"+refs/heads/*:refs/remotes/{chosen}/*", *specs)
    return Remote(chosen, specs, tuple(urls))


def _for_remote_branches(specs: tuple[str, ...]) -> Iterator[str]:
    """Where somebody works, only `refs/remotes/` is written. Forced: a branch that was rewound is what it is now."""
    for spec in specs:
        if spec.startswith("^"):
            yield spec
        elif spec.partition(":")[2].startswith("refs/remotes/"):
            yield f"+{spec.removeprefix('+')}"


def _checked_out_branch(repository: Repository) -> str:
    """Empty when HEAD is detached."""
    return git(repository.root, "symbolic-ref", "--quiet", "--short", "HEAD", may_fail=(1, 128)).text


def _setting(repository: Repository, name: str) -> str:
    return next(iter(_settings(repository, name)[-1:]), "")


def _settings(repository: Repository, name: str) -> list[str]:
    return git(repository.root, "config", "--get-all", name, may_fail=(1,)).text.splitlines()


def _existing(repository: Repository, revision: str) -> str:
    commit = repo.commit_id(repository, revision)
    if commit is None:
        raise repo.no_commit(repository, revision)
    return commit


def _branch_is_gone(branch: str, followed: str, remote: str) -> PackSourceError:
    shown = followed.removeprefix("refs/heads/")
    return PackSourceError(
        f"The branch {shown!r} of the remote {remote!r}, which {branch!r} follows, is not in this clone: it was "
        "deleted there, or this clone does not fetch it. Nothing is taken to be removed.",
        f"Push it again, or follow another one (`git branch --set-upstream-to {remote}/NAME`).",
    )
