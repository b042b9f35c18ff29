"""`sharepack validate`: what is wrong in pack files. Reads files and decides nothing: `packs.reading` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler import __version__
from reconciler.cli.exits import Exit
from reconciler.cli.packs_folder import folder_around, read_folder, repository_top, shown_path
from reconciler.cli.terminal import Failure, leave, say, style
from reconciler.core.desired import Revision
from reconciler.core.problem import Problem, Where
from reconciler.packs.excerpt import excerpts
from reconciler.packs.file_names import is_pack, is_tenants_file
from reconciler.packs.reading import paths_of, read_packs
from reconciler.packs.rules import RULES
from reconciler.render.annotations import problems_github
from reconciler.render.problems import problems_json, problems_text, summary_text
from reconciler.render.sarif import problems_sarif
from reconciler.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Checked:
    """What validating some paths of one packs folder came to."""

    files: Mapping[str, bytes]
    #: The files asked for; the others of the folder are only held against them.
    chosen: frozenset[str]
    problems: tuple[Problem, ...]
    packs: int


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    help="text for people, json for programs, github for annotations, sarif for code scanning.",
)
@click.option(
    "--sarif",
    "sarif_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write FILE for code scanning.",
)
def command(paths: Sequence[Path], form: str, sarif_file: Path | None) -> None:
    """Check pack files: PATH is a file or a folder, by default sharepacks/.

    A file is checked together with the packs folder it stands in, and only its own problems are shown. Needs no network
    and no database. Exit code 0 when all is well (warnings aside), 3 with problems, 1 when a PATH is not there.

    \b
    Examples:
      sharepack validate
      sharepack validate sharepacks/sales/q1.yaml
      sharepack validate --format github --sarif problems.sarif
    """
    home = packs_dir()
    for_repository = form in {"github", "sarif"} or sarif_file is not None
    checked = check(paths or (home,), home, for_repository=for_repository)
    problems = [problem for each in checked for problem in each.problems]
    if sarif_file is not None:
        _write(sarif_file, _sarif(problems))
    say(_written(form, checked, problems))
    leave(Exit.INVALID if any(problem.is_error for problem in problems) else Exit.DONE)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error


def _sarif(problems: Sequence[Problem]) -> str:
    return problems_sarif(problems, RULES, __version__)


def packs_dir() -> Path:
    """The packs folder of the settings. Checking files needs no other setting, so a wrong one is no matter here."""
    given = (click.get_current_context().find_root().obj or {}).get("packs_dir")
    try:
        return Settings.load(packs_dir=given).packs_dir
    except SettingsError:
        return Path(str(given or "sharepacks"))


def check(paths: Sequence[Path], home: Path, *, for_repository: bool) -> Sequence[Checked]:
    """Each packs folder once, with what was asked for in it. Raises Failure for a path that is not there."""
    by_folder: dict[Path, list[Path]] = {}
    for path in map(Path.absolute, paths):
        if not path.exists():
            raise Failure(f"there is no file or folder {path}; name one, or run this where sharepacks/ is")
        if path.is_file() and not is_pack(path.name) and not is_tenants_file(path.name):
            raise Failure(f"{path} is not a pack: packs are .yaml, .yml or .xlsx files")
        by_folder.setdefault(folder_around(path, home.absolute()), []).append(path)
    return [_check_folder(folder, chosen, for_repository=for_repository) for folder, chosen in by_folder.items()]


def _check_folder(folder: Path, chosen: Sequence[Path], *, for_repository: bool) -> Checked:
    above = (repository_top(folder) if for_repository else None) or Path.cwd()
    try:
        files = read_folder(folder, above)
    except OSError as error:
        raise Failure(f"{error.filename} cannot be read: {error.strerror}") from error
    today = datetime.now(UTC).date()
    desired = read_packs(files, Revision(), "", packs_folder=shown_path(folder, above), today=today)
    asked = [shown_path(path, above) for path in chosen]
    ours = frozenset(path for path in files.packs if any(is_below(path, prefix) for prefix in asked))
    problems = tuple(problem for problem in desired.problems if _concerns(problem, ours))
    return Checked(files, ours, problems, sum(pack.path in ours for pack in desired.packs.values()))


def is_below(path: str, prefix: str) -> bool:
    return prefix in {".", path} or path.startswith(f"{prefix}/")


def _concerns(problem: Problem, ours: frozenset[str]) -> bool:
    # No pack is right while the tenants file is wrong.
    return bool(paths_of(problem) & ours) or is_tenants_file(problem.where.path)


def _written(form: str, checked: Sequence[Checked], problems: Sequence[Problem]) -> str:
    packs = sum(each.packs for each in checked)
    files = len({path for each in checked for path in each.chosen} | {problem.where.path for problem in problems})
    if form == "json":
        return problems_json(problems, packs=packs, files=files)
    if form == "sarif":
        return _sarif(problems)
    summary = summary_text(packs=packs, files=files, problems=problems) + "\n"
    if form == "github":
        return problems_github(problems) + summary
    shown: dict[Where, str] = {}
    for each in checked:
        shown |= excerpts(each.files, [problem.where for problem in each.problems])
    return problems_text(problems, shown, style()) + summary
