"""`sharepack pr`: the pull request as the place where changes are seen and approved."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.github import Event, event, repository_of
from reconciler.cli.planning import allowing, mention_problems
from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, leave, mention
from reconciler.ports.pull_requests import PullRequest, PullRequests
from reconciler.render.lines import Span, Tone, line
from reconciler.settings import Settings
from reconciler.stages.present import Presented, Presenting
from reconciler.wiring import Ports, pack_source, pull_requests, snapshots

#: GitHub takes so much of a job summary for each step, in bytes.
_SUMMARY_BYTES: Final = 1024 * 1024


@click.group(name="pr")
def command() -> None:
    """Show a pull request what merging it would do.

    \b
    Examples:
      sharepack pr comment --since origin/main
      sharepack pr comment --since origin/main --github example/packs --pull 12
    """


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, by words or by the event."""

    since: str
    commit: str
    number: int
    repository: str
    head: str
    artefact_url: str
    out: Path | None


@command.command()
@click.option("--since", metavar="REVISION", required=True, help="The branch that the pull request goes into.")
@click.option("--commit", metavar="REVISION", default="HEAD", show_default=True, help="The pull request, once merged.")
@click.option("--github", metavar="OWNER/NAME", help="The repository; in GitHub Actions its own.")
@click.option("--pull", "number", type=click.IntRange(min=1), help="Its number; in GitHub Actions that of the event.")
@click.option("--artefact", "artefact_url", metavar="URL", help="Where the whole plan can be seen; by default the run.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Keep plan.json, plan.html, comment.md.")
def comment(
    *,
    since: str,
    commit: str,
    github: str | None,
    number: int | None,
    artefact_url: str | None,
    out: Path | None,
) -> None:
    """Plan what a pull request changes, and post the plan there: one comment, kept up to date.

    Plans the packs that the branch changes, sets labels and the commit status sharepack/plan, and remembers the plan as
    shown: what is merged may do so much and no more. Needs GITHUB_TOKEN (or an App's key) with pull-requests: write and
    statuses: write. Changes nothing in Databricks.

    \b
    Examples:
      sharepack pr comment --since origin/main
      sharepack pr comment --since origin/main --github example/packs --pull 12 --out plan

    Exit code 0, or 3 when a file has problems, or 1 when the plan cannot be posted, or is too much for a comment.
    """
    found = event()
    number = number or found.number
    if number is None:
        raise click.UsageError("which pull request: give --pull NUMBER; the event that this runs for has none")
    url = artefact_url if artefact_url is not None else _artefacts(found)
    asked = Asked(since, commit, number, repository_of(github, found), _head(found, number), url, out)
    presented = run(lambda ports, settings: _comment(ports, settings, asked))
    _finish(presented)


def _artefacts(found: Event) -> str:
    return f"{found.run_url}#artifacts" if found.run_url else ""


def _head(found: Event, number: int) -> str:
    return found.head if found.number == number else ""


async def _comment(ports: Ports, settings: Settings, asked: Asked) -> Presented:
    from reconciler.cli.wording import wording  # noqa: PLC0415 - renderings nobody else needs

    pulls = pull_requests(settings, asked.repository)
    try:
        presenting = Presenting(
            pulls=pulls,
            source=pack_source(settings.packs_dir),
            ledger=ports.ledger,
            platform=ports.platform,
            clock=ports.clock,
            wording=wording(),
            default_workspace=settings.databricks_host,
            wishes=allowing((), settings),
            snapshots=snapshots(settings),
        )
        pull = await _pull(pulls, asked)
        presented = await presenting.present(pull, asked.since, asked.commit, asked.artefact_url)
    finally:
        await pulls.close()
    _keep(presented, asked.out)
    return presented


async def _pull(pulls: PullRequests, asked: Asked) -> PullRequest:
    """What was checked out is what the event was about; something newer that was pushed since has a run of its own."""
    pull = await pulls.get(asked.number)
    if asked.head and asked.head != pull.head:
        raise Failure(
            f"pull request #{asked.number} has a newer commit than the one this runs for: the run for that one shows "
            "its plan"
        )
    return pull


def _keep(presented: Presented, out: Path | None) -> None:
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    try:
        if summary:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(presented.body.encode()[:_SUMMARY_BYTES].decode(errors="ignore") + "\n")
        if out is not None:
            _write_all(presented, out)
    except OSError as error:
        raise Failure(f"cannot write {error.filename}: {error.strerror}; name another folder") from error


def _write_all(presented: Presented, out: Path) -> None:
    from reconciler.render.html import plan_page  # noqa: PLC0415 - only where it is asked for
    from reconciler.render.plan_json import plan_json  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    (out / "comment.md").write_text(presented.body, encoding="utf-8")
    if presented.proposal is not None:
        (out / "plan.json").write_text(plan_json(presented.proposal.plan), encoding="utf-8")
        (out / "plan.html").write_text(plan_page(presented.proposal.plan), encoding="utf-8")


def _finish(presented: Presented) -> None:
    mention([line(f"The plan is at {presented.url}" if presented.url else "It changes no share packs.")])
    mention([line(Span(words, Tone.TROUBLE)) for words in presented.troubles])
    if mention_problems(presented.problems):
        leave(Exit.INVALID)
    if not presented.fits:
        raise Failure("what this pull request changes is too much for a comment to show; split it into several")
