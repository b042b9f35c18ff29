"""`sharepack activation`: asks Databricks for a recipient's activation link, prints it once and stores it nowhere."""

import click

from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, say
from reconciler.core.key import Key, recipient_key
from reconciler.settings import Settings
from reconciler.wiring import Ports


@click.command()
@click.argument("recipient")
@click.option("--workspace", metavar="URL", help="Needed when several workspaces have a recipient of this name.")
def command(*, recipient: str, workspace: str | None) -> None:
    """Print the one-time activation link of a D2O recipient, for handing it to the partner in a way that is safe.

    The link is asked for at this moment and kept nowhere: not in the database, not in a log. Whoever opens it first
    gets the token.

    \b
    Example:
      sharepack activation sales-analyst
    """
    say(f"{run(lambda ports, settings: _link(ports, settings, recipient, workspace))}\n")


async def _link(ports: Ports, settings: Settings, name: str, workspace: str | None) -> str:
    key = await _key(ports, settings, name.removeprefix("recipient/"), workspace)
    link = await ports.platform.activation_link(key)
    if link is None:
        raise Failure(
            f"{key} has no activation link: it was used already, or the recipient is D2D and needs none; "
            "if the token was lost, rotate it in Databricks"
        )
    return link


async def _key(ports: Ports, settings: Settings, name: str, workspace: str | None) -> Key:
    if workspace is not None:
        return recipient_key(name, workspace.rstrip("/"))
    known = await ports.ledger.find_recipients(name)
    if len(known) > 1:
        places = ", ".join(sorted(key.workspace for key in known))
        raise Failure(f"several workspaces have {name}: {places}; name one with --workspace")
    if known:
        return known[0]
    if not settings.databricks_host:
        raise Failure(
            f"no recipient {name} is on record; name the workspace with --workspace to ask for it all the same"
        )
    return recipient_key(name, settings.databricks_host)
