"""`sharepack history`: every version of one recipient or share: when, what changed, who, why, which commit."""

import click

from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, say, style
from reconciler.core.key import parse_key
from reconciler.render.history_text import history_json, history_text


@click.command()
@click.argument("key")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, for programs.")
def command(*, key: str, form: str) -> None:
    """Tell the history of KEY, which is share/NAME or recipient/NAME, in every workspace it is recorded in.

    \b
    Examples:
      sharepack history share/sales_q1_share
      sharepack history recipient/sales-analyst --format json
    """
    wanted = parse_key(key)
    if wanted is None:
        raise Failure(f"{key!r} is not share/NAME or recipient/NAME, such as share/sales_q1_share")
    versions = run(lambda ports, _settings: ports.ledger.history(wanted))
    say(history_json(wanted, versions) if form == "json" else history_text(wanted, versions, style()))
