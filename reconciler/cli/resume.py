"""`sharepack resume`: ends what keeps a pack from being brought into order."""

from collections.abc import Iterator

import click

from reconciler.cli.packs_on_record import pack_meant
from reconciler.cli.session import actor, run
from reconciler.cli.terminal import say_lines
from reconciler.core.holds import Holds
from reconciler.core.key import PackId
from reconciler.render.hold_text import contest_words, suspension_words
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.wiring import Ports


@click.command()
@click.argument("pack")
def command(*, pack: str) -> None:
    """End the suspension of PACK, and let fields that somebody kept changing back be corrected again.

    PACK is its file, its project, or "business line / project".

    \b
    Example:
      sharepack resume "Sales Data Q1 2024"
    """
    say_lines(run(lambda ports, _settings: _resume(ports, pack)))


async def _resume(ports: Ports, wanted: str) -> list[Line]:
    pack = pack_meant(await ports.ledger.pack_states(), wanted).pack
    return list(_told(pack, await ports.ledger.resume(pack, actor())))


def _told(pack: PackId, ended: Holds) -> Iterator[Line]:
    suspension = ended.suspensions.get(pack)
    if suspension is None and not ended.contests:
        yield line(Span(f"{pack}: ", Tone.HEADING), "nothing was held.")
        return
    yield line(Span(f"{pack}: ", Tone.HEADING), Span("resumed. Ended:", Tone.ADD))
    if suspension is not None:
        yield line(f"      {suspension_words(suspension)}")
    for key, contests in sorted(ended.contests.items()):
        for contest in contests:
            yield line(f"      {key} {contest_words(contest)}")
    yield line("      → a daemon brings it into order when it looks next; `sharepack apply` does so at once")
