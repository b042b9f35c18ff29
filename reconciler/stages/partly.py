"""Reads of two commits no more than what a branch between them can touch: the packs that it changes, those that stumble
over them, and those that both stand on. Everything else is as it was when a snapshot found it without an error.

What comes of it is what reading both commits as a whole would say of these packs. Where that is not sure, nothing comes
of it, and both are read as a whole."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Final

from reconciler.core.desired import Desired
from reconciler.packs.across import LIMITS
from reconciler.packs.file_names import below, is_pack, tenants_files
from reconciler.packs.footprint import EVERYTHING, Footprint, Footprints, footprint, of_file
from reconciler.packs.notebooks import notebook_entries, notebook_path
from reconciler.packs.reading import read_packs
from reconciler.packs.remembering import RememberedFiles
from reconciler.packs.snapshot import Snapshot, Snapshots, held, most
from reconciler.ports.pack_source import Listing, PackSource
from reconciler.stages.reach import Reach

#: What is said of a name that nobody declares depends on all names that are declared, and on all files that may.
_NEEDS_ALL: Final = frozenset({"recipient-unknown", "waits-for-file"})
#: Snapshots among which the nearest is looked for.
_LOOKED_AT: Final = 3
#: What differs in more than this part of the files is another folder: from there, reading anew is no more work.
_NEAR: Final = 0.5


class Loaded(Mapping[str, bytes]):
    """The files of a commit, of which only some were read: to ask for another one is a mistake of ours."""

    def __init__(self, ids: Mapping[str, str], contents: Mapping[str, bytes]) -> None:
        self._ids, self._contents = ids, contents

    def __getitem__(self, path: str) -> bytes:
        oid = self._ids[path]
        if oid not in self._contents:
            raise AssertionError(f"{path} was not read")
        return self._contents[oid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


@dataclass(frozen=True, slots=True)
class Sides:
    """What a branch left, and what it is now."""

    before: Listing
    after: Listing
    #: Contents of `after` that are at hand already.
    at_hand: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    before: Desired
    after: Desired
    files_before: Mapping[str, bytes]
    files_after: Mapping[str, bytes]
    #: Packs that were not read, as neither side nor anything between them touches them.
    unread: int
    #: Of the commit that the branch left.
    snapshot: Snapshot
    reach: Reach


@dataclass(slots=True)
class PartReader:
    """For one snapshot and the two sides of one branch."""

    source: PackSource
    sides: Sides
    snapshot: Snapshot
    default_workspace: str
    today: date
    parse: RememberedFiles
    _contents: dict[str, bytes] = field(default_factory=dict)
    #: Of every file that differs, all that it was and is.
    _moving: dict[str, Footprint] = field(default_factory=dict)
    _touched: frozenset[str] = frozenset()

    async def read(self, names: Collection[str] = ()) -> Part | None:
        """With the packs that have to do with `names`, whoever changes them. Raises PackSourceError."""
        if not self._moving and not await self._look_at_changes():
            return None
        paths = self._needed({*self._touched, *self._users(frozenset(names))})
        await self._load(paths)
        before, after = (self._read(side, paths) for side in (self.sides.before, self.sides.after))
        if _has_errors(before) or any(problem.rule in _NEEDS_ALL for problem in after.problems):
            return None
        if any(map(self._is_too_much, (before, after), (self.sides.before, self.sides.after))):
            return None
        left = self._of_before(before)
        # A snapshot has the footprint of every pack.
        unread = len(left.footprints.keys() - paths)
        files = [Loaded(side.ids, self._contents) for side in (self.sides.before, self.sides.after)]
        return Part(before, after, files[0], files[1], unread, left, self._reach(paths, names))

    async def _look_at_changes(self) -> bool:
        """False when it touches everything."""
        before, after = self.sides.before.ids, self.sides.after.ids
        changed = _differing(self.snapshot.ids, before) | _differing(before, after)
        if self.sides.before.folder != self.sides.after.folder or tenants_files(changed):
            return False
        packs = [path for path in changed if self._is_pack(path)]
        await self._load(packs, with_tenants=True)
        for path in changed:
            self._moving[path] = self._footprint_of_all(path)
        now = (self._footprint(path, after[path]) for path in packs if path in after)
        if any(EVERYTHING in each.mentions for each in now):
            return False
        self._touched = self._following(changed)
        return True

    def _reach(self, paths: AbstractSet[str], names: Collection[str]) -> Reach:
        texts = frozenset(names).union(*(self._of(path).all for path in paths))
        return Reach(self.sides.before.revision.commit, self.today, frozenset(paths), texts)

    def _footprint_of_all(self, path: str) -> Footprint:
        if not self._is_pack(path):
            return of_file(path)
        found = self.snapshot.footprints.get(path, Footprint())
        for side in (self.sides.before, self.sides.after):
            if path in side.ids:
                found = found.joined(self._footprint(path, side.ids[path]))
        return found

    def _footprint(self, path: str, oid: str) -> Footprint:
        return footprint(self.parse(path, self._contents[oid]))

    def _of(self, path: str) -> Footprint:
        return self._moving.get(path) or self.snapshot.footprints.get(path, Footprint())

    def _following(self, changed: Iterable[str]) -> frozenset[str]:
        """Who has or names what a changed file declares may be wrong because of it, and then what that one declares."""
        found: set[str] = set()
        new = set(changed)
        while new:
            found |= new
            declared = set[str]().union(*(self._of(path).declares for path in new))
            new = set(self._users(declared)) - found
        return frozenset(found)

    def _needed(self, paths: Iterable[str]) -> AbstractSet[str]:
        """These and all that they stand on: who declares what they have or name."""
        found: set[str] = set()
        new = set(paths)
        while new:
            found |= new
            named = set[str]().union(*(self._of(path).all for path in new))
            new = set(self._declaring(named)) - found
        return found

    def _declaring(self, names: AbstractSet[str]) -> Iterator[str]:
        """Looked through for many names at once: an index of all packs costs more than these few looks."""
        yield from self.snapshot.footprints.declaring(names)
        yield from Footprints.of(self._moving).declaring(names)

    def _users(self, names: AbstractSet[str]) -> Iterator[str]:
        yield from self._declaring(names)
        yield from self.snapshot.footprints.mentioning(names)
        yield from Footprints.of(self._moving).mentioning(names)

    def _is_pack(self, path: str) -> bool:
        return is_pack(below(path, self.sides.after.folder))

    async def _load(self, paths: Collection[str], *, with_tenants: bool = False) -> None:
        """The packs among these paths, and the notebooks that they name."""
        packs = [path for path in paths if self._is_pack(path)]
        tenants = tenants_files(self.sides.after.ids) if with_tenants else []
        await self._fetch([*packs, *tenants])
        for side in (self.sides.before, self.sides.after):
            await self._fetch([each for path in packs if path in side.ids for each in self._named(path, side)])

    def _named(self, path: str, side: Listing) -> Iterator[str]:
        document = self.parse(path, self._contents[side.ids[path]]).document
        for _, item in notebook_entries(document) if document is not None else ():
            found = notebook_path(path, item.content or "", side.folder)
            if found is not None:
                yield found

    async def _fetch(self, paths: Collection[str]) -> None:
        for path in self.sides.at_hand.keys() & set(paths):
            self._contents[self.sides.after.ids[path]] = self.sides.at_hand[path]
        for side in (self.sides.before, self.sides.after):
            wanted = {path: side.ids[path] for path in paths if path in side.ids}
            missing = {path: oid for path, oid in wanted.items() if oid not in self._contents}
            for path, content in (await self.source.contents(missing) if missing else {}).items():
                self._contents[missing[path]] = content

    def _read(self, side: Listing, paths: AbstractSet[str]) -> Desired:
        return read_packs(
            Loaded(side.ids, self._contents),
            side.revision,
            self.default_workspace,
            packs_folder=side.folder,
            parse=self.parse,
            today=self.today,
            only=[path for path in paths if path in side.ids],
        )

    def _is_too_much(self, desired: Desired, side: Listing) -> bool:
        """For a workspace that the branch touches; what cannot be placed is counted in each."""
        packs = {pack.path: pack for pack in desired.packs.values()}
        unplaced = [path for path in self._moving if path in side.ids and self._is_pack(path) and path not in packs]
        more = sum(len(self._moving[path].declares) for path in unplaced)
        still = (each for path, each in self.snapshot.held.items() if path not in self._moving)
        moved = held(pack for path, pack in packs.items() if path in self._moving)
        there = most((*still, *moved.values()), {workspace for workspace, _, _ in moved.values()} or {""})
        return any(number + more > LIMITS[kind] for kind, number in there.items())

    def _of_before(self, before: Desired) -> Snapshot:
        """The snapshot brought to what the branch left."""
        ids = self.sides.before.ids
        if ids == self.snapshot.ids:
            return self.snapshot
        changed = {path for path in _differing(self.snapshot.ids, ids) if self._is_pack(path)}
        now = changed & ids.keys()
        footprints = self.snapshot.footprints.changed(changed, {path: self._footprint(path, ids[path]) for path in now})
        places = {path: each for path, each in self.snapshot.held.items() if path not in changed}
        places |= held(pack for pack in before.packs.values() if pack.path in now)
        return Snapshot(self.snapshot.basis, self.today, ids, footprints, places)


def nearest(snapshots: Snapshots, basis: str, today: date, ids: Mapping[str, str]) -> Snapshot | None:
    kept = islice(snapshots.newest(basis, today), _LOOKED_AT)
    near = [(len(each.ids.items() ^ ids.items()), number, each) for number, each in enumerate(kept)]
    return min(near)[2] if near and min(near)[0] <= len(ids) * _NEAR else None


def whole_snapshot(
    listing: Listing, desired: Desired, files: Mapping[str, bytes], basis: str, today: date, parse: RememberedFiles
) -> Snapshot | None:
    """Of a commit that was read as a whole; None where anything is wrong in it."""
    packs = [path for path in listing.ids if is_pack(below(path, listing.folder))]
    places = held(desired.packs.values())
    if files.keys() != listing.ids.keys() or _has_errors(desired) or places.keys() != set(packs):
        return None
    footprints = {path: footprint(parse(path, files[path])) for path in packs}
    return Snapshot(basis, today, listing.ids, Footprints.of(footprints), places)


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    return set() if one == other else {path for path, _ in one.items() ^ other.items()}


def _has_errors(desired: Desired) -> bool:
    return any(problem.is_error for problem in desired.problems)
