"""`sharepack suspend`: nothing of a pack is changed for a while, except for what a commit takes away."""

import click

from reconciler.cli.packs_on_record import pack_meant
from reconciler.cli.session import actor, run
from reconciler.cli.terminal import say_lines
from reconciler.cli.until import WhenError, until, zone_named
from reconciler.core.holds import Suspension
from reconciler.render.hold_text import hold_lines, suspension_words
from reconciler.render.lines import Line, line
from reconciler.wiring import Ports


@click.command()
@click.argument("pack")
@click.option("--until", "when", required=True, metavar="WHEN", help="2h, 3d, a day, or a time; 30 days ahead at most.")
@click.option("--reason", required=True, metavar="WORDS", help="Why, for whoever wonders.")
@click.option("--also-revocations", is_flag=True, help="Not even take away what a commit takes away.")
@click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin, for a WHEN without an offset. Default: here.")
def command(*, pack: str, when: str, reason: str, also_revocations: bool, timezone: str | None) -> None:
    """Leave everything of PACK in Databricks as it is until WHEN: no commit and no drift changes it, no person's apply
    either. What a commit takes away is taken away all the same, unless --also-revocations.

    PACK is its file, its project, or "business line / project". WHEN is a number of hours, days or weeks, a day (its
    first moment), or a time with or without an offset. A time that clocks jump over is the moment they jump; of a time
    that there is twice, the later one counts. Suspending again takes the place of a suspension.

    \b
    Examples:
      sharepack suspend "Sales Data Q1 2024" --until 2h --reason "partner moves"
      sharepack suspend sales/q1.yaml --until 2026-12-01T18:00 --timezone Europe/Berlin --reason "year-end close"
    """
    if not reason.strip():
        raise click.UsageError("--reason: say why, for whoever finds the pack suspended")
    say_lines(
        run(lambda ports, _settings: _suspend(ports, pack, when, timezone, " ".join(reason.split()), also_revocations))
    )


async def _suspend(
    ports: Ports,
    wanted: str,
    when: str,
    timezone: str | None,
    reason: str,
    revocations_too: bool,  # noqa: FBT001 - one for each option
) -> list[Line]:
    now = ports.clock.now()
    try:
        end = until(when, now, zone_named(timezone))
    except WhenError as error:
        raise click.UsageError(str(error)) from error
    pack = pack_meant(await ports.ledger.pack_states(), wanted).pack
    before = (await ports.ledger.holds()).suspensions.get(pack)
    await ports.ledger.suspend(pack, Suspension(actor(), reason, now, end, revocations_too))
    after = (await ports.ledger.holds()).suspensions.get(pack)
    said = [*hold_lines(pack, after, {})]
    if before is not None:
        said.append(line(f"      It takes the place of: {suspension_words(before)}"))
    said.append(line("      What a worker has begun goes on; later plans hold it."))
    return said
