"""Asks Git, for each pack, what may be removed: what stood in a commit we applied and is gone in a descendant of it.

Reads through the pack source; the objections that follow from the answers are `core.guard`'s.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from reconciler.core.desired import Desired
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, PackId
from reconciler.core.recorded import RecordedState
from reconciler.packs.reading import read_packs
from reconciler.ports.pack_source import PackSource, PackSourceError

#: Per commit on record: whether the revision being planned is it or descends from it; None when Git cannot tell.
Descent = Mapping[str, bool | None]

_UNCOMMITTED: Final = ("these files are not committed", "commit them and apply the commit")


async def attest(
    source: PackSource, desired: Desired, scope: Collection[PackId], recorded: RecordedState
) -> dict[PackId, Attestation]:
    """An attestation for every pack in scope."""
    if not desired.revision.is_committed:
        return dict.fromkeys(scope, Attestation(*_UNCOMMITTED))
    owned = _owned(recorded)
    commits = {pack: _commits(pack, desired, recorded, owned.get(pack, frozenset())) for pack in scope}
    descent = await _descent(source, desired.revision.commit, frozenset().union(*commits.values()))
    removed = await _removed(source, desired, recorded, descent)
    return {
        pack: _attestation(pack, desired, commits[pack], descent, removed & owned.get(pack, frozenset()))
        for pack in scope
    }


def _owned(recorded: RecordedState) -> Mapping[PackId, frozenset[Key]]:
    """Once for all packs: asking each row for each pack grows with the square of their number."""
    keys: dict[PackId, set[Key]] = {}
    for key, row in recorded.resources.items():
        keys.setdefault(row.pack, set()).add(key)
    return {pack: frozenset(owned) for pack, owned in keys.items()}


def _commits(pack: PackId, desired: Desired, recorded: RecordedState, owned: frozenset[Key]) -> frozenset[str]:
    """All commits that what the pack declares or owns was recorded from, and the one it was submitted from last."""
    declared = desired.packs[pack].resources.keys() if pack in desired.packs else frozenset()
    rows = {recorded.resources[key].commit for key in owned | declared if key in recorded.resources}
    own = recorded.packs.get(pack)
    return frozenset(rows | ({own.commit} if own else set())) - {""}


async def _descent(source: PackSource, commit: str, older: Iterable[str]) -> Descent:
    asked = sorted(older)
    answers = await asyncio.gather(*(source.is_ancestor(each, commit) for each in asked if each != commit))
    return dict(zip((each for each in asked if each != commit), answers, strict=True)) | {commit: True}


def _attestation(
    pack: PackId,
    desired: Desired,
    commits: frozenset[str],
    descent: Descent,
    removed: frozenset[Key],
) -> Attestation:
    if desired.unreadable_lines & {"", pack.business_line_key}:
        return Attestation(
            f"not every pack of {pack.business_line} can be read, so nobody knows what the others still want",
            "mend the files with problems first",
        )
    now = desired.revision.commit[:12]
    for commit in sorted(commits):
        if descent[commit] is False:
            return Attestation(
                f"commit {commit[:12]} was applied before and is not an ancestor of {now}",
                "the branch was rewound or rewritten: apply a commit that descends from the one applied last",
            )
        if descent[commit] is None:
            return Attestation(
                f"Git cannot tell whether {now} descends from {commit[:12]}, which was applied before",
                "fetch the whole history (git fetch --unshallow) and try again",
            )
    return Attestation(removed=removed)


async def _removed(source: PackSource, desired: Desired, recorded: RecordedState, descent: Descent) -> frozenset[Key]:
    """Resources no pack declares any more, that stood in the very commit their rows come from."""
    declared = {key for pack in desired.packs.values() for key in pack.resources}
    left: dict[str, set[Key]] = {}
    for key, row in recorded.resources.items():
        if key not in declared and descent.get(row.commit):
            left.setdefault(row.commit, set()).add(key)
    removed: set[Key] = set()
    for commit, keys in left.items():
        removed |= keys & await _declared_at(source, desired, commit)
    return frozenset(removed)


async def _declared_at(source: PackSource, desired: Desired, commit: str) -> frozenset[Key]:
    try:
        found = await source.committed(commit)
    except PackSourceError:
        return frozenset()
    workspace = desired.tenants.default_workspace
    then = read_packs(found.files, found.revision, workspace, packs_folder=found.folder)
    return frozenset(key for pack in then.packs.values() for key in pack.resources)
