"""An approved plan -> work for workers, in one transaction, and a ring at the door. Carries intentions, never calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from reconciler.core.encoding import Json
from reconciler.core.guard import removes_access
from reconciler.core.key import PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.policy import basis_of
from reconciler.core.verdict import Conflict, Release, Unknown
from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError
from reconciler.ports.ledger import Ledger, PackOrder, PlanRecord, Wanted


@dataclass(frozen=True, slots=True)
class Submission:
    plan_id: UUID
    #: None: only the pack's rows had to change, and that is done.
    work: Mapping[PackId, UUID | None]
    #: The queue could not be reached; workers find the work by their sweep.
    is_rung: bool = True
    #: Packs for which somebody else has submitted something since they were planned; nothing is done for them.
    outdated: frozenset[PackId] = frozenset()

    @property
    def work_ids(self) -> frozenset[UUID]:
        return frozenset(work_id for work_id in self.work.values() if work_id is not None)


async def submit(plan: Plan, document: Json, ledger: Ledger, doorbell: Doorbell, actor: str) -> Submission:
    """`document` is the plan as JSON, for the record. Submits every pack that has something to do or to record."""
    commit = plan.revision.commit if plan.revision.is_committed else ""
    record = PlanRecord(uuid4(), commit, actor, document)
    orders = [order(pack) for pack in plan.packs if pack.is_work or pack.rows_behind or pack.is_held]
    work = await ledger.submit(record, orders)
    ids = [work_id for work_id in work.values() if work_id is not None]
    outdated = frozenset(each.pack for each in orders) - work.keys()
    try:
        await doorbell.ring(ids)
    except DoorbellUnavailableError:
        return Submission(record.plan_id, work, is_rung=False, outdated=outdated)
    return Submission(record.plan_id, work, outdated=outdated)


def order(plan: PackPlan) -> PackOrder:
    """What a worker is told: the resources to bring into order, and no more than the approved actions for it."""
    declared = plan.declared
    return PackOrder(
        pack=plan.pack,
        path=plan.path,
        workspace=plan.workspace,
        requestor="" if declared is None else declared.requestor,
        strategy=plan.strategy,
        file_format="" if declared is None else declared.file_format,
        config=None if declared is None else encode_pack(declared),
        region="" if declared is None or declared.region is UNMANAGED else declared.region,
        wanted=tuple(_wanted(step) for step in plan.steps if step.is_work),
        actions=plan.actions,
        needs=plan.needs,
        held=tuple(_held_words(plan)),
        narrows=any(removes_access(step.verdict) for step in plan.steps if step.is_work),
        fingerprint=plan.fingerprint,
        tenant=plan.tenant,
        basis=basis_of(plan),
        review=plan.review,
        generation=plan.generation,
    )


def _wanted(step: Step) -> Wanted:
    is_released = isinstance(step.verdict, Release)
    contested = frozenset(each.field for each in step.contests)
    return Wanted(step.key, step.desired, step.adopt, step.renamed_from, step.token, is_released, contested)


def _held_words(plan: PackPlan) -> list[str]:
    words = []
    for step in plan.steps:
        reasons = [objection.message for objection in step.objections]
        match step.verdict:
            case Conflict(message=message):
                reasons.append(message)
            case Unknown(reason):
                reasons.append(f"cannot be read: {reason}")
            case _:
                pass
        if reasons:
            words.append(f"{step.key}: {'; '.join(reasons)}")
    return words
