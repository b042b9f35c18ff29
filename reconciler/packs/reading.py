"""All files of the packs folder to the desired state: every valid pack, and every problem of every file.

Each file is read alone (`parsing`), then placed in its workspace (`placing`) and held against the others (`across`).
Problems in one pack never hide those of another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId
from reconciler.core.pack import SharePack
from reconciler.core.problem import Problem, Where
from reconciler.core.tenant import Tenants
from reconciler.packs.across import clashes, references
from reconciler.packs.finding import in_order
from reconciler.packs.parsing import FOREIGN_ENDINGS, WORKBOOK_ENDINGS, YAML_ENDINGS, ParsedFile, ending, parse_file
from reconciler.packs.placing import Placed, place
from reconciler.packs.tenants import TENANTS_NAMES, TenantsFile, read_tenants
from reconciler.packs.translate import share_pack

PACK_ENDINGS: Final = YAML_ENDINGS | WORKBOOK_ENDINGS | FOREIGN_ENDINGS


def read_packs(
    files: Mapping[str, bytes],
    revision: Revision,
    default_workspace: str,
    *,
    folder: str | None = None,
    parse: Callable[[str, bytes], ParsedFile] = parse_file,
) -> Desired:
    """`files` by path with forward slashes. `folder` is the packs folder, by default what all paths have in common;
    `parse` may be a `parse_file` that remembers."""
    tenants_path, misplaced = _tenants_paths(files, _common_folder(files) if folder is None else folder)
    tenants = TenantsFile(Tenants({}, default_workspace))
    if tenants_path:
        tenants = read_tenants(tenants_path, files[tenants_path], default_workspace)
    packs = [parse(path, files[path]) for path in sorted(files) if is_pack(path)]
    return merge(packs, tenants, revision, misplaced)


def is_pack(path: str) -> bool:
    """By its name alone. Hidden files, Excel's lock files (~$…) and the tenants file are none."""
    name = PurePosixPath(path).name
    is_hidden = any(part.startswith(".") for part in PurePosixPath(path).parts)
    return ending(path) in PACK_ENDINGS and name.lower() not in TENANTS_NAMES and not is_hidden and name[:2] != "~$"


def merge(
    files: Sequence[ParsedFile], tenants: TenantsFile, revision: Revision, problems: Sequence[Problem] = ()
) -> Desired:
    placed = [place(file, tenants) for file in files]
    found = [*problems, *tenants.problems]
    for pack in placed:
        found.extend(pack.file.problems)
        found.extend(pack.problems)
    found.extend(clashes(placed))
    resolved = references(placed, found)
    found.extend(resolved.problems)
    broken_paths = _with_errors(found)
    packs = {}
    for pack in placed:
        document, workspace = pack.file.document, pack.workspace
        if pack.path not in broken_paths and document is not None and workspace is not None:
            borrowed = resolved.borrowed.get(pack.path, frozenset())
            read = share_pack(pack.file, document, workspace, borrowed)
            packs[read.id] = read
    broken = [pack for pack in placed if pack.path in broken_paths]
    return Desired(
        revision=revision,
        packs=_sorted(packs),
        problems=tuple(sorted(found, key=in_order)),
        unreadable_lines=_unreadable_lines(broken, tenants, is_misplaced=bool(problems)),
        broken={pack.id: pack.path for pack in broken if pack.id is not None},
        tenants=tenants.tenants,
    )


def _with_errors(problems: Iterable[Problem]) -> frozenset[str]:
    """Paths of the files that an error speaks of; one that only waits for another does not break that other."""
    paths: set[str] = set()
    for problem in problems:
        if problem.is_error:
            paths.add(problem.where.path)
            if problem.also is not None and problem.rule != "waits-for-file":
                paths.add(problem.also.path)
    return frozenset(paths)


def _unreadable_lines(broken: Sequence[Placed], tenants: TenantsFile, *, is_misplaced: bool) -> frozenset[str]:
    lines = {pack.line for pack in broken} | tenants.broken_lines
    return frozenset(lines | {""} if not tenants.is_whole or is_misplaced else lines)


def _sorted(packs: Mapping[PackId, SharePack]) -> Mapping[PackId, SharePack]:
    return {key: packs[key] for key in sorted(packs)}


def _tenants_paths(files: Iterable[str], folder: str) -> tuple[str, Sequence[Problem]]:
    """The tenants file at the top of the folder, and a problem for each that stands elsewhere."""
    found = sorted(path for path in files if PurePosixPath(path).name.lower() in TENANTS_NAMES)
    at_top = [path for path in found if PurePosixPath(path).parent == PurePosixPath(folder)]
    chosen = at_top[0] if at_top else ""
    hint = f"keep one, {PurePosixPath(folder) / 'tenants.yaml'}"
    return chosen, [
        Problem(Where(path), "tenants-place", "this tenants file is not read", hint) for path in found if path != chosen
    ]


def _common_folder(files: Iterable[str]) -> str:
    """The deepest folder that holds all files; "." for several at the top of the repository."""
    parents = [PurePosixPath(path).parent.parts for path in files]
    common: list[str] = []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return str(PurePosixPath(*common))
