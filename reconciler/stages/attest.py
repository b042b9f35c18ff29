"""Asks Git, for each pack, what may be removed: what stood in a commit we applied and is gone in a descendant of it.

Reads through the pack source; the objections that follow from the answers are `core.guard`'s.
"""

from collections.abc import Collection

from reconciler.core.desired import Desired
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, PackId
from reconciler.core.recorded import RecordedState
from reconciler.packs.reading import read_packs
from reconciler.ports.pack_source import PackSource, PackSourceError


async def attest(
    source: PackSource, desired: Desired, scope: Collection[PackId], recorded: RecordedState
) -> dict[PackId, Attestation]:
    """An attestation for every pack in scope."""
    removed = await _removed(source, desired, recorded)
    attestations = {}
    for pack in scope:
        refusal, hint = await _refusal(source, desired, pack, recorded)
        owned = frozenset(key for key, row in recorded.resources.items() if row.pack == pack)
        attestations[pack] = Attestation(refusal, hint, frozenset() if refusal else owned & removed)
    return attestations


async def _refusal(source: PackSource, desired: Desired, pack: PackId, recorded: RecordedState) -> tuple[str, str]:
    if not desired.revision.is_committed:
        return "these files are not committed", "commit them and apply the commit"
    if "" in desired.unreadable_lines or pack.business_line_key in desired.unreadable_lines:
        return (
            f"not every pack of {pack.business_line} can be read, so nobody knows what the others still want",
            "mend the files with problems first",
        )
    row = recorded.packs.get(pack)
    if row is None or row.commit in {"", desired.revision.commit}:
        return "", ""
    match await source.is_ancestor(row.commit, desired.revision.commit):
        case True:
            return "", ""
        case False:
            return (
                f"commit {row.commit[:12]} was applied last and is not an ancestor of {desired.revision.commit[:12]}",
                "the branch was rewound or rewritten: apply a commit that descends from the one applied last",
            )
        case None:
            return (
                f"Git cannot tell whether {desired.revision.commit[:12]} descends from {row.commit[:12]}",
                "fetch the whole history (git fetch --unshallow) and try again",
            )


async def _removed(source: PackSource, desired: Desired, recorded: RecordedState) -> frozenset[Key]:
    """Resources no pack declares any more, that stood in the very commit their rows come from."""
    declared = {key for pack in desired.packs.values() for key in pack.resources}
    left: dict[str, set[Key]] = {}
    for key, row in recorded.resources.items():
        if key not in declared and row.commit:
            left.setdefault(row.commit, set()).add(key)
    removed: set[Key] = set()
    for commit, keys in left.items():
        if desired.revision.commit and await source.is_ancestor(commit, desired.revision.commit):
            removed |= keys & await _declared_at(source, desired, commit)
    return frozenset(removed)


async def _declared_at(source: PackSource, desired: Desired, commit: str) -> frozenset[Key]:
    try:
        found = await source.committed(commit)
    except PackSourceError:
        return frozenset()
    then = read_packs(found.files, found.revision, desired.tenants.default_workspace, packs_folder=found.folder)
    return frozenset(key for pack in then.packs.values() for key in pack.resources)
