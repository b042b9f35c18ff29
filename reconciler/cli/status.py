"""`sharepack status`: how far each pack is, what was applied last, and what went wrong."""

from collections.abc import Mapping, Sequence

import click

from reconciler.cli.planning import make_plan, reader
from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, say, style
from reconciler.core.key import Key, PackId
from reconciler.core.plan import Degraded, Plan
from reconciler.ports.ledger import PackState
from reconciler.render.status_text import Drift, status_json, status_text
from reconciler.render.summary import is_drift
from reconciler.settings import Settings
from reconciler.wiring import Ports

DegradedByPack = Mapping[PackId, Mapping[Key, tuple[Degraded, ...]]]


@click.command()
@click.argument("pack", required=False)
@click.option("--drift", "wants_drift", is_flag=True, help="Also look in Databricks for changes made by hand.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, for programs.")
def command(*, pack: str | None, wants_drift: bool, form: str) -> None:
    """Show the packs on record. PACK is its file, its project, or "business line / project"; by default all.

    \b
    Examples:
      sharepack status
      sharepack status "Sales Data Q1 2024" --drift
      sharepack status --format json
    """
    states, drift, degraded = run(lambda ports, settings: _status(ports, settings, pack, wants_drift=wants_drift))
    say(status_json(states, drift, degraded) if form == "json" else status_text(states, drift, style(), degraded))


async def _status(
    ports: Ports, settings: Settings, pack: str | None, *, wants_drift: bool
) -> tuple[Sequence[PackState], Drift | None, DegradedByPack]:
    states = await ports.ledger.pack_states()
    if pack is not None:
        states = _chosen(states, pack)
    if not wants_drift:
        return states, None, await ports.ledger.degraded()
    meant = frozenset(state.pack for state in states)
    planned = await make_plan(ports, settings, reader(None), lambda _desired, _recorded: meant)
    drift = {each.pack: sum(map(is_drift, each.steps)) for each in planned.plan.packs}
    return states, drift, _degraded(planned.plan)


def _degraded(plan: Plan) -> DegradedByPack:
    """As it is now, not as it was when it was last applied."""
    found = {pack.pack: {step.key: step.degraded for step in pack.steps if step.degraded} for pack in plan.packs}
    return {pack: steps for pack, steps in found.items() if steps}


def _chosen(states: Sequence[PackState], wanted: str) -> Sequence[PackState]:
    found = [state for state in states if _is_meant(state, wanted)]
    if not found:
        raise Failure(f"no pack on record is {wanted!r}; `sharepack status` lists them all")
    return found


def _is_meant(state: PackState, wanted: str) -> bool:
    words = " ".join(wanted.split()).casefold()
    names = {str(state.pack).casefold(), state.pack.project_key, str(state.share_pack_id), state.path.casefold()}
    return words in names or state.path.casefold().endswith(f"/{words.removeprefix('./')}")
