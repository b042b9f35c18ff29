"""`sharepack status`: how far each pack is, what holds it, what was seen of it, and who watches."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import click

from reconciler.cli.github import event, repository_of
from reconciler.cli.packs_on_record import packs_meant
from reconciler.cli.planning import make_plan, reader
from reconciler.cli.session import run
from reconciler.cli.terminal import mention, say, style
from reconciler.core.plan import Plan
from reconciler.core.sighting import Sighting, sighting
from reconciler.ports.ledger import Ledger, PackState
from reconciler.render.lines import line
from reconciler.render.status_json import status_json
from reconciler.render.status_report import Report
from reconciler.render.status_text import status_text
from reconciler.render.summary import is_drift
from reconciler.settings import Settings
from reconciler.stages.contests import contests_by_pack
from reconciler.stages.wording import DRIFT_MARKER
from reconciler.wiring import Ports, pull_requests


@click.command()
@click.argument("pack", required=False)
@click.option("--drift", "wants_drift", is_flag=True, help="Also look in Databricks for changes made by hand.")
@click.option("--github", metavar="OWNER/NAME", help="With --drift: keep one issue there that tells it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, for programs.")
def command(*, pack: str | None, wants_drift: bool, github: str | None, form: str) -> None:
    """Show the packs on record. PACK is its file, its project, or "business line / project"; by default all.

    Tells from the record, without asking Databricks: suspended packs and contested fields, changes made by hand that
    the last look found, tokens that end within 30 days, work that needs attention, and whether a daemon watches.

    \b
    Examples:
      sharepack status
      sharepack status "Sales Data Q1 2024" --drift
      sharepack status --drift --github example/packs
      sharepack status --format json
    """
    if github and (not wants_drift or pack is not None):
        raise click.UsageError("--github tells the drift of all packs: give --drift, and leave out PACK")
    repository = repository_of(github, event()) if github else ""
    report = run(lambda ports, settings: _report(ports, settings, pack, repository, wants_drift=wants_drift))
    say(status_json(report) if form == "json" else status_text(report, style()))


async def _report(ports: Ports, settings: Settings, pack: str | None, repository: str, *, wants_drift: bool) -> Report:
    states = await ports.ledger.pack_states()
    if pack is not None:
        states = packs_meant(states, pack)
    report = await _on_record(ports.ledger, states)
    if not wants_drift:
        return report
    meant = frozenset(state.pack for state in states)
    planned = await make_plan(ports, settings, reader(None), lambda _desired, _recorded: meant)
    if repository:
        await _keep_issue(settings, repository, planned.plan)
    return _looked_at(report, planned.plan)


async def _keep_issue(settings: Settings, repository: str, plan: Plan) -> None:
    """One open issue while there is drift, and none when there is not. What could not be looked at may have drifted:
    then an issue that is open stays as it is."""
    from reconciler.render.markdown import drift_issue  # noqa: PLC0415 - only where it is asked for

    written = drift_issue(plan)
    if written is None and any(step.is_unseen for step in plan.steps):
        return
    title, body = written or ("", None)
    pulls = pull_requests(settings, repository)
    try:
        url = await pulls.issue(DRIFT_MARKER, title, body)
    finally:
        await pulls.close()
    if url:
        mention([line(f"The issue is at {url}")])


async def _on_record(ledger: Ledger, states: Sequence[PackState]) -> Report:
    packs = [state.pack for state in states]
    facts, holds, sightings, standings, daemons, figures = await asyncio.gather(
        ledger.facts(),
        ledger.holds(),
        ledger.sightings(),
        ledger.standings(packs),
        ledger.daemons(),
        ledger.figures(),
    )
    return Report(
        states=states,
        now=facts.now,
        sightings=sightings,
        suspensions=holds.suspensions,
        contests=await contests_by_pack(ledger, holds),
        needing_attention=frozenset(pack for pack, standing in standings.items() if standing.needs_attention),
        daemons=daemons,
        last_full_pass=figures.last_full_pass,
        distrusted=sorted(await ledger.distrusted()),
    )


def _looked_at(report: Report, plan: Plan) -> Report:
    """As it is now, not as it was when it was looked at last; since when, only the record knows."""
    sightings = dict(report.sightings)
    for pack in plan.packs:
        before = report.sightings.get(pack.pack, {})
        now = {step.key: _with_since(sighting(step), before.get(step.key)) for step in pack.steps}
        sightings[pack.pack] = {key: each for key, each in now.items() if each.is_notable}
    drift = {pack.pack: sum(map(is_drift, pack.steps)) for pack in plan.packs}
    return replace(report, sightings=sightings, drift=drift)


def _with_since(now: Sighting, before: Sighting | None) -> Sighting:
    return now if before is None or not now.drift else replace(now, drift_since=before.drift_since)
