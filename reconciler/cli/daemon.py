"""`sharepack daemon`: watches Git and Databricks, and keeps the one as the other says."""

import socket
from typing import TYPE_CHECKING

import click
from loguru import logger

from reconciler.cli.github import Event, repository_of
from reconciler.cli.planning import limits
from reconciler.cli.session import run, stop_when_told
from reconciler.cli.terminal import Failure
from reconciler.core.schedule import Cadence
from reconciler.render.plan_json import plan_document
from reconciler.settings import Settings
from reconciler.stages.plan import Wishes
from reconciler.stages.reconcile import Reconciler
from reconciler.stages.tell import Teller
from reconciler.wiring import Ports, pack_source, process_name, snapshots, workforce

if TYPE_CHECKING:
    from reconciler.daemon.pull_requests import PullRequestWatch


@click.command()
@click.option("--workers", type=click.IntRange(0, 64), default=16, show_default=True, help="Packs at the same time.")
@click.option("--health-port", type=click.IntRange(0, 65_535), help="Instead of the setting; 0: any that is free.")
@click.option(
    "--github", metavar="OWNER/NAME", help="Also show its pull requests their plans, and do what was approved."
)
def command(*, workers: int, health_port: int | None, github: str | None) -> None:
    """Follow the packs in Git and bring Databricks to what they say, until told to stop (Ctrl-C, SIGTERM).

    Fetches the branch, applies what changed and needs nobody's permission, looks for changes made by hand and puts them
    back, and says over HTTP how it is (/livez, /readyz, /metrics). Any number of daemons may run: one leads, another
    takes over. With --workers 0 the work is left to `sharepack worker`.

    With --github it does for pull requests what the workflows do, where GitHub's runners reach neither the database nor
    the workspace: posts plans as comments and commit statuses, holds what is more than was approved, and tells the
    pull request. Needs a token or an App's key with pull-requests, statuses and contents.

    \b
    Examples:
      sharepack daemon
      sharepack --packs-dir /srv/packs/sharepacks daemon --workers 8
      sharepack daemon --github example/packs
    """
    repository = repository_of(github, Event()) if github else ""
    run(lambda ports, settings: _daemon(ports, settings, workers, health_port, repository))


async def _daemon(ports: Ports, settings: Settings, workers: int, health_port: int | None, repository: str) -> None:
    if not repository:
        await _run(ports, settings, workers, health_port, None)
        return
    from reconciler.cli.reviewing import reviewed  # noqa: PLC0415 - renderings and a client nobody else needs

    async with reviewed(ports, settings, repository) as teller:
        await _run(ports, settings, workers, health_port, teller)


async def _run(ports: Ports, settings: Settings, workers: int, health_port: int | None, teller: Teller | None) -> None:
    from reconciler.daemon.health import HealthServerError, serve_health  # noqa: PLC0415 - aiohttp takes 0.3 s
    from reconciler.daemon.leading import Following  # noqa: PLC0415
    from reconciler.daemon.logs import configure  # noqa: PLC0415
    from reconciler.daemon.loop import DaemonProcess  # noqa: PLC0415
    from reconciler.daemon.scrubbing import Scrubber, secrets_of  # noqa: PLC0415

    secrets = secrets_of(settings)
    configure(settings.log_format, settings.log_level, secrets)
    following = Following(
        default_workspace=settings.databricks_host,
        revision=settings.packs_revision,
        fetch_every=settings.fetch_interval_seconds,
        cadence=Cadence(settings.drift_interval_seconds, settings.drift_interval_longest_seconds),
        full_every=settings.drift_full_every,
        limits=limits(settings),
    )
    force = workforce(ports, settings, workers) if workers else None
    daemon = DaemonProcess(
        ports,
        _reconciler(ports, settings),
        following,
        process_name(),
        force,
        watch=None if teller is None else _watch(ports, settings, teller),
        teller=teller,
    )
    port = settings.health_port if health_port is None else health_port
    try:
        async with serve_health(
            settings.health_host,
            port,
            is_alive=daemon.is_alive,
            is_ready=daemon.readiness,
            metrics=daemon.measured,
            scrub=Scrubber(secrets),
        ) as address:
            stop = stop_when_told()
            logger.info("{}", f"This daemon is {daemon.name} and says how it is at {address}")
            await daemon.run(stop)
    except HealthServerError as error:
        raise Failure(str(error)) from error


def _watch(ports: Ports, settings: Settings, teller: Teller) -> "PullRequestWatch":
    from reconciler.daemon.pull_requests import PullRequestWatch  # noqa: PLC0415
    from reconciler.stages.present import Presenting  # noqa: PLC0415

    source, wishes = teller.reviewing.source, Wishes(limits=limits(settings))
    presenting = Presenting(
        teller.pulls,
        source,
        ports.ledger,
        ports.platform,
        ports.clock,
        teller.wording,
        settings.databricks_host,
        wishes,
        snapshots(settings),
    )
    return PullRequestWatch(presenting, teller.reviewing, every=settings.github_interval_seconds)


def _reconciler(ports: Ports, settings: Settings) -> Reconciler:
    source = pack_source(settings.packs_dir)
    actor = f"daemon on {socket.gethostname()}"
    return Reconciler(source, ports.ledger, ports.platform, ports.doorbell, ports.clock, actor, plan_document)
