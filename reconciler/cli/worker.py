"""`sharepack worker`: takes work from the queue, here and on as many machines as are wanted."""

import sys
from collections.abc import Callable

import click

from reconciler.cli.progress import Progress
from reconciler.cli.session import run, stop_when_told
from reconciler.cli.terminal import mention
from reconciler.render.lines import line
from reconciler.settings import Settings
from reconciler.stages.events import Event
from reconciler.wiring import Ports, workforce


@click.command()
@click.option("--once", is_flag=True, help="Work off what is due now, then end.")
@click.option("--workers", type=click.IntRange(1, 64), default=16, show_default=True, help="Packs at the same time.")
def command(*, once: bool, workers: int) -> None:
    """Carry out submitted work, until told to stop (Ctrl-C, SIGTERM); then the calls under way end first, and what is
    left of their packs is given back.

    Any number of workers may run, on any number of machines with the same database and queue. One pack is worked on by
    one worker at a time.

    \b
    Examples:
      sharepack worker
      sharepack worker --once
    """
    run(lambda ports, settings: _work(ports, settings, workers, once=once))


async def _work(ports: Ports, settings: Settings, workers: int, *, once: bool) -> None:
    force = workforce(ports, settings, workers)
    if once or sys.stderr.isatty():
        force.on_event = Progress()
    else:
        force.on_event = _telling(settings, force.name)
    if once:
        await force.work_until_idle()
        return
    stop = stop_when_told()
    mention([line("Waiting for work. Ctrl-C ends it once the calls under way have ended.")])
    await force.work_until(stop)


def _telling(settings: Settings, name: str) -> Callable[[Event], None]:
    """A line an event, with its ids, where nobody sits in front of it."""
    from reconciler.daemon.logs import Telling, configure  # noqa: PLC0415 - aiohttp and more
    from reconciler.daemon.scrubbing import secrets_of  # noqa: PLC0415

    configure(settings.log_format, settings.log_level, secrets_of(settings))
    return Telling(worker=name)
