"""`sharepack new`: a pack from a few answers. Asks what the options do not say; each answer is checked at once, by the
rules of `validate` and against the packs that are there."""

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.interview import Interview
from reconciler.cli.new_file import is_workbook, refuse_existing, schema_beside, write_file
from reconciler.cli.packs_folder import folder_around, read_folder, shown_path
from reconciler.cli.terminal import Failure, leave, say, style_of, write
from reconciler.cli.validate import packs_dir
from reconciler.core.key import PackId
from reconciler.packs.document import PackDocument
from reconciler.packs.draft import Surroundings, draft_document, draft_text
from reconciler.packs.excerpt import excerpts
from reconciler.packs.new_repository import folder_name
from reconciler.packs.writing import to_yaml
from reconciler.render.problems import problems_text

#: Comes after all others, so that of two of a name it is the one to change.
_DRAFT: Final = "~new-pack.yaml"


@dataclass(frozen=True, slots=True)
class Given:
    """The options, as they were typed; empty for what is to be asked."""

    line: str
    region: str
    project: str
    requestor: str
    description: str
    d2o: Sequence[str]
    oidc: Sequence[str]
    d2d: Sequence[str]
    readers: Sequence[str]
    share: str
    objects: Sequence[str]

    @property
    def has_readers(self) -> bool:
        return any((self.d2o, self.oidc, self.d2d, self.readers))


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--line", default="", metavar="NAME", help="The business line.")
@click.option("--region", default="", metavar="NAME", help="Its region, when it has several.")
@click.option("--project", default="", metavar="NAME", help="The project; with the business line it names the pack.")
@click.option("--requestor", default="", metavar="EMAIL", help="Who asks for it.")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@click.option("--d2o", multiple=True, metavar="NAME=EMAIL", help="A recipient who reads with a token.")
@click.option("--oidc", multiple=True, metavar="NAME", help="A recipient who signs in at its own identity provider.")
@click.option("--d2d", multiple=True, metavar="NAME=METASTORE", help="A recipient that is another metastore.")
@click.option("--reader", "readers", multiple=True, metavar="NAME", help="A recipient that another pack declares.")
@click.option("--share", default="", metavar="NAME", help="The share that these recipients may read.")
@click.option("--object", "objects", multiple=True, metavar="NAME", help="catalog.schema.table, or catalog.schema.")
@click.option("--yes", is_flag=True, help="Ask nothing: the options say it all.")
@click.option("--force", is_flag=True, help="Replace PATH if it is there already.")
def command(path: Path | None, *, yes: bool, force: bool, **options: Any) -> None:
    """Write a new pack to PATH, .yaml or .xlsx; by default into the folder of its business line.

    Asks for business line, project, requestor, recipients and what to share, as far as the options do not say. Each
    answer is checked at once, and nothing is written that validate would refuse: exit code 3.

    \b
    Examples:
      sharepack new
      sharepack new sharepacks/sales/q3.xlsx
      sharepack new --yes --line Sales --project "Orders Q3" --requestor ann@example.com
          --d2o partner-x=data@partner.example --share orders_q3 --object prod.sales.orders
    """
    given = Given(**options)
    home = _home(path)
    if path is not None:
        is_workbook(path)
        refuse_existing(path, force=force)
    around, at = _surroundings(home, path)
    draft = _draft(given, Interview(around, at, is_silent=yes), around)
    target = path or _usual_path(home, around, draft)
    refuse_existing(target, force=force)
    document = _checked(around, at, draft)
    data = _encoded(document, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_file(target, data, force=force)
    _tell(document, target)
    leave(Exit.DONE)


def _home(path: Path | None) -> Path:
    """The packs folder that the new pack will stand in."""
    usual = packs_dir()
    if path is not None and not path.absolute().is_relative_to(usual.absolute()):
        around = path.absolute().parent
        return folder_around(around, usual.absolute()) if around.is_dir() else around
    if not usual.is_dir():
        raise Failure(f"there is no folder {usual}; sharepack init makes one, or name a PATH")
    return usual


def _surroundings(home: Path, path: Path | None) -> tuple[Surroundings, str]:
    """What the draft is held against, and the path that it is checked at: as YAML, whatever it is written as."""
    folder = home.absolute()
    files = dict(read_folder(folder, Path.cwd()).packs) if folder.is_dir() else {}
    if path is not None:
        files.pop(shown_path(path.absolute(), Path.cwd()), None)
    shown = shown_path(folder, Path.cwd())
    return Surroundings(files, shown), f"{shown}/{_DRAFT}"


def _draft(given: Given, interview: Interview, around: Surroundings) -> Mapping[str, Any]:
    lines = sorted(tenant.business_line for tenant in around.desired.tenants.by_line.values())
    known = f" ({', '.join(lines)})" if lines else ""
    interview.metadata("business_line", f"Business line{known}", "--line", given.line)
    if given.region or interview.wants_region():
        interview.metadata("region", "Region", "--region", given.region)
    interview.metadata("project_name", "Name of the project", "--project", given.project)
    interview.metadata("requestor", "Who asks for it (e-mail)", "--requestor", given.requestor, default=_own_email())
    if given.description:
        interview.metadata("description", "", "--description", given.description)
    for kind, typed in (("D2O", given.d2o), ("OIDC", given.oidc), ("D2D", given.d2d)):
        for each in typed:
            name, _, value = each.partition("=")
            interview.declare(name.strip(), kind, value.strip())
    for name in given.readers:
        interview.grant(name)
    if not given.has_readers:
        interview.ask_readers()
    interview.share(given.share)
    interview.objects(given.objects)
    return interview.draft


def _own_email() -> str | None:
    try:
        found = subprocess.run(["git", "config", "user.email"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() or None


def _usual_path(home: Path, around: Surroundings, draft: Mapping[str, Any]) -> Path:
    """Beside the other packs of its business line, called like its project."""
    metadata = draft["metadata"]
    line, project = metadata.get("business_line", ""), metadata.get("project_name", "")
    key = PackId.of(line, project).business_line_key
    beside = next(
        (Path(pack.path).parent for pack in around.desired.packs.values() if pack.id.business_line_key == key), None
    )
    name = folder_name(project) or "pack"
    return (beside or home / (folder_name(line) or "new")) / f"{name}.yaml"


def _checked(around: Surroundings, at: str, draft: Mapping[str, Any]) -> PackDocument:
    problems = around.problems(at, draft)
    document = draft_document(at, draft)
    if document is None or any(problem.is_error for problem in problems):
        ours = [problem for problem in problems if problem.is_error]
        shown = excerpts({at: draft_text(draft).encode()}, [each.where for each in ours if each.where.path == at])
        write(sys.stderr, problems_text(ours, shown, style_of(sys.stderr)))
        write(sys.stderr, f"Nothing was written: {at} stands for the pack as it would have been.\n")
        leave(Exit.INVALID)
    return document


def _encoded(document: PackDocument, target: Path) -> bytes:
    if not is_workbook(target):
        return to_yaml(document, schema_beside(target)).encode()
    from reconciler.packs.workbook_writing import to_workbook  # noqa: PLC0415 - openpyxl takes 0.2 s to import

    return to_workbook(document)


def _tell(document: PackDocument, target: Path) -> None:
    indented = "".join(f"  {line}\n" if line else "\n" for line in to_yaml(document).splitlines())
    says = "It says, as YAML" if is_workbook(target) else "It says"
    say(f"Wrote {target}. {says}:\n\n{indented}\nNext: sharepack plan {shlex.quote(str(target))}\n")
