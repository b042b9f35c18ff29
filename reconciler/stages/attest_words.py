"""What Git could not show, and what to do about it, in words. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import Key, PackId
from reconciler.ports.pack_source import Ancestry, Gaps, PackSourceError


@dataclass(frozen=True, slots=True)
class Refusal:
    #: Goes on after "deleting it is held:".
    why: str
    hint: str


def uncommitted(revision: Revision, gaps: Gaps) -> Refusal:
    if not revision.commit:
        return Refusal(
            "these files are in no commit, so Git shows no history of them",
            "put them under Git, commit them and apply the commit; if this was a clone, clone it again",
        )
    if gaps.sparse:
        return Refusal(
            f"a sparse checkout leaves out {_some(gaps.sparse)}",
            "check out all packs (git sparse-checkout disable), or plan the commit itself (--commit HEAD)",
        )
    if gaps.deleted:
        return Refusal(
            f"commit {_short(revision.commit)} has {_some(gaps.deleted)}, missing here",
            "bring back what is missing (git checkout HEAD -- PATH), or commit the removal and apply the commit",
        )
    return Refusal("these files are not committed", "commit them and apply the commit")


def no_descent(commit: str, now: str, found: Ancestry | PackSourceError) -> Refusal | None:
    """`commit` was applied before, `now` is being planned. None when it descends."""
    if found is Ancestry.DESCENDS:
        return None
    applied, planned = f"commit {_short(commit)}", f"commit {_short(now)}"
    if isinstance(found, PackSourceError):
        why = f"the history from {planned} back to {applied}, which was applied before, cannot be read: {found.what}"
        return Refusal(why, found.advice)
    return Refusal(_why_not_descended(applied, planned, found), _hint_to_descend(commit, found))


def _why_not_descended(applied: str, planned: str, found: Ancestry) -> str:
    relations = {
        Ancestry.DESCENDS: f"{planned} descends from {applied}",
        Ancestry.REWOUND: f"{planned} is older than {applied}",
        Ancestry.DIVERGED: f"{planned} does not descend from {applied}",
        Ancestry.UNRELATED: f"{planned} has no history in common with {applied}",
        Ancestry.CUT_OFF: f"this clone is shallow, its history ends before {applied}",
        Ancestry.UNKNOWN: f"this repository does not have {applied}",
        Ancestry.NO_HISTORY: f"outside Git nothing is known of {applied}",
    }
    return f"{relations[found]}, which was applied before"


def _hint_to_descend(commit: str, found: Ancestry) -> str:
    merge = "if this one is meant, say so in a merge (git merge -s ours"
    match found:
        case Ancestry.DESCENDS | Ancestry.NO_HISTORY:
            hint = "apply from a clone of the repository applied before"
        case Ancestry.REWOUND:
            hint = (
                "the branch was rewound: apply a commit that descends from the one applied before; to go back on "
                "purpose, commit the way back (git revert)"
            )
        case Ancestry.DIVERGED:
            hint = (
                f"the branch was rewritten, or this is another one: apply the branch applied before; {merge} {commit})"
            )
        case Ancestry.UNRELATED:
            hint = (
                "this is a different repository, or an orphan branch: apply from the one applied before; "
                f"{merge} --allow-unrelated-histories {commit})"
            )
        case Ancestry.CUT_OFF:
            hint = "fetch the whole history (git fetch --unshallow; for actions/checkout, fetch-depth: 0) and try again"
        case Ancestry.UNKNOWN:
            hint = (
                "this is a different repository, or the branch was rewritten: apply from the repository applied "
                f"before; if only the commit was not fetched, git fetch origin {commit}"
            )
        case _:
            assert_never(found)
    return hint


def broken_files(pack: PackId, desired: Desired) -> Refusal:
    """While a pack of the business line cannot be read."""
    of_the_line = {path for each, path in desired.broken.items() if each.business_line_key == pack.business_line_key}
    paths = of_the_line or {problem.where.path for problem in desired.problems if problem.is_error}
    return Refusal(
        f"not every pack of {pack.business_line} can be read, so nobody knows what the others still want: "
        f"{_some(sorted(paths))}",
        "mend the files with problems first (sharepack validate lists them)",
    )


def unreadable_then(key: Key, commit: str, error: PackSourceError) -> Refusal:
    return Refusal(
        f"commit {_short(commit)}, which {key} was applied from, cannot be read: {error.what}",
        error.advice or "make that commit readable and try again",
    )


def broken_then(key: Key, commit: str, paths: Sequence[str]) -> Refusal:
    return Refusal(
        f"commit {_short(commit)}, which {key} was applied from, has files with problems, so Git does not show who "
        f"declared it: {_some(paths)}",
        "declare it again in a pack without problems, apply that, then remove it in a commit of its own",
    )


def from_files(key: Key) -> Refusal:
    return Refusal(
        f"{key} was applied from files that were not committed, so no commit shows what stood there",
        "commit what was applied and apply the commit, then remove from it in another",
    )


def _short(commit: str) -> str:
    return commit[:12]


def _some(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{len(paths)} files, {paths[0]} among them"
