"""From typed paths to a plan: what `plan`, `apply` and `status --drift` have in common."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import click

from reconciler.cli.paths import source_paths
from reconciler.cli.terminal import Failure, style_of, write
from reconciler.core.allowance import normal_approval, normal_lift
from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.core.limits import Limits
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem
from reconciler.core.proposal import Proposal, WorkbookChange
from reconciler.core.recorded import RecordedPack
from reconciler.ports.pack_source import PackSource
from reconciler.render.problems import problems_text
from reconciler.settings import Settings
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.propose import Before, Branch, branch
from reconciler.stages.read import is_under, packs_under, read_commit, read_working_tree
from reconciler.wiring import Ports, import_platform, pack_source, snapshots

Read = Callable[[PackSource, str, date], Awaitable[Desired]]
#: The packs meant, of those declared and those on record.
Choose = Callable[[Desired, Mapping[PackId, RecordedPack]], frozenset[PackId]]


@dataclass(frozen=True, slots=True)
class Planned:
    desired: Desired
    scope: frozenset[PackId]
    plan: Plan
    #: The same plan, made anew.
    #: The same plan of some of its packs, made anew.
    again: Callable[[Collection[PackId]], Awaitable[Plan]]


def reader(commit: str | None) -> Read:
    """Of a commit, or of the files as they lie there."""

    async def read(source: PackSource, default_workspace: str, today: date) -> Desired:
        if commit is None:
            return await read_working_tree(source, default_workspace, today=today)
        return await read_commit(source, default_workspace, commit, today=today)

    return read


def under(typed: Sequence[str], settings: Settings) -> Choose:
    """The packs under these paths; none means all. Choosing raises Failure when there is nothing there."""
    paths = source_paths(typed, settings.packs_dir)

    def choose(desired: Desired, recorded: Mapping[PackId, RecordedPack]) -> frozenset[PackId]:
        scope = packs_under(paths, desired, recorded)
        if paths and not scope and not any(is_under(problem.where.path, paths) for problem in desired.problems):
            raise Failure(f"there is no pack at {', '.join(typed)}; `sharepack validate` counts what is there")
        return scope

    return choose


async def make_plan(
    ports: Ports, settings: Settings, read: Read, choose: Choose, wishes: Wishes | None = None
) -> Planned:
    _import_ahead()
    wishes = wishes or allowing((), settings)
    source = pack_source(settings.packs_dir)
    desired = await read(source, settings.databricks_host, ports.clock.now().date())
    scope = choose(desired, await ports.ledger.pack_rows(await ports.ledger.all_packs()))
    _check_workspaces(desired, scope)

    async def again(packs: Collection[PackId]) -> Plan:
        return await plan_packs(desired, packs, source, ports.ledger, ports.platform, ports.clock, wishes)

    return Planned(desired, scope, await again(scope), again)


async def propose(
    ports: Ports, settings: Settings, since: str, commit: str | None, wishes: Wishes
) -> tuple[Branch, Proposal]:
    """The plan of the packs that a branch changes; without `commit`, as they lie there."""
    enough = _import_ahead()
    source = pack_source(settings.packs_dir)
    kept, today = snapshots(settings), ports.clock.now().date()
    known = None if kept is None else Before(kept, ports.ledger)
    try:
        found = await branch(source, settings.databricks_host, since, commit, today, known)
    except BaseException:
        enough.set()
        raise
    if not found.changed:
        enough.set()
    _check_workspaces(found.after, found.changed)
    wishes = replace(wishes, snapshots=kept, left=found.left, expects_changes=found.says_otherwise)
    plan = await plan_packs(found.after, found.changed, source, ports.ledger, ports.platform, ports.clock, wishes)
    return found, found.proposal(plan, _workbooks)


def _workbooks(path: str, path_before: str | None, before: bytes | None, after: bytes | None) -> WorkbookChange:
    from reconciler.cli.wording import workbooks  # noqa: PLC0415 - only where a branch changes one

    return workbooks(path, path_before, before, after)


def _import_ahead() -> threading.Event:
    """To be set once nothing will be asked of Databricks: the end of the process waits for what is being imported."""
    enough = threading.Event()
    asyncio.get_running_loop().run_in_executor(None, import_platform, lambda: not enough.is_set())
    return enough


def allowing(typed: Sequence[str], settings: Settings) -> Wishes:
    """The objections that are lifted for this run. Raises UsageError on words that lift none."""
    lifts = set()
    for text in typed:
        lift = normal_lift(text) or normal_approval(text)
        if lift is None:
            raise click.UsageError(
                f"--allow {text}: write it as the plan's objection says it, such as delete:share/NAME; "
                "it lifts that one and no other"
            )
        lifts.add(lift)
    return Wishes(frozenset(lifts), limits=limits(settings), only_plans=settings.only_plans)


def limits(settings: Settings) -> Limits:
    return Limits(
        per_pack=settings.max_removals_per_pack,
        per_run=settings.max_removals_per_run,
        percent_per_pack=settings.max_removed_percent_per_pack,
        percent_per_run=settings.max_removed_percent_per_run,
    )


def _check_workspaces(desired: Desired, scope: frozenset[PackId]) -> None:
    if any(not desired.packs[pack].workspace for pack in scope if pack in desired.packs):
        raise Failure(
            "there is no workspace to ask: set databricks_host, or give the business line one in tenants.yaml; "
            "`sharepack sandbox` starts one to try things out"
        )


def mention_problems(problems: Sequence[Problem]) -> bool:
    """On standard error; answers whether any of them is an error."""
    write(sys.stderr, problems_text(problems, {}, style_of(sys.stderr)))
    return any(problem.is_error for problem in problems)


def problems_under(typed: Sequence[str], settings: Settings, desired: Desired) -> tuple[Problem, ...]:
    paths = source_paths(typed, settings.packs_dir)
    return tuple(problem for problem in desired.problems if is_under(problem.where.path, paths))
