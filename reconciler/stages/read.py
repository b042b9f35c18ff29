"""Packs at a revision -> the desired state, with every problem in any file; and which packs a list of paths means."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.core.recorded import RecordedPack
from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.packs.reading import read_packs
from reconciler.ports.pack_source import PackSource


async def read_commit(
    source: PackSource,
    default_workspace: str,
    revision: str = "HEAD",
    *,
    today: date | None = None,
    parse: Callable[[str, bytes], ParsedFile] = parse_file,
) -> Desired:
    """What a commit says; without `today` nothing is said of days gone by. `parse` may be a `parse_file` that
    remembers. Raises PackSourceError."""
    found = await source.committed(revision)
    return read_packs(
        found.files, found.revision, default_workspace, packs_folder=found.folder, today=today, parse=parse
    )


async def read_working_tree(source: PackSource, default_workspace: str, *, today: date | None = None) -> Desired:
    """What the files say as they lie there, committed or not. Raises PackSourceError."""
    found = await source.working_tree()
    return read_packs(found.files, found.revision, default_workspace, packs_folder=found.folder, today=today)


def packs_under(paths: Iterable[str], desired: Desired, recorded: Mapping[PackId, RecordedPack]) -> frozenset[PackId]:
    """The packs whose file is one of `paths` or lies below one; no path means all. Packs that Git no longer has count
    by the path they were recorded with. `recorded`: those of `Ledger.all_packs`."""
    prefixes = [path.strip("/") for path in paths]
    declared = {pack.id: pack.path for pack in desired.packs.values()} | dict(desired.broken)
    gone = {row.id: row.path for row in recorded.values() if row.id not in declared}
    return frozenset(pack for pack, path in (declared | gone).items() if is_under(path, prefixes))


def is_under(path: str, prefixes: Iterable[str]) -> bool:
    wanted = list(prefixes)
    return not wanted or any(
        prefix in {"", "."} or path == prefix or path.startswith(f"{prefix}/") for prefix in wanted
    )
