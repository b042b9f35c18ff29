"""`sharepack import`: writes packs for recipients and shares that exist and no pack declares. Commits nothing."""

from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.paths import source_root
from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, leave, mention, say
from reconciler.core.desired import Desired
from reconciler.core.key import Kind
from reconciler.packs.reading import read_packs
from reconciler.ports.pack_source import PackFiles
from reconciler.render.lines import Span, Tone, line
from reconciler.settings import Settings
from reconciler.stages.import_resources import (
    Import,
    Purpose,
    everything,
    import_resources,
    left_to_do,
    named,
    with_imported,
)
from reconciler.stages.plan import plan_packs
from reconciler.wiring import Ports, pack_source


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line; no names: everything."""

    shares: tuple[str, ...]
    recipients: tuple[str, ...]
    business_line: str
    requestor: str
    region: str
    #: Below the packs folder; None: named after the business line.
    folder: str | None


@click.command()
@click.option("--share", "shares", multiple=True, metavar="NAME", help="A share, with the recipients it is granted to.")
@click.option("--recipient", "recipients", multiple=True, metavar="NAME", help="A recipient.")
@click.option("--all", "wants_all", is_flag=True, help="Every share and recipient the workspace shows.")
@click.option("--business-line", required=True, help="The business line that is to own them.")
@click.option("--requestor", required=True, metavar="EMAIL", help="Who asks for it, and gets activation links.")
@click.option("--region", default="", help="Region of the business line, when it has several.")
@click.option(
    "--into", "folder", metavar="DIR", help="Folder of the new files (default: named after the business line)."
)
def command(
    *,
    shares: tuple[str, ...],
    recipients: tuple[str, ...],
    wants_all: bool,
    business_line: str,
    requestor: str,
    region: str,
    folder: str | None,
) -> None:
    """Write minimal packs for what exists in the workspace, and prove that a plan of them is empty.

    Each entry says adopt: true: committing and applying the files takes the resources over as they are. Nothing is
    changed at Databricks, nothing is recorded, and committing is left to you.

    \b
    Examples:
      sharepack import --share partner_share --business-line "Sales Operations" --requestor ann@example.com
      sharepack import --all --business-line Research --requestor ann@example.com

    Exit code 0 when the files are written, 1 when they are not.
    """
    if not (shares or recipients or wants_all):
        raise click.UsageError("say what to import: --share NAME, --recipient NAME or --all")
    if wants_all and (shares or recipients):
        raise click.UsageError("--all is everything: leave out --share and --recipient")
    order = Order(shares, recipients, business_line, requestor, region, folder)
    leave(run(lambda ports, settings: _import(ports, settings, order)))


async def _import(ports: Ports, settings: Settings, order: Order) -> Exit:
    source = pack_source(settings.packs_dir)
    found = await source.working_tree()
    desired = read_packs(found.files, found.revision, settings.databricks_host, packs_folder=found.folder)
    workspace = _workspace(desired, order, settings)
    keys = named(order.shares, Kind.SHARE, workspace) | named(order.recipients, Kind.RECIPIENT, workspace)
    if not keys:
        keys = await everything(workspace, ports.platform)
    imported = await import_resources(keys, desired, _purpose(order, found), workspace, ports.platform)
    mention([line(Span(f"{key}: left alone: {reason}", Tone.CHANGE)) for key, reason in imported.left])
    if not imported.files:
        raise Failure("there is nothing to import: what was asked for is declared already, or not there")
    await _prove(found, imported, ports, settings)
    root = source_root(settings.packs_dir)
    for path, content in sorted(imported.files.items()):
        _write(root / path, content)
        say(f"{path}\n")
    count, files = len(imported.keys), len(imported.files)
    mention(
        [
            line(
                Span(
                    f"{count} resource{'s'[: count != 1]} in {files} file{'s'[: files != 1]}. A plan of them is empty.",
                    Tone.ADD,
                )
            ),
            line("Look at them, commit them, and `sharepack apply` takes the resources over as they are."),
        ]
    )
    return Exit.DONE


async def _prove(found: PackFiles, imported: Import, ports: Ports, settings: Settings) -> None:
    """Raises Failure unless the new packs say exactly what is there."""
    existing = sorted(imported.files.keys() & found.files.keys())
    if existing:
        raise Failure(f"nothing was written: {', '.join(existing)} exist already; name another folder with --into")
    desired, packs = with_imported(found, imported, settings.databricks_host)
    errors = [f"{each.where}: {each.message}" for each in desired.problems if each.where.path in imported.files]
    if errors:
        raise Failure("\n".join(["nothing was written: the packs would have problems", *errors]))
    source = pack_source(settings.packs_dir)
    plan = await plan_packs(desired, packs, source, ports.ledger, ports.platform, ports.clock)
    left = left_to_do(plan, imported)
    if left:
        raise Failure("\n".join(["nothing was written: a plan of the packs would not be empty", *left]))


def _workspace(desired: Desired, order: Order, settings: Settings) -> str:
    tenants = desired.tenants
    if not tenants.is_declared:
        workspace = settings.databricks_host
    else:
        tenant = tenants.by_line.get(" ".join(order.business_line.split()).casefold())
        if tenant is None:
            known = ", ".join(sorted(each.business_line for each in tenants.by_line.values()))
            raise Failure(f"the business line {order.business_line} is not in tenants.yaml; known are {known}")
        region = order.region.strip().upper()
        only = [each for each in tenant.workspaces if each]
        region = only[0] if not region and "" not in tenant.workspaces and len(only) == 1 else region
        if region not in tenant.workspaces:
            raise Failure(f"say which region of {tenant.business_line} it is: --region {' or '.join(sorted(only))}")
        workspace = tenant.workspaces[region]
    if not workspace:
        raise Failure(
            "there is no workspace to ask: set databricks_host, or give the business line one in tenants.yaml"
        )
    return workspace


def _purpose(order: Order, found: PackFiles) -> Purpose:
    words = "".join(each if each.isalnum() else " " for each in order.business_line.lower()).split()
    folder = order.folder or "-".join(words)
    top = found.folder.rstrip("/")
    path = f"{top}/{folder.strip('/')}" if top not in {"", "."} else folder.strip("/")
    return Purpose(order.business_line, order.requestor, order.region, path)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from error
