"""Where a branch left another, and what came in along the first-parent line. A clone whose history ends before that can
be told is refused: it must not look as if nothing had come in, or as if a branch had begun where the clone does."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import git
from reconciler.adapters.git.repository import Repository
from reconciler.ports.pack_source import PackSourceError

DEEPEN: Final = "Give actions/checkout `fetch-depth: 0`; elsewhere run `git fetch --unshallow`."

_LINE_BREAK: Final = re.compile(r"[\n\r]")


def merge_base(repository: Repository, older: str, newer: str) -> str:
    """In a shallow clone it is certain when nothing is left out on the way to it: then no way leads to a newer one."""
    left, right = _known(repository, older), _known(repository, newer)
    found = git(repository.root, "merge-base", left, right, may_fail=(1,))
    base = found.text if found.code == 0 else ""
    if not _ends(repository).isdisjoint(_reached(repository, left, right, *([f"^{base}"] if base else []))):
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
    stretch = _stretch(repository, start, tip) if start else (tip,)
    if not stretch:
        return ()
    asked = [*stretch, "--", *(path or "." for path in sorted(paths))]
    # On the command line, thousands of paths have no room; in a file of lines, those with a line break have none.
    apart = [path for path in asked if _LINE_BREAK.search(path)]
    lines = b"".join(b"%b\n" % path.encode("utf-8", "surrogateescape") for path in asked if path not in apart)
    options = ("--first-parent", "--reverse", "--stdin")
    return tuple(git(repository.root, "rev-list", *options, "--", *apart, stdin=lines).text.split())


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


def _stretch(repository: Repository, start: str, tip: str) -> tuple[str, ...]:
    """The same commits of the first-parent line since one that is on it, as revisions; empty when there are none. Since
    a commit beside the line, Git leaves out the merge of that one when it is asked what changed a path."""
    line = git(repository.root, "rev-list", "--first-parent", "--parents", tip, f"^{start}").text.splitlines()
    if not line:
        return ()
    _, *parents = line[-1].split()
    return (tip, *(f"^{parent}" for parent in parents[:1]))


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
