"""`sharepack rotate`: gives a recipient a new token now, once; the old one goes on for a while."""

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

import click

from reconciler.cli.exits import Exit
from reconciler.cli.planning import limits, make_plan, reader
from reconciler.cli.progress import Progress
from reconciler.cli.recipients import recipient_meant
from reconciler.cli.session import actor, run
from reconciler.cli.terminal import Failure, leave, mention, say, style
from reconciler.core.actual import Found
from reconciler.core.changes import TokenRotated
from reconciler.core.key import Key, PackId
from reconciler.core.plan import Plan, Step
from reconciler.core.verdict import Update
from reconciler.packs.durations import seconds
from reconciler.render.lines import Span, Tone, line
from reconciler.render.moments import utc
from reconciler.render.plan_json import plan_document
from reconciler.render.plan_text import plan_text
from reconciler.settings import Settings
from reconciler.stages.apply import apply_plan
from reconciler.stages.plan import Wishes
from reconciler.wiring import Ports, workforce

#: Makes the plan of the recipient's pack with these rotations.
Replan = Callable[[Mapping[Key, int]], Awaitable[Plan]]


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

    async def plan(rotations: Mapping[Key, int]) -> Plan:
        wishes = Wishes(rotations=rotations, limits=limits(settings))
        planned = await make_plan(
            ports, settings, reader("HEAD"), lambda _desired, _recorded: frozenset([pack]), wishes
        )
        return planned.plan

    if key in rows.open_intents:
        return await _settle(ports, settings, key, plan)
    chosen = _only(await plan({key: overlap}), key)
    say(plan_text(chosen, style()))
    if chosen.is_held:
        return Exit.BLOCKED
    if (
        not is_approved
        and click.prompt("Replace the token? Only yes is taken for yes", default="no", err=True) != "yes"
    ):
        raise Failure("not rotated; nothing was changed")
    if not await _apply(ports, settings, key, chosen, plan):
        mention([line(Span("Whether the token was replaced is found out by the next apply.", Tone.TROUBLE))])
        return Exit.FAILED
    mention([line(Span(f"Rotated. `sharepack activation {key.name}` prints the new link, once.", Tone.ADD))])
    return Exit.DONE


async def _settle(ports: Ports, settings: Settings, key: Key, plan: Replan) -> Exit:
    """A call on it was begun and nobody saw the answer, perhaps to a rotation: nothing is replaced before that is
    known."""
    chosen = _with(await plan({}), key)
    if chosen.is_held or any(step.is_change for step in chosen.steps):
        raise Failure(
            f"what became of the last call on {key} is not known, and its pack has more to do: run `sharepack apply`, "
            "then rotate"
        )
    if not await _apply(ports, settings, key, chosen, plan):
        raise Failure(f"what became of the last call on {key} could not be found out; try again later")
    found = (await ports.platform.observe([key]))[key]
    issued = f", issued {utc(found.tokens[0].created_at)}" if isinstance(found, Found) and found.tokens else ""
    words = f"The last call on {key} was interrupted. It has been looked up: this is its newest token{issued}."
    mention([line(Span(words, Tone.CHANGE)), line("Nothing was replaced now. Rotate again if that token is too old.")])
    return Exit.DONE


async def _apply(ports: Ports, settings: Settings, key: Key, chosen: Plan, plan: Replan) -> bool:
    """Whether it ended well."""

    async def again(_packs: Collection[PackId]) -> Plan:
        return _with(await plan({}), key)

    force = workforce(ports, settings, 1)
    force.on_event = Progress()
    applied = await apply_plan(chosen, plan_document(chosen), force, again, ports.clock, actor())
    return not applied.failed


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
