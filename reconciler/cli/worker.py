"""`sharepack worker`: takes work from the queue, here and on as many machines as are wanted."""

import asyncio
import signal

import click

from reconciler.cli.progress import Progress
from reconciler.cli.session import run
from reconciler.cli.terminal import mention
from reconciler.render.lines import line
from reconciler.settings import Settings
from reconciler.wiring import Ports, workforce


@click.command()
@click.option("--once", is_flag=True, help="Work off what is due now, then end.")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Packs at the same time.")
def command(*, once: bool, workers: int) -> None:
    """Carry out submitted work, until told to stop (Ctrl-C, SIGTERM); what is in hand then is finished first.

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
    force.on_event = Progress()
    if once:
        await force.work_until_idle()
        return
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    mention([line("Waiting for work. Ctrl-C ends it once what is in hand is finished.")])
    await force.work_until(stop)
