"""Runs a command's work with the ports wired, and turns every expected failure into one line."""

import asyncio
import gc
import getpass
import signal
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import click

from reconciler.cli.terminal import Failure
from reconciler.ports.doorbell import DoorbellUnavailableError
from reconciler.ports.ledger import LedgerError
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.ports.pull_request_errors import PullRequestsError
from reconciler.settings import Settings, SettingsError
from reconciler.wiring import Ports, wired

T = TypeVar("T")

EXPECTED: Final = (
    DoorbellUnavailableError,
    LedgerError,
    PackSourceError,
    PullRequestsError,
    RefusedError,
    SettingsError,
    UnavailableError,
)


def run(work: Callable[[Ports, Settings], Awaitable[T]]) -> T:
    """The result of `work`, in an event loop of its own. Raises Failure; with --debug, what was behind it."""
    try:
        return asyncio.run(_wired(work))
    except EXPECTED as error:
        if is_debugging():
            raise
        raise Failure(str(error)) from error
    except KeyboardInterrupt:
        raise Failure("interrupted; what was submitted is taken up by the next `sharepack worker` or apply") from None


async def _wired(work: Callable[[Ports, Settings], Awaitable[T]]) -> T:
    settings = Settings.load(**options())
    async with wired(settings) as ports:
        return await work(ports, settings)


def stop_when_told() -> asyncio.Event:
    """Set by the first Ctrl-C or SIGTERM. The second one ends the process as it would without this."""
    # Who is told to stop runs for long, and has use for the memory that garbage takes.
    gc.set_threshold(20_000)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told, number)
    return stop


def options() -> dict[str, object]:
    """What was given before the command's name, by the names of the settings."""
    context = click.get_current_context(silent=True)
    given = None if context is None else context.find_root().obj
    return {name: value for name, value in (given or {}).items() if name != "debug"}


def is_debugging() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool((context.find_root().obj or {}).get("debug"))


def actor() -> str:
    """Who applies, as history will tell it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
