"""`sharepack rotate`: gives a recipient a new token now, once; the old one goes on for a while."""

import sys
from dataclasses import replace

import click

from reconciler.cli.exits import Exit
from reconciler.cli.planning import limits, make_plan, reader
from reconciler.cli.progress import Progress
from reconciler.cli.recipients import recipient_meant
from reconciler.cli.session import actor, run
from reconciler.cli.terminal import Failure, leave, mention, say, style
from reconciler.core.changes import TokenRotated
from reconciler.core.key import Key
from reconciler.core.plan import Plan, Step
from reconciler.core.verdict import Update
from reconciler.packs.durations import seconds
from reconciler.render.lines import Span, Tone, line
from reconciler.render.plan_json import plan_document
from reconciler.render.plan_text import plan_text
from reconciler.settings import Settings
from reconciler.stages.apply import apply_plan
from reconciler.stages.plan import Wishes
from reconciler.wiring import Ports, workforce


@click.command()
@click.argument("recipient")
@click.option("--overlap", default="7d", show_default=True, help="How long the old token goes on: 12h, 7d; 0d ends it.")
@click.option("--workspace", metavar="URL", help="Needed when several workspaces have a recipient of this name.")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
def command(*, recipient: str, overlap: str, workspace: str | None, auto_approve: bool) -> None:
    """Replace the token of a D2O recipient, once. Its shares, grants and address list stay as they are.

    The new activation link is not printed; ask for it with `sharepack activation`. When an answer gets lost, running
    this again finds out whether the token was replaced, instead of replacing it twice. To rotate as a rule, write
    `rotate_every: 90d` on the recipient.

    \b
    Example:
      sharepack rotate sales-analyst --overlap 3d
    """
    lasts = seconds(overlap)
    if lasts is None:
        raise click.UsageError(f"--overlap {overlap}: write a number of hours or days, such as 12h or 7d")
    if not auto_approve and (sys.stdin is None or not sys.stdin.isatty()):
        raise Failure("there is no terminal to ask in: rotate with --auto-approve")
    leave(run(lambda ports, settings: _rotate(ports, settings, recipient, workspace, lasts, is_approved=auto_approve)))


async def _rotate(
    ports: Ports, settings: Settings, name: str, workspace: str | None, overlap: int, *, is_approved: bool
) -> Exit:
    key = await recipient_meant(ports, settings, name, workspace)
    rows = await ports.ledger.recorded([key], [])
    if key not in rows.resources:
        raise Failure(
            f"{key} is not on record: a pack has to declare it, and be applied, before it can be rotated here"
        )
    pack = rows.resources[key].pack
    wishes = Wishes(rotations={key: overlap}, limits=limits(settings))
    planned = await make_plan(ports, settings, reader("HEAD"), lambda _desired, _recorded: frozenset([pack]), wishes)
    plan = _only(planned.plan, key)
    say(plan_text(plan, style()))
    if plan.is_held:
        return Exit.BLOCKED
    if (
        not is_approved
        and click.prompt("Replace the token? Only yes is taken for yes", default="no", err=True) != "yes"
    ):
        raise Failure("not rotated; nothing was changed")

    async def again() -> Plan:
        later = await make_plan(ports, settings, reader("HEAD"), lambda _desired, _recorded: frozenset([pack]))
        return _with(later.plan, key)

    force = workforce(ports, settings, 1)
    force.on_event = Progress()
    applied = await apply_plan(plan, plan_document(plan), force, again, ports.clock, actor())
    if applied.failed:
        mention([line(Span("Whether the token was replaced is found out by the next apply.", Tone.TROUBLE))])
        return Exit.FAILED
    mention([line(Span(f"Rotated. `sharepack activation {key.name}` prints the new link, once.", Tone.ADD))])
    return Exit.DONE


def _only(plan: Plan, key: Key) -> Plan:
    """The plan for this token and nothing else. Raises Failure when something else would be done with it."""
    step = next((step for step in plan.steps if step.key == key), None)
    if step is None:
        raise Failure(f"no pack of this commit declares {key}")
    if not step.is_held and not _is_rotation(step):
        raise Failure(
            f"{key} has no token that could be replaced, or its pack has other changes to it that come first: "
            "look at `sharepack plan`"
        )
    return _with(plan, key)


def _with(plan: Plan, key: Key) -> Plan:
    packs = (replace(pack, steps=tuple(step for step in pack.steps if step.key == key)) for pack in plan.packs)
    return replace(plan, packs=tuple(packs))


def _is_rotation(step: Step) -> bool:
    changes = step.verdict.changes if isinstance(step.verdict, Update) else ()
    return len(changes) == 1 and isinstance(changes[0], TokenRotated)
