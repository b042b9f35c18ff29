"""`sharepack serve`: the HTTP API and its pages, with workers that do what is handed in."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import click
from loguru import logger

from reconciler.cli.github import Event, repository_of
from reconciler.cli.planning import limits
from reconciler.cli.session import run, stop_when_told
from reconciler.cli.terminal import Failure
from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.ports.ledger import LedgerError
from reconciler.ports.pack_source import PackSource, PackSourceError
from reconciler.ports.pull_requests import PullRequests
from reconciler.render.plan_json import plan_document
from reconciler.settings import Settings
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.read import read_commit
from reconciler.stages.receive import Receiving
from reconciler.stages.reconcile import Reconciler
from reconciler.wiring import Ports, pack_source, pack_store, portal, pull_requests, workforce

if TYPE_CHECKING:
    from reconciler.http.parts import Parts

#: Seconds between sweeps, and how long an upload is left to the process that took it in.
_SWEEP_EVERY: Final = 60.0
_SWEEP_AFTER: Final = 30.0
#: At the start, what a process before this one left behind is seconds old.
_FIRST_SWEEP_AFTER: Final = 5.0


@click.command()
@click.option("--host", metavar="ADDRESS", help="Instead of the setting api_host.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Instead of the setting api_port; 0: any that is free.")
@click.option("--workers", type=click.IntRange(0, 64), default=16, show_default=True, help="Packs at the same time.")
@click.option("--github", metavar="OWNER/NAME", help="Where packs are proposed (api_upload_mode=pull_request).")
def command(*, host: str | None, port: int | None, workers: int, github: str | None) -> None:
    """Serve the HTTP API (/workflow, described at /docs) and its pages (/), until told to stop (Ctrl-C, SIGTERM).

    What is handed in is checked, committed to the repository of packs, and applied. Everybody needs a key
    (`sharepack keys create`) or a token of the issuer in the settings. TLS is the platform's business.

    \b
    Examples:
      sharepack serve
      sharepack serve --host 0.0.0.0 --port 8000 --workers 8
    """
    run(lambda ports, settings: _serve(ports, settings, (host, port), workers, github))


async def _serve(
    ports: Ports, settings: Settings, place: tuple[str | None, int | None], workers: int, github: str | None
) -> None:
    from reconciler.daemon.logs import configure  # noqa: PLC0415 - frameworks that nobody else needs
    from reconciler.daemon.scrubbing import Scrubber, secrets_of  # noqa: PLC0415
    from reconciler.http.app import create_app  # noqa: PLC0415
    from reconciler.http.serving import ServingError, serve  # noqa: PLC0415

    secrets = secrets_of(settings)
    configure(settings.log_format, settings.log_level, secrets)
    host, port = place
    stop = stop_when_told()
    async with _proposing(settings, github) as pulls:
        parts = _parts(ports, settings, pulls, Scrubber(secrets))
        try:
            async with serve(
                create_app(parts), host or settings.api_host, settings.api_port if port is None else port, stop
            ) as address:
                logger.info("{}", f"The API is at {address}, described at {address}/docs")
                await _until_stopped(ports, settings, parts.receiving, workers, stop)
        except ServingError as error:
            raise Failure(str(error)) from error


@asynccontextmanager
async def _proposing(settings: Settings, github: str | None) -> AsyncIterator[PullRequests | None]:
    """Where packs are proposed; None: they are committed to the branch."""
    if settings.api_upload_mode == "commit":
        yield None
        return
    pulls = pull_requests(settings, repository_of(github, Event()))
    try:
        yield pulls
    finally:
        await pulls.close()


def _parts(ports: Ports, settings: Settings, pulls: PullRequests | None, scrub: Callable[[str], str]) -> "Parts":
    from reconciler.http.health import look  # noqa: PLC0415
    from reconciler.http.parts import Parts  # noqa: PLC0415

    source, kept = pack_source(settings.packs_dir), portal(ports)
    wishes = Wishes(limits=limits(settings))
    actor = f"API on {socket.gethostname()}"
    reconciler = Reconciler(source, ports.ledger, ports.platform, ports.doorbell, ports.clock, actor, plan_document)
    receiving = Receiving(
        source=source,
        store=pack_store(settings),
        inbox=kept.inbox,
        ledger=ports.ledger,
        reconciler=reconciler,
        default_workspace=settings.databricks_host,
        wishes=wishes,
        most_bytes=settings.api_max_upload_bytes,
        revision=settings.packs_revision,
        pulls=pulls,
    )

    async def live_plan(pack: PackId) -> Plan:
        desired = await read_commit(source, settings.databricks_host, await source.newest(settings.packs_revision))
        return await plan_packs(desired, [pack], source, ports.ledger, ports.platform, ports.clock, wishes)

    return Parts(
        settings=settings,
        receiving=receiving,
        archive=kept.archive,
        inbox=kept.inbox,
        keyring=kept.keyring,
        ledger=ports.ledger,
        plans=kept.plans,
        clock=ports.clock,
        health=lambda: look(kept.archive, ports.doorbell),
        live_plan=live_plan,
        scrub=scrub,
    )


async def _until_stopped(
    ports: Ports, settings: Settings, receiving: Receiving, workers: int, stop: asyncio.Event
) -> None:
    """Also ends when something that must go on does not."""
    going_on = [_sweep(receiving, stop), _fetch(receiving.source, settings, stop)]
    if workers:
        going_on.append(_work(ports, settings, workers, stop))
    tasks = [asyncio.create_task(each) for each in going_on]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _work(ports: Ports, settings: Settings, workers: int, stop: asyncio.Event) -> None:
    from reconciler.daemon.logs import Telling  # noqa: PLC0415 - frameworks that nobody else needs

    force = workforce(ports, settings, workers)
    force.on_event = Telling(worker=force.name)
    await force.work_until(stop)


async def _sweep(receiving: Receiving, stop: asyncio.Event) -> None:
    """Finishes what was left between taking a file in and submitting it, by this process or another."""
    after = _FIRST_SWEEP_AFTER
    while not stop.is_set():
        try:
            swept = await receiving.sweep(after)
            if swept.done:
                logger.info("{}", f"Finished {swept.done} uploads that were left in between")
            for upload, reason in swept.waiting.items():
                logger.warning("{}", f"Upload {upload} waits for the next sweep: {reason}")
        except LedgerError as error:
            logger.warning("{}", f"Uploads that were left in between wait for the next sweep: {error}")
        after = _SWEEP_AFTER
        await _stopped_within(stop, _SWEEP_EVERY)


async def _fetch(source: PackSource, settings: Settings, stop: asyncio.Event) -> None:
    """Packs are checked with what others have pushed meanwhile; committing looks again by itself."""
    said = ""
    while not stop.is_set():
        try:
            await source.fetch()
            said = ""
        except PackSourceError as error:
            if str(error) != said:
                logger.warning("{}", f"The packs cannot be fetched; uploads are checked with what is here: {error}")
            said = str(error)
        await _stopped_within(stop, settings.fetch_interval_seconds)


async def _stopped_within(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
