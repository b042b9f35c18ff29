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
from reconciler.packs.reading import read_packs
from reconciler.ports.pack_source import NoFolderError, PackFiles, PackSource

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

    @property
    def changed(self) -> frozenset[PackId]:
        """Packs that the branch adds, removes, moves or writes otherwise, and those it breaks."""
        return frozenset(pack for pack in self._known if self._is_changed(pack))

    @property
    def others(self) -> int:
        return len(self._known - self.changed)

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


async def branch(source: PackSource, default_workspace: str, since: str, head: str | None, today: date) -> Branch:
    """`since` and `head` are revisions; without `head`, the files as they lie there. Raises PackSourceError."""
    found = await (source.working_tree() if head is None else source.committed(head))
    base = await source.merge_base(since, found.revision.commit or "HEAD")
    try:
        past = await source.committed(base)
    except NoFolderError:
        # The branch begins the folder.
        past = PackFiles(Revision(base, is_committed=True), {}, found.folder)
    before, after = (_desired(each, default_workspace, today) for each in (past, found))
    return Branch(base, before, after, past.files, found.files)


def _desired(found: PackFiles, default_workspace: str, today: date) -> Desired:
    return read_packs(found.files, found.revision, default_workspace, packs_folder=found.folder, today=today)


def _path(pack: PackId, desired: Desired) -> str:
    """Empty when the pack is not there."""
    declared = desired.packs.get(pack)
    return desired.broken.get(pack, "") if declared is None else declared.path


def _meaning(pack: SharePack | None, desired: Desired) -> object:
    """All that a plan of the pack depends on, as far as it stands in files."""
    if pack is None:
        return None
    return pack.path, pack.workspace, encode_pack(pack), desired.tenants.by_line.get(pack.id.business_line_key)
