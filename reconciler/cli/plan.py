"""`sharepack plan`: what would change, and who would gain or lose access. Changes nothing anywhere."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.planning import allowing, make_plan, mention_problems, problems_under, propose, reader, under
from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, leave, mention, say, style
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem
from reconciler.render.lines import line
from reconciler.render.plan_text import Detail, plan_lines, plan_text
from reconciler.settings import Settings
from reconciler.wiring import Ports

ENDING = "Nothing was changed."


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--since", metavar="REVISION", help="Only the packs that this branch changes, since it left REVISION.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="For people, for programs.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan, for apply --plan.")
@click.option("--calls", is_flag=True, help="Also the exact API calls that would be made.")
@click.option("--full", is_flag=True, help="Do not cut long lists of objects.")
@click.option("--allow", "allowed", multiple=True, metavar="WORDS", help="Lift one objection, in its own words.")
@click.option("--commit", metavar="REVISION", help="Plan a commit instead of the files as they lie there.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes, 4 when something is held.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Also draw the plan as a picture.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write the plan as a page to look at."
)
def command(  # noqa: PLR0913 - one for each option
    *,
    paths: tuple[str, ...],
    since: str | None,
    form: str,
    out: Path | None,
    calls: bool,
    full: bool,
    allowed: tuple[str, ...],
    commit: str | None,
    detailed_exitcode: bool,
    svg: Path | None,
    html: Path | None,
) -> None:
    """Show what applying the packs under PATH would change: a file, a folder, by default all packs.

    Reads the files as they lie there, committed or not, and asks Databricks only about what they name. Changes nothing.

    \b
    Examples:
      sharepack plan
      sharepack plan sharepacks/legal --calls
      sharepack plan --since origin/main --html plan.html
      sharepack plan --out plan.json && sharepack apply --plan plan.json

    Exit code 0, or 3 when a file has problems, or 1 when there can be no plan.
    """
    if since is not None and paths:
        raise click.UsageError("--since chooses the packs itself: leave out PATH")
    asked = Asked(paths, since, commit, allowed)
    plan, problems, others = run(lambda ports, settings: _plan(ports, settings, asked))
    is_invalid = mention_problems(problems)
    if form == "text":
        _say_text(plan, calls=calls, full=full)
    else:
        say(_json(plan, with_calls=calls) if form == "json" else _markdown(plan))
    if since is not None:
        mention([line(_others(others, since))])
    _keep(plan, out, svg, html, full=full)
    if is_invalid:
        leave(Exit.INVALID)
    if detailed_exitcode:
        leave(_detailed(plan))


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    paths: tuple[str, ...]
    since: str | None
    commit: str | None
    allowed: tuple[str, ...]


async def _plan(ports: Ports, settings: Settings, asked: Asked) -> tuple[Plan, tuple[Problem, ...], int]:
    """The plan, the problems of the files it is about, and how many packs it is not about."""
    wishes = allowing(asked.allowed, settings)
    if asked.since is not None:
        found, proposal = await propose(ports, settings, asked.since, asked.commit, wishes)
        return proposal.plan, found.problems, proposal.others
    planned = await make_plan(ports, settings, reader(asked.commit), under(asked.paths, settings), wishes)
    return planned.plan, problems_under(asked.paths, settings, planned.desired), 0


def _others(count: int, since: str) -> str:
    noun = "pack is" if count == 1 else "packs are"
    return f"{count} other {noun} as at {since}, and not looked at."


def _json(plan: Plan, *, with_calls: bool = False) -> str:
    from reconciler.render.plan_json import plan_json  # noqa: PLC0415 - only where it is asked for

    return plan_json(plan, with_calls=with_calls)


def _markdown(plan: Plan) -> str:
    from reconciler.render.markdown import plan_markdown  # noqa: PLC0415 - only where it is asked for

    return plan_markdown(plan)


def _say_text(plan: Plan, *, calls: bool, full: bool) -> None:
    if calls:
        from reconciler.render.calls import calls_text  # noqa: PLC0415 - only where they are asked for

        say(calls_text(plan, style()) + "\n")
    detail = Detail(ending=ENDING, listed=sys.maxsize) if full else Detail(ending=ENDING)
    say(plan_text(plan, style(), detail))


def _page(plan: Plan, *, full: bool) -> str:
    from reconciler.render.html import LISTED, plan_page  # noqa: PLC0415 - only where it is asked for

    return plan_page(plan, listed=sys.maxsize if full else LISTED, ending=ENDING)


def _keep(plan: Plan, out: Path | None, picture: Path | None, page: Path | None, *, full: bool) -> None:
    try:
        if out is not None:
            out.write_text(_json(plan), encoding="utf-8")
            mention([line(f"Saved. `sharepack apply --plan {out}` carries out this plan and no more.")])
        if picture is not None:
            from reconciler.render.svg import svg as draw  # noqa: PLC0415 - only where it is asked for

            lines = tuple(plan_lines(plan, Detail(ending=ENDING)))
            picture.write_text(draw(lines, "sharepack plan"), encoding="utf-8")
        if page is not None:
            page.write_text(_page(plan, full=full), encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write {error.filename}: {error.strerror}; name another file") from error


def _detailed(plan: Plan) -> Exit:
    if plan.is_held:
        return Exit.BLOCKED
    return Exit.CHANGES if plan.has_changes else Exit.DONE
