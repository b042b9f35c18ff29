"""What a branch changes: which packs, against the commit it branched off from, and what Git's own diff does not show of
their files. Plans nothing; the rest of the packs is only counted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId
from reconciler.core.pack import SharePack
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem
from reconciler.core.proposal import Proposal, WorkbookChange
from reconciler.packs.footprint import of_key
from reconciler.packs.reading import read_packs
from reconciler.packs.remembering import RememberedFiles
from reconciler.packs.snapshot import Snapshot, Snapshots
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import Listing, NoFolderError, PackFiles, PackSource
from reconciler.stages.observe import recorded_state
from reconciler.stages.partly import Part, PartReader, Sides, nearest, whole_snapshot
from reconciler.stages.reach import Left, Reach

#: Path now, path before, bytes before and now -> what changed in a workbook.
CompareWorkbooks: TypeAlias = Callable[[str, str | None, bytes | None, bytes | None], WorkbookChange]

_WORKBOOK: Final = ".xlsx"


@dataclass(frozen=True, slots=True)
class Branch:
    #: Full id of the commit it branched off from.
    base: str
    before: Desired
    after: Desired
    files_before: Mapping[str, bytes]
    files_after: Mapping[str, bytes]
    #: Packs that nobody read, as nothing that the branch changes has to do with them.
    unread: int = 0
    #: What else must move for it to do something else; None where that is not known.
    reach: Reach | None = None

    @property
    def left(self) -> Left | None:
        """None where the commit it left was read as a whole."""
        return None if self.reach is None else Left(self.reach, self.before)

    @property
    def changed(self) -> frozenset[PackId]:
        """Packs that the branch adds, removes, moves or writes otherwise, and those it breaks."""
        return frozenset(pack for pack in self._known if self._is_changed(pack))

    @property
    def says_otherwise(self) -> bool:
        """Not only in other words, or elsewhere."""
        both = ((self.before.packs.get(pack), self.after.packs.get(pack)) for pack in self._known)
        return any(_declared(before, self.before) != _declared(after, self.after) for before, after in both)

    @property
    def others(self) -> int:
        return len(self._known - self.changed) + self.unread

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those that the branch brings, or that stand in what it changes."""
        there, changed = set(self.before.problems), {_path(pack, self.after) for pack in self.changed}
        return tuple(each for each in self.after.problems if each not in there or each.where.path in changed)

    @property
    def moved_from(self) -> dict[PackId, str]:
        both = self.before.packs.keys() & self.after.packs.keys()
        paths = {pack: (self.before.packs[pack].path, self.after.packs[pack].path) for pack in both}
        return {pack: old for pack, (old, new) in paths.items() if old != new}

    def proposal(self, plan: Plan, compare: CompareWorkbooks) -> Proposal:
        """`plan` is of the packs in `changed`."""
        plan = replace(plan, problems=self.problems)
        return Proposal(plan, self.base, self.moved_from, self.others, tuple(self._workbooks(compare)))

    @property
    def _known(self) -> frozenset[PackId]:
        return frozenset(
            [*self.before.packs, *self.before.broken, *self.after.packs, *self.after.broken],
        )

    def _is_changed(self, pack: PackId) -> bool:
        before, after = self.before.packs.get(pack), self.after.packs.get(pack)
        path = _path(pack, self.after)
        if self.files_before.get(path) != self.files_after.get(path):
            return True
        return _meaning(before, self.before) != _meaning(after, self.after)

    def _workbooks(self, compare: CompareWorkbooks) -> Iterator[WorkbookChange]:
        for pack in sorted(self.changed):
            path_before, path = _path(pack, self.before), _path(pack, self.after)
            if not (path or path_before).endswith(_WORKBOOK):
                continue
            before, after = self.files_before.get(path_before), self.files_after.get(path)
            if before != after:
                yield compare(path or path_before, path_before or None, before, after)


@dataclass(frozen=True, slots=True)
class Before:
    """What is known from earlier runs, and of what was applied: with it, less is read."""

    snapshots: Snapshots
    ledger: Ledger


async def branch(
    source: PackSource, default_workspace: str, since: str, head: str | None, today: date, known: Before | None = None
) -> Branch:
    """`since` and `head` are revisions; without `head`, the files as they lie there. Raises PackSourceError."""
    reading = _Reading(source, default_workspace, today, RememberedFiles())
    part = None if known is None else await reading.partly(since, head, known)
    return part or await reading.whole(since, head)


@dataclass(frozen=True, slots=True)
class _Reading:
    source: PackSource
    default_workspace: str
    today: date
    parse: RememberedFiles

    async def whole(self, since: str, head: str | None) -> Branch:
        found = await (self.source.working_tree() if head is None else self.source.committed(head))
        base = await self.source.merge_base(since, found.revision.commit or "HEAD")
        try:
            past = await self.source.committed(base)
        except NoFolderError:
            # The branch begins the folder.
            past = PackFiles(Revision(base, is_committed=True), {}, found.folder)
        before, after = (self._desired(each) for each in (past, found))
        return Branch(base, before, after, past.files, found.files)

    async def partly(self, since: str, head: str | None, known: Before) -> Branch | None:
        """None where that does not tell what reading the whole would."""
        sides = await (self._lying_there(since) if head is None else self._committed(since, head))
        if sides is None:
            return None
        snapshot = await self._snapshot(sides.before, known.snapshots)
        if snapshot is None:
            return None
        reader = PartReader(self.source, sides, snapshot, self.default_workspace, self.today, self.parse)
        part = await reader.read()
        if part is None:
            return None
        if part.snapshot is not snapshot:
            known.snapshots.keep(part.snapshot)
        found = _of_part(sides, part)
        names = await _left_on_record(found, known.ledger)
        part = await reader.read(names) if names else part
        return None if part is None else _of_part(sides, part)

    async def _committed(self, since: str, head: str) -> Sides | None:
        after = await self.source.listed(head)
        before = None if after is None else await self._left(since, after.revision.commit)
        return None if after is None or before is None else Sides(before, after)

    async def _lying_there(self, since: str) -> Sides | None:
        """All files are read, but not as packs."""
        found = await self.source.working_tree()
        before = await self._left(since, found.revision.commit or "HEAD")
        if before is None:
            return None
        ids = await self.source.identified(found.files, next(iter(before.ids.values())))
        return Sides(before, Listing(found.revision, found.folder, ids), found.files)

    async def _left(self, since: str, commit: str) -> Listing | None:
        try:
            return await self.source.listed(await self.source.merge_base(since, commit))
        except NoFolderError:
            return None

    async def _snapshot(self, before: Listing, snapshots: Snapshots) -> Snapshot | None:
        """The nearest one, or of reading all that the branch left."""
        basis = snapshots.basis(before.folder, self.default_workspace)
        near = nearest(snapshots, basis, self.today, before.ids)
        if near is not None:
            return near
        past = await self.source.committed(before.revision.commit)
        found = whole_snapshot(before, self._desired(past), past.files, basis, self.today, self.parse)
        if found is not None:
            snapshots.keep(found)
        return found

    def _desired(self, found: PackFiles) -> Desired:
        return read_packs(
            found.files,
            found.revision,
            self.default_workspace,
            packs_folder=found.folder,
            parse=self.parse,
            today=self.today,
        )


def _of_part(sides: Sides, part: Part) -> Branch:
    base = sides.before.revision.commit
    return Branch(base, part.before, part.after, part.files_before, part.files_after, part.unread, part.reach)


async def _left_on_record(found: Branch, ledger: Ledger) -> frozenset[str]:
    """What is on record of the packs that change, and none of the packs read declares: one of the others may."""
    recorded = await recorded_state(found.after, found.changed, ledger)
    declared = {key for pack in found.after.packs.values() for key in pack.resources}
    return frozenset(map(of_key, {*recorded.resources, *recorded.open_intents} - declared))


def _path(pack: PackId, desired: Desired) -> str:
    """Empty when the pack is not there."""
    declared = desired.packs.get(pack)
    return desired.broken.get(pack, "") if declared is None else declared.path


def _meaning(pack: SharePack | None, desired: Desired) -> object:
    """All that a plan of the pack depends on, as far as it stands in files."""
    return None if pack is None else (pack.path, _declared(pack, desired))


def _declared(pack: SharePack | None, desired: Desired) -> object:
    if pack is None:
        return None
    return pack.workspace, encode_pack(pack), desired.tenants.by_line.get(pack.id.business_line_key)
