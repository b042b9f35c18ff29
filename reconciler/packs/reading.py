"""All files of the packs folder to the desired state: every valid pack, and every problem of every file.

Each file is read alone (`parsing`), then placed in its workspace (`placing`) and held against the others (`across`).
Problems in one pack never hide those of another."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId
from reconciler.core.pack import SharePack
from reconciler.core.problem import Problem, Where
from reconciler.core.tenant import Tenants
from reconciler.packs.across import clashes
from reconciler.packs.collecting import keeping_all
from reconciler.packs.file_names import below, common_folder, folder, is_pack, tenants_files
from reconciler.packs.finding import enough, in_order, problem_of
from reconciler.packs.notebooks import Beside, check_notebooks
from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.packs.placing import Placed, place
from reconciler.packs.references import references
from reconciler.packs.reviewed import check_days
from reconciler.packs.shape import is_settled
from reconciler.packs.tenants import TenantsFile, read_tenants
from reconciler.packs.translate import share_pack


@keeping_all()
def read_packs(
    files: Mapping[str, bytes],
    revision: Revision,
    default_workspace: str,
    *,
    packs_folder: str | None = None,
    parse: Callable[[str, bytes], ParsedFile] = parse_file,
    today: date | None = None,
    only: Collection[str] | None = None,
) -> Desired:
    """`files` by path with forward slashes, the notebooks among them. `packs_folder` is by default what all paths have
    in common; `parse` may be a `parse_file` that remembers. Without `today` nothing is said of days gone by. With
    `only`, the packs at other paths are as if they were not there."""
    top = common_folder(files) if packs_folder is None else packs_folder
    tenants_path, misplaced = _tenants_paths(files, "" if top == "." else top.rstrip("/"))
    tenants = TenantsFile(Tenants({}, default_workspace))
    if tenants_path:
        tenants = read_tenants(tenants_path, files[tenants_path], default_workspace)
    chosen = sorted(files if only is None else only)
    packs = [parse(path, files[path]) for path in chosen if is_pack(below(path, top))]
    beside = Beside(files, top)
    placed = [_with_surroundings(place(pack, tenants), beside, today) for pack in packs]
    return _merged(placed, tenants, revision, misplaced, beside)


def _with_surroundings(pack: Placed, beside: Beside, today: date | None) -> Placed:
    """With what depends on the files beside the pack, and on the day."""
    document = pack.file.document
    if document is None:
        return pack
    findings = list(enough(check_notebooks(document, pack.path, beside)))
    if today is not None:
        findings.extend(enough(check_days(document, today)))
    said = [problem_of(each, pack.file.places) for each in findings if not is_settled(each.loc, pack.file.settled)]
    return replace(pack, problems=(*pack.problems, *said)) if said else pack


def _merged(
    placed: Sequence[Placed], tenants: TenantsFile, revision: Revision, problems: Sequence[Problem], beside: Beside
) -> Desired:
    found = [*problems, *tenants.problems]
    for pack in placed:
        found.extend(pack.file.problems)
        found.extend(pack.problems)
    found.extend(clashes(placed))
    resolved = references(placed, found, tenants.tenants)
    found.extend(resolved.problems)
    broken_paths = {path for problem in found if problem.is_error for path in paths_of(problem)}
    packs = {}
    for pack in placed:
        document, workspace = pack.file.document, pack.workspace
        if pack.path not in broken_paths and document is not None and workspace is not None:
            borrowed = resolved.borrowed.get(pack.path, frozenset())
            read = share_pack(pack.file, document, workspace, borrowed, beside)
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


def paths_of(problem: Problem) -> frozenset[str]:
    """The files a problem speaks against; one that only waits for another says nothing against that other."""
    is_about_both = problem.also is not None and problem.rule != "waits-for-file"
    return frozenset(
        {problem.where.path, problem.also.path} if is_about_both and problem.also else {problem.where.path}
    )


def _unreadable_lines(broken: Sequence[Placed], tenants: TenantsFile, *, is_misplaced: bool) -> frozenset[str]:
    lines = {pack.line for pack in broken} | tenants.broken_lines
    return frozenset(lines | {""} if not tenants.is_whole or is_misplaced else lines)


def _sorted(packs: Mapping[PackId, SharePack]) -> Mapping[PackId, SharePack]:
    return {key: packs[key] for key in sorted(packs)}


def _tenants_paths(files: Iterable[str], top: str) -> tuple[str, Sequence[Problem]]:
    """The tenants file at the top of the folder, and a problem for each that stands elsewhere."""
    found = sorted(tenants_files(files))
    chosen = next((path for path in found if folder(path) == top), "")
    hint = f"keep one, {top}/tenants.yaml" if top else "keep one, tenants.yaml"
    return chosen, [
        Problem(Where(path), "tenants-place", "this tenants file is not read", hint) for path in found if path != chosen
    ]
