"""From an approved plan to a converged workspace: submit, work (or leave it to others), and read once more whether a
second plan is empty. Broken packs are marked as such. Asks nobody; approval is the caller's business."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from reconciler.core.desired import Desired
from reconciler.core.encoding import Json
from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.core.sighting import sighting
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import Ledger, OperationRecord, Work, WorkStatus
from reconciler.stages.submit import Submission, submit
from reconciler.stages.verify import looking_meanwhile, verify
from reconciler.stages.workers import Workforce


@dataclass(frozen=True, slots=True)
class Applied:
    submission: Submission
    #: How each pack's work ended; empty when it was left to others.
    work: tuple[Work, ...] = ()
    #: A second plan: of what was worked on, made afterwards; None when the work was left to others.
    after: Plan | None = None
    #: The calls of the work that did not end well.
    operations: tuple[OperationRecord, ...] = ()

    @property
    def failed(self) -> tuple[Work, ...]:
        return tuple(item for item in self.work if item.status not in {WorkStatus.DONE, WorkStatus.HELD})

    @property
    def is_converged(self) -> bool:
        """Whether nothing is left that could be done; what is held does not count."""
        return self.after is not None and not any(step.is_work for step in self.after.steps)


async def apply_plan(
    plan: Plan,
    document: Json,
    force: Workforce,
    plan_again: Callable[[Collection[PackId]], Awaitable[Plan]],
    clock: Clock,
    actor: str,
) -> Applied:
    """`document` is the plan as JSON, for the record; `plan_again` makes the same plan of some of its packs anew. The
    others are as the plan has just seen them."""
    submission = await submit(plan, document, force.ledger, force.doorbell, actor)
    async with looking_meanwhile(plan_again, _alone(plan, submission)) as meanwhile:
        await force.work_until_done(submission.work_ids, meanwhile.ended)
    work = tuple(await force.ledger.work(submission.work_ids))
    failed = [item.id for item in work if item.status not in {WorkStatus.DONE, WorkStatus.HELD}]
    worked_on = submission.outdated.union(pack for pack, work_id in submission.work.items() if work_id is not None)
    after = await _plan_after(plan, worked_on - meanwhile.in_order.keys(), plan_again, clock, is_sure=not failed)
    seen = tuple(meanwhile.in_order.get(pack.pack, pack) for pack in after.packs)
    after = replace(after, packs=seen)
    await remember(after, force.ledger)
    operations = await force.ledger.operations(failed) if failed else ()
    return Applied(submission, work, after, tuple(operations))


def _alone(plan: Plan, submission: Submission) -> Mapping[UUID, PackId]:
    """The work of packs that no other pack of the plan has to do with: nothing that follows can change them."""
    needed = {need for pack in plan.packs for need in pack.needs}
    alone = {pack.pack for pack in plan.packs if not pack.needs} - needed
    return {work_id: pack for pack, work_id in submission.work.items() if work_id is not None and pack in alone}


async def _plan_after(
    plan: Plan,
    worked_on: Collection[PackId],
    plan_again: Callable[[Collection[PackId]], Awaitable[Plan]],
    clock: Clock,
    *,
    is_sure: bool,
) -> Plan:
    """`is_sure`: all of it went well, so that what a read does not show yet is waited for."""
    if not worked_on:
        return plan

    async def again() -> Plan:
        return await plan_again(worked_on)

    after = await verify(again, clock) if is_sure else await again()
    others = tuple(pack for pack in plan.packs if pack.pack not in worked_on)
    return replace(after, packs=(*others, *after.packs))


async def remember(plan: Plan, ledger: Ledger) -> None:
    """What the plan saw and `status` tells: changes made by hand, objects nobody gets to read, ends of tokens. It is
    compared with what is on record in one go, and what differs is said at once, so that the record can write it
    together: a statement for each pack costs more than all of a plan."""
    before = await ledger.sightings() if plan.packs else {}
    told = []
    for pack in plan.packs:
        seen = {step.key: each for step in pack.steps if (each := sighting(step)).is_notable}
        known = {key: replace(each, drift_since=None) for key, each in before.get(pack.pack, {}).items()}
        if seen != known or pack.declared is None:
            told.append(ledger.observed(pack.pack, seen))
    await asyncio.gather(*told)


async def reject_broken(desired: Desired, scope: Collection[PackId], ledger: Ledger, actor: str) -> None:
    """Mark the packs in scope whose file has errors, with the first of them."""
    commit = desired.revision.commit if desired.revision.is_committed else ""
    for pack, path in desired.broken.items():
        if pack in scope:
            errors = [problem for problem in desired.problems if problem.is_error and problem.where.path == path]
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            reason = f"{errors[0].where}: {errors[0].message}{more}" if errors else f"{path} has problems"
            await ledger.reject(pack, path, reason, commit, actor)
