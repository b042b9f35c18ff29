"""Where a branch left another, and what came in along the first-parent line. A clone whose history ends before that can
be told is refused: it must not look as if nothing had come in, or as if a branch had begun where the clone does."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.repository import Repository
from reconciler.ports.pack_source import PackSourceError

DEEPEN: Final = "Give actions/checkout `fetch-depth: 0`; elsewhere run `git fetch --unshallow`."


def merge_base(repository: Repository, older: str, newer: str) -> str:
    """In a shallow clone it is certain when nothing is left out on the way to it: then no way leads to a newer one."""
    left, right = _known(repository, older), _known(repository, newer)
    found = git(repository.root, "merge-base", left, right, may_fail=(1,))
    base = found.text if found.code == 0 else ""
    ends = _ends(repository)
    if ends and not ends.isdisjoint(_reached(repository, left, right, *([f"^{base}"] if base else []))):
        raise _too_shallow(repository, f"where {_shown(newer)} left {_shown(older)}")
    if not base:
        # Before Git 2.45 a missing commit is taken for the start of history; this says what is wrong.
        git(repository.root, "rev-list", "--count", left, right)
        raise PackSourceError(
            f"{_shown(newer)} and {_shown(older)} have no commit in common in {repository.root}.",
            "Check that both are branches of one repository.",
        )
    return base


def came_in(repository: Repository, paths: Collection[str], since: str, until: str) -> Sequence[str]:
    tip = _known(repository, until)
    start = _known(repository, since) if since else ""
    if not paths:
        return ()
    if _is_line_cut_off(repository, start, tip):
        raise _too_shallow(repository, f"what came in {f'since {_shown(since)}' if since else 'from the beginning'}")
    line = _line(repository, start, tip)
    wanted = {path.strip("/").encode("utf-8", "surrogateescape") for path in paths}
    changed = {commit for commit, path in _changes(repository, line) if not wanted.isdisjoint(_and_above(path))}
    return tuple(commit for commit in line if commit in changed)


def _line(repository: Repository, start: str, tip: str) -> Mapping[str, str]:
    """Commits of the first-parent line, oldest first, each with its first parent (empty for the first of all)."""
    asked = ("--first-parent", "--parents", tip, *([f"^{start}"] if start else []))
    listed = [line.split() for line in git(repository.root, "rev-list", *asked).text.splitlines()]
    return {commit: next(iter(parents), "") for commit, *parents in reversed(listed)}


def _changes(repository: Repository, line: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """What each commit changed of its first parent. Not `rev-list -- paths`: that takes 20 s for 300 paths in 20,000
    commits, and leaves out the merge of a commit that it is asked since."""
    asked = "".join(f"{commit} {parent}".rstrip() + "\n" for commit, parent in line.items())
    options = ("--stdin", "--root", "-r", "-z", "--raw", "--no-renames")
    told = iter(git(repository.root, "diff-tree", *options, stdin=asked.encode()).out.split(b"\0")[:-1])
    commit = ""
    for word in told:
        # A file as `:mode mode id id status`, then its path; anything else is the commit that follows.
        if word.startswith(b":"):
            yield commit, next(told)
        else:
            commit = word.decode()


def _and_above(path: bytes) -> Iterator[bytes]:
    """The path, its folders, and the repository itself, which is empty."""
    while path:
        yield path
        path = path.rpartition(b"/")[0]
    yield b""


def _known(repository: Repository, revision: str) -> str:
    commit = repo.commit_id(repository, revision)
    if commit is not None:
        return commit
    if repo.is_shallow(repository):
        raise PackSourceError(
            f"There is no commit {revision!r} in {repository.root}, which is a shallow clone: it holds only the newest "
            "commits.",
            DEEPEN,
        )
    raise repo.no_commit(repository, revision)


def _is_line_cut_off(repository: Repository, start: str, tip: str) -> bool:
    """Whether history ends, for this clone alone, before the first-parent line comes to `start` ("": to its first
    commit). What a commit beside the line has in common with it cannot be told where anything is left out."""
    ends = _ends(repository)
    if not ends:
        return False
    line = _reached(repository, tip, "--first-parent")
    if start and start not in line:
        return True
    return not ends.isdisjoint(line[: line.index(start)] if start else line)


def _reached(repository: Repository, *asked: str) -> list[str]:
    return git(repository.root, "rev-list", *asked).text.split()


def _ends(repository: Repository) -> frozenset[str]:
    """Commits that have parents which this clone leaves out; of a whole clone none."""
    with suppress(FileNotFoundError):
        return frozenset((repository.common_dir / "shallow").read_text(encoding="ascii").split())
    return frozenset()


def _too_shallow(repository: Repository, question: str) -> PackSourceError:
    return PackSourceError(
        f"This clone is shallow: the history in {repository.root} ends before it can be told {question}.", DEEPEN
    )


def _shown(revision: str) -> str:
    return revision[:12] if re.fullmatch(r"[0-9a-f]{40,64}", revision) else repr(revision)
