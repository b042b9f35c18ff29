"""One pass over some packs, without anybody to ask: plan, hand to workers what policy allows, and remember what was
seen. When which packs are looked at is the daemon's business."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.core.desired import Desired
from reconciler.core.encoding import Json
from reconciler.core.glance import ReadInFull
from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.policy import Decision, Leave, Nothing, Submit, decide
from reconciler.core.sighting import drifted_fields
from reconciler.core.verdict import Unknown
from reconciler.ports.clock import Clock
from reconciler.ports.doorbell import Doorbell
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import Ancestry, PackSource, PackSourceError
from reconciler.ports.platform import Platform
from reconciler.stages.apply import remember
from reconciler.stages.plan import Planned, Wishes, read_and_plan
from reconciler.stages.submit import Submission, submit


@dataclass(frozen=True, slots=True)
class Passed:
    plan: Plan
    decisions: Mapping[PackId, Decision]
    #: What was read for the plan.
    read: ReadInFull
    #: None: there was nothing to hand to workers.
    submission: Submission | None = None

    @property
    def left(self) -> Mapping[PackId, Leave]:
        return {pack: decision for pack, decision in self.decisions.items() if isinstance(decision, Leave)}

    @property
    def unseen(self) -> frozenset[PackId]:
        """Packs of which something could not be read, so that nobody can say how they are."""
        return frozenset(pack.pack for pack in self.plan.packs if any(_is_unknown(step.verdict) for step in pack.steps))

    @property
    def quiet(self) -> frozenset[PackId]:
        """Packs that are as they should be."""
        return frozenset(pack.pack for pack in self.plan.packs if _is_quiet(pack))


@dataclass(frozen=True, slots=True)
class Reconciler:
    """What all passes have in common."""

    source: PackSource
    ledger: Ledger
    platform: Platform
    doorbell: Doorbell
    clock: Clock
    #: Who reconciles, as history will tell it.
    actor: str
    #: A plan as JSON, for the record.
    document: Callable[[Plan], Json]

    async def reconcile(self, desired: Desired, scope: Collection[PackId], wishes: Wishes) -> Passed:
        """Raises LedgerError and PackSourceError; what Databricks says no to is in the plan."""
        planned = await read_and_plan(desired, scope, self.source, self.ledger, self.platform, self.clock, wishes)
        plan = planned.plan
        standings = await self.ledger.standings([pack.pack for pack in plan.packs])
        decisions = decide(plan, standings, await self._rewound(plan))
        chosen = tuple(pack for pack in plan.packs if isinstance(decisions[pack.pack], Submit))
        submission = None
        if chosen:
            part = replace(plan, packs=chosen)
            submission = await submit(part, self.document(part), self.ledger, self.doorbell, self.actor)
        await remember(plan, self.ledger)
        return Passed(plan, decisions, _read(planned, decisions), submission)

    async def _rewound(self, plan: Plan) -> frozenset[PackId]:
        """Packs that were submitted from a commit this one does not descend from, or from one nobody here knows: what
        it says may be outdated."""
        if not plan.revision.is_committed:
            return frozenset()
        commits = {pack.recorded_commit for pack in plan.packs} - {"", plan.revision.commit}
        if not commits or await self.source.descends_from_all(sorted(commits), plan.revision.commit):
            return frozenset()
        strange = {commit for commit in commits if await self._is_strange(commit, plan.revision.commit)}
        return frozenset(pack.pack for pack in plan.packs if pack.recorded_commit in strange)

    async def _is_strange(self, older: str, newer: str) -> bool:
        try:
            return await self.source.ancestry(older, newer) is not Ancestry.DESCENDS
        except PackSourceError:
            return True


def _read(planned: Planned, decisions: Mapping[PackId, Decision]) -> ReadInFull:
    rows = planned.recorded.packs
    quiet = (pack for pack in planned.plan.packs if isinstance(decisions[pack.pack], Nothing) and _is_quiet(pack))
    return ReadInFull(
        planned.actual, [(pack, rows[pack.pack]) for pack in quiet if pack.pack in rows], planned.began_at
    )


def _is_quiet(pack: PackPlan) -> bool:
    return not pack.is_work and not pack.is_held and not any(drifted_fields(step) for step in pack.steps)


def _is_unknown(verdict: object) -> bool:
    return isinstance(verdict, Unknown)
