"""`sharepack apply`: shows the plan, asks, submits it, works until it is done, looks whether a second plan is empty."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.github import event, repository_of
from reconciler.cli.planning import Planned, allowing, make_plan, mention_problems, problems_under, reader, under
from reconciler.cli.progress import Progress
from reconciler.cli.session import actor, run
from reconciler.cli.terminal import Failure, leave, mention, say, style
from reconciler.core.approval import Stale, check_approval
from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.core.recorded import RecordedPack
from reconciler.ports.pack_source import PackSource
from reconciler.render.lines import EMPTY, Line, Span, Tone, line
from reconciler.render.plan_json import plan_document
from reconciler.render.plan_text import plan_text, summary_line
from reconciler.render.result_text import result_lines
from reconciler.render.saved_plan import SavedPlan, SavedPlanError, read_saved_plan
from reconciler.settings import Settings
from reconciler.stages.apply import Applied, apply_plan, reject_broken
from reconciler.stages.read import read_working_tree
from reconciler.stages.submit import Submission, submit
from reconciler.stages.tell import Teller
from reconciler.wiring import Ports, workforce


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    paths: tuple[str, ...]
    saved: SavedPlan | None
    commit: str | None
    is_approved: bool
    is_waiting: bool
    allows_uncommitted: bool
    workers: int
    allowed: tuple[str, ...] = ()
    #: `owner/name` where approval is found; empty: whoever applies approves.
    repository: str = ""
    run_id: int | None = None


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--plan", "saved", type=click.Path(path_type=Path, dir_okay=False), help="Carry out a saved plan.")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Submit, and leave the work to `sharepack worker`.")
@click.option("--allow-uncommitted", is_flag=True, help="Apply files that are not committed; these never delete.")
@click.option("--allow", "allowed", multiple=True, metavar="WORDS", help="Lift one objection, in its own words.")
@click.option("--commit", metavar="REVISION", help="Apply this commit instead of HEAD.")
@click.option("--github", metavar="OWNER/NAME", help="Do only what was approved in its pull requests, and tell them.")
@click.option("--workers", type=click.IntRange(1, 64), default=16, show_default=True, help="Packs at the same time.")
def command(  # noqa: PLR0913 - one for each option
    *,
    paths: tuple[str, ...],
    saved: Path | None,
    auto_approve: bool,
    no_wait: bool,
    allow_uncommitted: bool,
    allowed: tuple[str, ...],
    commit: str | None,
    github: str | None,
    workers: int,
) -> None:
    """Bring Databricks to what the packs under PATH say: a file, a folder, by default all packs.

    Applies the commit that is checked out. Shows the plan and asks first; a plan saved with plan --out was approved by
    whoever hands it in, and does what it says or less. Only what Git shows to be removed is ever deleted.

    With --github, what the packs do is compared with the plans that reviewers of their pull requests were shown: the
    same or less goes through, and more than that is held until somebody approves it. Who approved goes on record, and
    the pull requests are told what is held and what failed.

    \b
    Examples:
      sharepack apply
      sharepack apply sharepacks/legal --auto-approve
      sharepack apply --plan plan.json
      sharepack apply --commit HEAD --auto-approve --github example/packs

    Exit code 0 when all is done, 6 when a pack failed, 5 when a second plan is not empty, 3 when a file has problems, 4
    when something is held or a saved plan is out of date, 1 when nothing could be applied.
    """
    _check_usage(paths, saved, commit, github, allow_uncommitted=allow_uncommitted)
    found = event()
    order = Order(
        paths=paths,
        saved=None if saved is None else _saved_plan(saved),
        commit=commit,
        is_approved=auto_approve or saved is not None,
        is_waiting=not no_wait,
        allows_uncommitted=allow_uncommitted,
        workers=workers,
        allowed=allowed,
        repository=repository_of(github, found) if github else "",
        run_id=found.run_id if github else None,
    )
    if not order.is_approved and (sys.stdin is None or not sys.stdin.isatty()):
        raise Failure("there is no terminal to ask in: look at `sharepack plan`, then apply with --auto-approve")
    leave(run(lambda ports, settings: _apply(ports, settings, order)))


def _check_usage(
    paths: tuple[str, ...], saved: Path | None, commit: str | None, github: str | None, *, allow_uncommitted: bool
) -> None:
    if saved is not None and (paths or commit):
        raise click.UsageError("--plan says which packs and which commit: leave out PATH and --commit")
    if commit and allow_uncommitted:
        raise click.UsageError("--commit and --allow-uncommitted exclude each other")
    if github and (saved is not None or allow_uncommitted):
        raise click.UsageError("--github asks the pull requests who approved: leave out --plan and --allow-uncommitted")


def _saved_plan(path: Path) -> SavedPlan:
    try:
        return read_saved_plan(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from error
    except (SavedPlanError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: {error}") from error


async def _apply(ports: Ports, settings: Settings, order: Order) -> Exit:
    if not order.repository:
        return await _apply_planned(ports, settings, order, None)
    from reconciler.cli.reviewing import reviewed  # noqa: PLC0415 - renderings and a client nobody else needs

    async with reviewed(ports, settings, order.repository, order.run_id) as teller:
        return await _apply_planned(ports, settings, order, teller)


async def _apply_planned(ports: Ports, settings: Settings, order: Order, teller: Teller | None) -> Exit:
    planned, stale = await _planned(ports, settings, order, teller)
    is_invalid = mention_problems(problems_under(order.paths, settings, planned.desired))
    say(plan_text(planned.plan, style()))
    _mention_stale(stale)
    has_work = any(pack.is_work for pack in planned.plan.packs)
    if has_work and not order.is_approved and not _is_confirmed():
        raise Failure("not applied; nothing was changed")
    await reject_broken(planned.desired, planned.scope, ports.ledger, actor())
    if teller is not None:
        _mention_troubles(await teller.held(planned.plan))
    code = await _carry_out(ports, settings, planned, order, teller)
    if code is not Exit.DONE:
        return code
    if is_invalid:
        return Exit.INVALID
    return Exit.BLOCKED if stale or planned.plan.is_held else Exit.DONE


async def _planned(
    ports: Ports, settings: Settings, order: Order, teller: Teller | None
) -> tuple[Planned, tuple[Stale, ...]]:
    wishes = allowing(order.allowed, settings)
    if teller is not None:
        wishes = replace(wishes, approvals=teller.reviewing.approvals)
    if order.saved is None:
        read = _commit_only if order.commit is None else reader(order.commit)
        read = reader(None) if order.allows_uncommitted else read
        return await make_plan(ports, settings, read, under(order.paths, settings), wishes), ()
    saved = order.saved
    if not saved.revision.is_committed and not order.allows_uncommitted:
        raise Failure(
            "this plan was made of files that are not committed: commit them and plan again, or carry it out as it is "
            "with --allow-uncommitted (then nothing is deleted)"
        )
    read = reader(saved.revision.commit if saved.revision.is_committed else None)

    def choose(_desired: Desired, _recorded: Mapping[PackId, RecordedPack]) -> frozenset[PackId]:
        return frozenset(saved.packs)

    planned = await make_plan(ports, settings, read, choose, wishes)
    checked = check_approval(planned.plan, saved.packs)
    return replace(planned, plan=checked.plan), checked.stale


async def _commit_only(source: PackSource, default_workspace: str, today: date) -> Desired:
    """What HEAD says, when the files are exactly that."""
    lying_there = await read_working_tree(source, default_workspace, today=today)
    if lying_there.revision.is_committed:
        return lying_there
    if not lying_there.revision.commit:
        raise Failure(
            "these packs are in no commit: commit them, or apply them as they lie there with --allow-uncommitted "
            "(then nothing is deleted)"
        )
    raise Failure(
        "some packs have changes that are not committed: commit them, apply the last commit with --commit HEAD, or "
        "apply them as they lie there with --allow-uncommitted (then nothing is deleted)"
    )


def _mention_stale(stale: tuple[Stale, ...]) -> None:
    for item in stale:
        mention(
            [
                line(Span(f"{item.plan.pack}: not applied, there is more to do than was approved", Tone.TROUBLE)),
                *(line(Span(f"  new: {action}", Tone.CHANGE)) for action in item.new),
                *(line(Span(f"  not needed any more: {action}", Tone.DIM)) for action in item.gone),
                line("  → plan again, and have that plan approved"),
                EMPTY,
            ]
        )


def _mention_troubles(troubles: Iterable[str]) -> None:
    mention([line(Span(words, Tone.TROUBLE)) for words in troubles])


def _is_confirmed() -> bool:
    return click.prompt("Apply this plan? Only yes is taken for yes", default="no", err=True).strip().lower() == "yes"


async def _carry_out(ports: Ports, settings: Settings, planned: Planned, order: Order, teller: Teller | None) -> Exit:
    document = plan_document(planned.plan)
    if not order.is_waiting:
        submission = await submit(planned.plan, document, ports.ledger, ports.doorbell, actor())
        mention(_outdated(submission))
        mention([_submitted(len(submission.work_ids), is_rung=submission.is_rung)])
        return Exit.FAILED if submission.outdated else Exit.DONE
    progress = Progress()
    force = workforce(ports, settings, order.workers)
    force.on_event = progress
    applied = await apply_plan(planned.plan, document, force, planned.again, ports.clock, actor())
    mention(result_lines(planned.plan, applied.work, applied.operations))
    mention(_outdated(applied.submission))
    mention(_outcome(applied, progress, planned.plan))
    if teller is not None:
        _mention_troubles(await teller.ended(planned.plan, applied.work, applied.operations))
    if applied.failed or applied.submission.outdated:
        return Exit.FAILED
    return Exit.DONE if applied.is_converged else Exit.NOT_CONVERGED


def _outdated(submission: Submission) -> list[Line]:
    words = "not submitted: somebody else has submitted something for it since this plan was made; plan again"
    return [line(Span(f"{pack}: {words}", Tone.TROUBLE)) for pack in sorted(submission.outdated)]


def _submitted(count: int, *, is_rung: bool) -> Line:
    late = "" if is_rung else " The queue could not be reached: workers find it by their next sweep."
    packs = f"{count} pack{'s'[: count != 1]}"
    return line(f"Submitted {packs}. `sharepack worker` does the work, `sharepack status` tells how far it is.{late}")


def _outcome(applied: Applied, progress: Progress, plan: Plan) -> list[Line]:
    if applied.failed:
        failed = len(applied.failed)
        words = (
            f"{failed} of {len(applied.work)} packs failed; mend the cause and apply again: what is done stays done."
        )
        return [line(Span(words, Tone.TROUBLE))]
    if applied.after is not None and not applied.is_converged:
        return [
            line(Span("Applied, and the workspace is still not as planned. A second plan says:", Tone.TROUBLE)),
            summary_line(applied.after),
            line("→ look at it with `sharepack plan`; somebody else may be changing the same things"),
        ]
    if not applied.work:
        return [line(Span("Nothing to do.", Tone.ADD))] if not plan.is_held else []
    packs, calls = len(applied.work), progress.calls
    done = f"Applied {packs} pack{'s'[: packs != 1]} with {calls} API call{'s'[: calls != 1]}."
    return [line(Span(f"{done} A second plan is empty.", Tone.ADD))]
