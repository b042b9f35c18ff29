"""`sharepack activation`: asks Databricks for a recipient's activation link, prints it once and stores it nowhere."""

import click

from reconciler.cli.recipients import recipient_meant
from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, say
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
    key = await recipient_meant(ports, settings, name, workspace)
    link = await ports.platform.activation_link(key)
    if link is None:
        raise Failure(
            f"{key} has no activation link: it was used already, or the recipient is D2D and needs none; "
            f"if the token was lost: sharepack rotate {key.name}"
        )
    return link
