"""Tells whether a new commit can change what a branch was found to do: what the branch depends on against what moved
between two commits. Where that is not sure, it can. Reads only what moved, and plans nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from reconciler.core.desired import Desired
from reconciler.packs.file_names import below, is_pack, is_tenants_file
from reconciler.packs.footprint import EVERYTHING, Footprint, footprint, of_file
from reconciler.packs.parsing import parse_file
from reconciler.ports.pack_source import Listing, PackSource, PackSourceError

#: More files than this are another folder, and everything may have to do with it.
_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """The files that differ between two commits, and all that they were and are."""

    paths: frozenset[str]
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reach:
    """All that what a branch does was read from."""

    #: The commit that it was read against.
    base: str
    #: Days go by in packs.
    day: date
    paths: frozenset[str]
    #: What the packs among them declare and mention (`packs.footprint`).
    texts: frozenset[str]

    def is_touched(self, moved: Moved) -> bool:
        if EVERYTHING in self.texts | moved.texts:
            return True
        return not (self.paths.isdisjoint(moved.paths) and self.texts.isdisjoint(moved.texts))


@dataclass(frozen=True, slots=True)
class Left:
    """What was read of the commit that a branch left, without an error: every pack that declares one of the texts."""

    reach: Reach
    desired: Desired

    def shows(self, names: Collection[str]) -> bool:
        """Whether it tells of each of them if that commit declares it."""
        return EVERYTHING not in self.reach.texts and self.reach.texts.issuperset(names)


async def moved_between(source: PackSource, older: str, newer: str) -> Moved | None:
    """None where it may touch everything: another folder or tenants file, a pack that cannot be read, very many files,
    or commits that cannot be compared."""
    try:
        before, after = await source.listed(older), await source.listed(newer)
        if before is None or after is None or before.folder != after.folder:
            return None
        paths = {path for path, _ in before.ids.items() ^ after.ids.items()}
        if len(paths) > _MOST or any(map(is_tenants_file, paths)):
            return None
        sides = [await _footprints(source, side, paths) for side in (before, after)]
    except PackSourceError:
        return None
    found = [each for side in sides if side is not None for each in side]
    return None if None in sides else Moved(frozenset(paths), frozenset().union(*(each.all for each in found)))


async def _footprints(source: PackSource, side: Listing, paths: Collection[str]) -> list[Footprint] | None:
    there = {path: side.ids[path] for path in paths if path in side.ids}
    packs = {path: oid for path, oid in there.items() if is_pack(below(path, side.folder))}
    contents = await source.contents(packs) if packs else {}
    parsed = [parse_file(path, contents[path]) for path in sorted(packs)]
    if any(file.document is None or any(each.is_error for each in file.problems) for file in parsed):
        return None
    return [*map(footprint, parsed), *map(of_file, there.keys() - packs.keys())]
