"""`sharepack status`: how far each pack is, what was applied last, and what went wrong."""

from collections.abc import Sequence

import click

from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, say, style
from reconciler.ports.ledger import PackState
from reconciler.render.status_text import status_json, status_text


@click.command()
@click.argument("pack", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, for programs.")
def command(*, pack: str | None, form: str) -> None:
    """Show the packs on record. PACK is its file, its project, or "business line / project"; by default all.

    \b
    Examples:
      sharepack status
      sharepack status "Sales Data Q1 2024"
      sharepack status --format json
    """
    states = run(lambda ports, _settings: ports.ledger.pack_states())
    chosen = states if pack is None else _chosen(states, pack)
    say(status_json(chosen) if form == "json" else status_text(chosen, style()))


def _chosen(states: Sequence[PackState], wanted: str) -> Sequence[PackState]:
    found = [state for state in states if _is_meant(state, wanted)]
    if not found:
        raise Failure(f"no pack on record is {wanted!r}; `sharepack status` lists them all")
    return found


def _is_meant(state: PackState, wanted: str) -> bool:
    words = " ".join(wanted.split()).casefold()
    names = {str(state.pack).casefold(), state.pack.project_key, str(state.share_pack_id), state.path.casefold()}
    return words in names or state.path.casefold().endswith(f"/{words.removeprefix('./')}")
