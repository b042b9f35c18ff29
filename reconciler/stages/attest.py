"""Asks Git, for each pack, what may be removed: what stood in a commit we applied and is gone in a descendant of it.

Reads through the pack source, and says in words what Git could not show; the objections are `core.guard`'s.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from reconciler.core.changes import ElementRemoved, ObjectChanged, field_changes
from reconciler.core.desired import Desired
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, PackId
from reconciler.core.recorded import Recorded, RecordedState
from reconciler.core.resource import Resource
from reconciler.packs.footprint import EVERYTHING, of_key
from reconciler.packs.reading import read_packs
from reconciler.packs.remembering import RememberedFiles
from reconciler.packs.snapshot import Snapshots
from reconciler.ports.pack_source import Ancestry, PackSource, PackSourceError
from reconciler.stages.attest_words import (
    Refusal,
    broken_files,
    broken_then,
    from_files,
    no_descent,
    uncommitted,
    unreadable_then,
)
from reconciler.stages.partly import PartReader, Sides, nearest
from reconciler.stages.reach import Left

#: Per commit on record: how the revision being planned stands to it, or why that cannot be read.
Descent: TypeAlias = Mapping[str, Ancestry | PackSourceError]


@dataclass(frozen=True, slots=True)
class _Past:
    """What stood in a commit on record."""

    declared: frozenset[Key] = frozenset()
    #: Business lines of which not every pack of that commit can be read; "" means any.
    unreadable_lines: frozenset[str] = frozenset()
    #: Paths with problems.
    broken: tuple[str, ...] = ()
    error: PackSourceError | None = None


@dataclass(frozen=True, slots=True)
class _Record:
    """What is on record of one pack, sorted by what this revision wants of it."""

    #: Every commit it was recorded from.
    commits: frozenset[str] = frozenset()
    #: No pack declares it any more, and none lets go of it.
    undeclared: Mapping[Key, Recorded] = field(default_factory=dict)
    #: It loses something it was recorded with.
    narrowed: Mapping[Key, Recorded] = field(default_factory=dict)
    #: The commit that the pack was submitted from last.
    own: str = ""

    @property
    def doubtful(self) -> Mapping[Key, Recorded]:
        return {**self.undeclared, **self.narrowed}


@dataclass(frozen=True, slots=True)
class Known:
    """What was found of the packs folder before: with it, less of a commit is read."""

    snapshots: Snapshots
    today: date
    #: Of the commit that the branch which is planned left, often the one on record too.
    left: Left | None = None


async def attest(
    source: PackSource,
    desired: Desired,
    scope: Collection[PackId],
    recorded: RecordedState,
    known: Known | None = None,
) -> dict[PackId, Attestation]:
    """An attestation for every pack in scope; the same whatever is `known`."""
    if not desired.revision.is_committed:
        refusal = uncommitted(desired.revision, await source.gaps())
        return dict.fromkeys(scope, Attestation(refusal.why, refusal.hint))
    records = _records(desired, scope, recorded)
    commits = frozenset().union(*(record.commits for record in records.values()))
    descent = await _descent(source, desired.revision.commit, commits)
    past = await _past(_Reading(source, desired, known), descent, records.values())
    return {pack: _attestation(pack, desired, records[pack], descent, past) for pack in scope}


def _records(desired: Desired, scope: Collection[PackId], recorded: RecordedState) -> Mapping[PackId, _Record]:
    """Once for all packs: asking each row for each pack grows with the square of their number."""
    wanted = {key: item.resource for pack in desired.packs.values() for key, item in pack.resources.items()}
    kept = wanted.keys() | {key for pack in desired.packs.values() for key in pack.released}
    owned: dict[PackId, dict[Key, Recorded]] = {}
    for key, row in recorded.resources.items():
        owned.setdefault(row.pack, {})[key] = row
    records = {}
    for pack in scope:
        declared = desired.packs[pack].resources if pack in desired.packs else {}
        rows = owned.get(pack, {}) | {key: recorded.resources[key] for key in declared if key in recorded.resources}
        own = recorded.packs[pack].commit if pack in recorded.packs else ""
        records[pack] = _Record(
            commits=frozenset({own, *(row.commit for row in rows.values())} - {""}),
            undeclared={key: row for key, row in rows.items() if key not in kept},
            narrowed={key: row for key, row in rows.items() if key in declared and _is_narrowed(row, wanted[key])},
            own=own,
        )
    return records


def _is_narrowed(row: Recorded, wanted: Resource) -> bool:
    if row.resource == wanted:
        return False
    changes = field_changes(wanted, row.resource, row.resource)
    return any(isinstance(change, ElementRemoved | ObjectChanged) for change in changes)


async def _descent(source: PackSource, commit: str, older: Iterable[str]) -> Descent:
    async def ask(each: str) -> Ancestry | PackSourceError:
        try:
            return await source.ancestry(each, commit)
        except PackSourceError as error:
            return error

    asked = [each for each in sorted(older) if each != commit]
    if not asked or await source.descends_from_all(asked, commit):
        return dict.fromkeys([*asked, commit], Ancestry.DESCENDS)
    return dict(zip(asked, await asyncio.gather(*map(ask, asked)), strict=True)) | {commit: Ancestry.DESCENDS}


async def _past(reading: "_Reading", descent: Descent, records: Collection[_Record]) -> Mapping[str, _Past]:
    """The commits that must show what is to be removed: where it was recorded and, for what did not stand there (a row
    does not move when its resource stays as it is), where its pack was submitted last."""
    names = frozenset(of_key(key) for record in records for key in record.doubtful)
    past: dict[str, _Past] = {"": _Past()}

    async def look(commit: str) -> _Past:
        if commit not in past and descent[commit] is Ancestry.DESCENDS:
            past[commit] = await reading.read(commit, names)
        return past.get(commit, _Past())

    for record in records:
        for key, row in record.doubtful.items():
            found = await look(row.commit)
            if key in record.undeclared and key not in found.declared:
                await look(record.own)
    return past


@dataclass(frozen=True, slots=True)
class _Reading:
    source: PackSource
    desired: Desired
    known: Known | None
    parse: RememberedFiles = field(default_factory=RememberedFiles)

    async def read(self, commit: str, names: Collection[str]) -> _Past:
        """As far as it has to do with `names`, the same in part and as a whole."""
        try:
            past = None if self.known is None else await self._in_part(commit, names, self.known)
            return past or await self._whole(commit)
        except PackSourceError as error:
            return _Past(error=error)

    async def _in_part(self, commit: str, names: Collection[str], known: Known) -> _Past | None:
        """None where that is not sure to tell what reading the whole would. Else there was no error in any file."""
        left = known.left
        if left is not None and left.reach.base == commit and left.shows(names):
            return _Past(_declared(left.desired))
        before, after = await self.source.listed(commit), await self.source.listed(self.desired.revision.commit)
        if before is None or after is None:
            return None
        basis = known.snapshots.basis(before.folder, self._workspace)
        snapshot = nearest(known.snapshots, basis, known.today, before.ids)
        if snapshot is None:
            return None
        sides = Sides(before, after)
        reader = PartReader(self.source, sides, snapshot, self._workspace, known.today, self.parse)
        part = await reader.read(names)
        if part is None or EVERYTHING in part.reach.texts:
            return None
        return _Past(_declared(part.before))

    async def _whole(self, commit: str) -> _Past:
        found = await self.source.committed(commit)
        then = read_packs(found.files, found.revision, self._workspace, packs_folder=found.folder, parse=self.parse)
        broken = {problem.where.path for problem in then.problems if problem.is_error}
        return _Past(_declared(then), then.unreadable_lines, tuple(sorted(broken)))

    @property
    def _workspace(self) -> str:
        return self.desired.tenants.default_workspace


def _declared(desired: Desired) -> frozenset[Key]:
    return frozenset(key for pack in desired.packs.values() for key in pack.resources)


def _attestation(
    pack: PackId, desired: Desired, record: _Record, descent: Descent, past: Mapping[str, _Past]
) -> Attestation:
    if desired.unreadable_lines & {"", pack.business_line_key}:
        refusal: Refusal | None = broken_files(pack, desired)
    else:
        refusal = _not_descended(desired.revision.commit, record, descent) or _not_shown(pack, record, past)
    if refusal is not None:
        return Attestation(refusal.why, refusal.hint)
    removed = {
        key
        for key, row in record.undeclared.items()
        if any(key in past[commit].declared for commit in (row.commit, record.own) if commit in past)
    }
    return Attestation(removed=frozenset(removed))


def _not_descended(now: str, record: _Record, descent: Descent) -> Refusal | None:
    refusals = (no_descent(commit, now, descent[commit]) for commit in sorted(record.commits))
    return next((refusal for refusal in refusals if refusal is not None), None)


def _not_shown(pack: PackId, record: _Record, past: Mapping[str, _Past]) -> Refusal | None:
    """Why the commits on record do not show what stood there."""
    for key, row in sorted(record.doubtful.items(), key=lambda item: str(item[0])):
        then = past[row.commit]
        if key in then.declared or (key in record.undeclared and key in past.get(record.own, _Past()).declared):
            continue
        if then.error is not None:
            return unreadable_then(key, row.commit, then.error)
        if key in record.narrowed and row.commit == "":
            return from_files(key)
        if key in record.undeclared and then.unreadable_lines & {"", pack.business_line_key}:
            return broken_then(key, row.commit, then.broken)
    return None
