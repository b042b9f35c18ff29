"""`sharepack doctor`: what stands between an unattended process and its work, each part looked at on its own."""

import asyncio
from collections.abc import Iterator, Sequence

import click

from reconciler.cli.exits import Exit
from reconciler.cli.session import options
from reconciler.cli.terminal import Failure, leave, say, style
from reconciler.core.checkup import Finding, Level
from reconciler.render.doctor_text import doctor_json, doctor_text
from reconciler.settings import Settings, SettingsError
from reconciler.stages.doctor import examine
from reconciler.wiring import examined


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people, for programs.")
def command(*, form: str) -> None:
    """Look at settings, database, queue, Git, each workspace and the daemons, and say what to do.

    Changes nothing: it fetches from the Git remote, and sends one message through the queue that no worker sees. Exits
    with 1 when something failed; warnings are no failure.

    \b
    Examples:
      sharepack doctor
      sharepack doctor --format json
    """
    try:
        findings = _examine()
    except KeyboardInterrupt:
        raise Failure("interrupted") from None
    say(doctor_json(findings) if form == "json" else doctor_text(findings, style()))
    if any(finding.level is Level.FAIL for finding in findings):
        leave(Exit.ERROR)


def _examine() -> Sequence[Finding]:
    try:
        settings = Settings.load(**options())
    except SettingsError as error:
        return [_wrong(problem) for problem in error.problems]
    return [*_settings(settings), *asyncio.run(_examined(settings))]


async def _examined(settings: Settings) -> Sequence[Finding]:
    async with examined(settings) as reach:
        return await examine(reach)


def _settings(settings: Settings) -> Iterator[Finding]:
    """What was chosen, never a value that could be a secret."""
    try:
        settings.databricks_credentials()
    except SettingsError as error:
        yield from map(_wrong, error.problems)
    chosen = (
        "the database given" if settings.domain_db_connection_string else f"a database in {settings.state_dir}",
        f"Azure queue {settings.azure_queue_name}" if settings.azure_queue_connection_string else "PostgreSQL's queue",
        f"packs in {settings.packs_dir}",
        f"workspace {settings.databricks_host}" if settings.databricks_host else "no default workspace",
    )
    yield Finding("settings", Level.OK, ", ".join(chosen))


def _wrong(problem: str) -> Finding:
    """A problem of the settings says after a semicolon what to write."""
    what, _, advice = problem.partition("; ")
    return Finding("settings", Level.FAIL, what, advice)
