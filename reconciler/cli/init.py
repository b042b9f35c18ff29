"""`sharepack init`: a repository for packs. Asks, writes files that are not there yet, and never replaces one; what the
files say is in `packs.new_repository`, the workflows are this project's own."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

import reconciler
from reconciler import __version__
from reconciler.cli.asking import ask
from reconciler.cli.exits import Exit
from reconciler.cli.new_file import write_file
from reconciler.cli.packs_folder import repository_top
from reconciler.cli.terminal import Failure, leave, say, style_of, write
from reconciler.core.desired import Revision
from reconciler.core.problem import Problem
from reconciler.packs.excerpt import excerpts
from reconciler.packs.new_repository import KEPT, PACKS_FOLDER, BusinessLine, is_owner, repository_files
from reconciler.packs.reading import read_packs
from reconciler.render.problems import problems_text

_ACTION: Final = "actions/sharepack/action.yml"
#: By their path below `.github`, here and in the new repository.
WORKFLOWS: Final = (
    "workflows/validate.yml",
    "workflows/plan.yml",
    "workflows/apply.yml",
    "workflows/drift.yml",
    "actions/sharepack-login/action.yml",
    _ACTION,
)
#: The line of that action that says what is installed: here the checkout, elsewhere a release.
_THIS_CHECKOUT: Final = "    default: ./\n"
_INSTALLED: Final = re.compile(r"[0-9][0-9A-Za-z.+!-]*|git\+https://[^\s\"@\\]+@[^\s\"@\\]+")
_OWNER_HINT: Final = "@user, @organisation/team or an e-mail address"


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--line", "lines", multiple=True, metavar="NAME[=OWNER]", help="A business line, and who approves for it."
)
@click.option("--platform", default="", metavar="OWNER", help="Who approves workflows and the tenants file.")
@click.option("--workspace", default="", metavar="URL", help="The workspace of these business lines.")
@click.option("--first-pack", default="", metavar="EMAIL", help="Also write a pack for each, requested by EMAIL.")
@click.option("--install", metavar="WHAT", default=__version__, help="What the workflows install (see below).")
@click.option("--yes", is_flag=True, help="Ask nothing; what is not given can be filled in later.")
def command(folder: Path, *, lines: Sequence[str], platform: str, workspace: str, yes: bool, **more: str) -> None:
    """Make DIR, by default this folder, a repository for packs.

    Writes the packs folder with a folder for each business line, tenants.yaml, the GitHub workflows, CODEOWNERS, hooks
    for pre-commit, settings of editors and a README for requestors, and runs git init where there is no repository. A
    file that is there already is left as it is. An OWNER is @user, @organisation/team or an e-mail address. WHAT is a
    version, by default this one, or git+https://HOST/OWNER/REPO@REF.

    \b
    Examples:
      sharepack init our-shares
      sharepack init our-shares --line "Sales=@acme/sales-data" --line Legal --platform @acme/data-platform
      sharepack init --yes --line Research --first-pack ann@example.com
    """
    if not lines and not yes:
        lines, platform, workspace = _asked(platform, workspace)
    known = _business_lines(lines)
    _check_owners([*(line.owner for line in known), platform])
    own = repository_files(known, platform=platform, workspace=workspace.strip(), requestor=more["first_pack"].strip())
    files = {path: text.encode() for path, text in {**own, **_workflows(more["install"].strip())}.items()}
    _check_packs(files)
    written, left = _write(folder, files)
    is_new = _start_git(folder)
    say("".join(f"{each}\n" for each in _report(folder, written, left, is_new_repository=is_new)))
    leave(Exit.DONE)


def _asked(platform: str, workspace: str) -> tuple[Sequence[str], str, str]:
    names = ask("Business lines, separated by commas", "--line", check=_no_lines).split(",")
    lines = []
    for name in filter(None, map(str.strip, names)):
        owner = ask(f"Who approves packs of {name} (empty: later)", "--line", default="", check=_wrong_owner)
        lines.append(f"{name}={owner}" if owner else name)
    platform = platform or ask("Who approves all else (empty: later)", "--platform", default="", check=_wrong_owner)
    return lines, platform, workspace or ask("URL of the workspace (empty: later)", "--workspace", default="")


def _no_lines(text: str) -> str:
    return "" if any(map(str.strip, text.split(","))) else "name at least one"


def _wrong_owner(text: str) -> str:
    return "" if not text or is_owner(text) else f"an owner is {_OWNER_HINT}"


def _business_lines(typed: Sequence[str]) -> Sequence[BusinessLine]:
    if not typed:
        raise Failure("name the business lines: --line NAME or --line NAME=OWNER, once for each")
    lines: dict[str, BusinessLine] = {}
    for each in typed:
        name, _, owner = each.partition("=")
        line = BusinessLine(" ".join(name.split()), owner.strip())
        if not line.folder:
            raise Failure(f"{each!r} does not name a business line; write letters or digits")
        if line.folder in lines:
            raise Failure(f"{lines[line.folder].name!r} and {line.name!r} would share the folder {line.folder}")
        lines[line.folder] = line
    return list(lines.values())


def _check_owners(owners: Sequence[str]) -> None:
    wrong = [owner for owner in owners if _wrong_owner(owner)]
    if wrong:
        raise Failure("\n".join(f"{owner!r} is no owner: write {_OWNER_HINT}" for owner in wrong))


def _workflows(installed: str) -> Mapping[str, str]:
    """Raises Failure for what the action would not install."""
    if not _INSTALLED.fullmatch(installed):
        raise Failure(f"{installed!r} cannot be installed: write a version, or git+https://HOST/OWNER/REPO@REF")
    texts = {path: _workflow(path) for path in WORKFLOWS}
    texts[_ACTION] = texts[_ACTION].replace(_THIS_CHECKOUT, f'    default: "{installed}"\n', 1)
    return {f".github/{path}": text for path, text in texts.items()}


def _workflow(path: str) -> str:
    package = Path(reconciler.__file__).parent
    for place in (package / "_templates" / path, package.parent / ".github" / path):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise Failure(f"this installation has no {path}; install sharepack again")


def _check_packs(files: Mapping[str, bytes]) -> None:
    """By the rules of validate, before anything is written."""
    packs = {path: data for path, data in files.items() if path.startswith(f"{PACKS_FOLDER}/")}
    problems: Sequence[Problem] = read_packs(packs, Revision(), "", packs_folder=PACKS_FOLDER).problems
    if problems:
        shown = excerpts(packs, [problem.where for problem in problems])
        write(sys.stderr, problems_text(problems, shown, style_of(sys.stderr)) + "Nothing was written.\n")
        leave(Exit.INVALID)


def _write(folder: Path, files: Mapping[str, bytes]) -> tuple[Sequence[str], Sequence[str]]:
    written, left = [], []
    for path, data in sorted(files.items()):
        place = folder / path
        if os.path.lexists(place):
            left.append(path)
            continue
        if place.name == KEPT and place.parent.is_dir() and any(place.parent.iterdir()):
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(f"{place.parent} cannot be made: {error.strerror}") from error
        write_file(place, data, force=False)
        written.append(path)
    return written, left


def _start_git(folder: Path) -> bool:
    if repository_top(folder.absolute()) is not None:
        return False
    try:
        subprocess.run(
            ["git", "-c", "init.defaultBranch=main", "init", "--quiet"], cwd=folder, check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"the files are written, but `git init` failed in {folder}; run it yourself") from error
    return True


def _report(folder: Path, written: Sequence[str], left: Sequence[str], *, is_new_repository: bool) -> Iterator[str]:
    for path in written:
        yield f"  {folder / path}"
    started = " and started a repository" if is_new_repository else ""
    yield f"Wrote {len(written)} file{'' if len(written) == 1 else 's'}{started}."
    if left:
        yield f"There already, and left as they were: {', '.join(left)}."
    place = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    yield f"Next: {place}sharepack validate, then sharepack new for a first pack of yours. README.md says the rest."
