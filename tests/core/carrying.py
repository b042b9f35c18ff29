"""Carrying out plans on the model workspace as a worker does: intents resolved by reading, a last look, the approved
actions and no others, level by level, each call recorded; and dying after any call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from reconciler.core.actions import actions
from reconciler.core.actual import Absent, Actual, Found
from reconciler.core.calls import Operation
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, Kind
from reconciler.core.levels import levels
from reconciler.core.lowering import managed_like
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.planning import World, keys_in_scope, make_plan
from reconciler.core.readers import Moves, moves
from reconciler.core.recorded import Recorded, RecordedState
from reconciler.core.resource import Resource
from reconciler.core.sight import see
from reconciler.core.steps import NOT_LOOKED_AT
from reconciler.core.verdict import Adopt, Conflict, Forget, Record, Release, Unknown, Verdict
from tests.core.scenes import Scene
from tests.core.worlds import COMMIT, SALES_Q1, SALES_Q2, WORKSPACE

SCOPE = frozenset({SALES_Q1, SALES_Q2})


class DiedError(Exception):
    """The worker was killed."""


@dataclass
class Run:
    """What became of the rows, and what was not done."""

    scene: Scene
    recorded: RecordedState
    #: Calls until the worker dies; None: it lives.
    calls_left: int | None = None
    #: The last call was made, and nobody learned of it.
    loses_last: bool = False
    stale: list[str] = field(default_factory=list)
    #: Calls of a level end in any order; None: in that of the plan.
    dice: Random | None = None

    def plan(self) -> Plan:
        """Git attests every removal, and a renamed resource's old name is one."""
        scene = self.scene
        keys = keys_in_scope(scene.desired, SCOPE, self.recorded)
        declared = {key for pack in scene.desired.packs.values() for key in pack.resources}
        caller = scene.workspace.caller
        world = World(
            self.recorded,
            scene.workspace.observe(keys),
            scene.workspace.now,
            catalogs={WORKSPACE: scene.catalog},
            attestations=dict.fromkeys(SCOPE, Attestation(removed=frozenset(self.recorded.resources) - declared)),
            callers={} if caller is None else {WORKSPACE: caller},
            limits=scene.limits,
            allowed=scene.allowed,
            rotations=scene.rotations,
            holds=scene.holds,
            approvals=scene.approvals,
        )
        return make_plan(scene.desired, SCOPE, world)

    def carry_out(self, plan: Plan) -> None:
        try:
            for pack in in_order(plan):
                self._work(pack)
        except DiedError:
            return

    def _work(self, pack: PackPlan) -> None:
        wanted = {step.key: step for step in pack.steps if step.is_work}
        self._resolve(pack, wanted)
        former = {replace(key, name=step.renamed_from) for key, step in wanted.items() if step.renamed_from}
        actual = self.scene.workspace.observe({*wanted, *former})
        verdicts = self._verdicts(pack, wanted, actual)
        stopped = [verdict for verdict in verdicts.values() if isinstance(verdict, Conflict | Unknown)]
        new = frozenset().union(*(actions(key, verdict) for key, verdict in verdicts.items())) - pack.actions
        if new or stopped:
            self.stale += [*sorted(new), *map(str, stopped)]
            return
        for level in levels(verdicts):
            for key in level.settled:
                self._settle(pack, key, verdicts[key])
            self._perform(pack, list(level.operations))

    def _resolve(self, pack: PackPlan, wanted: Mapping[Key, Step]) -> None:
        """What an unfinished call left behind is read; what nobody wants stays open."""
        looked_at = {*wanted, *(replace(key, name=step.renamed_from) for key, step in wanted.items())}
        intents = self.recorded.open_intents.items()
        for key in sorted(key for key, owner in intents if owner == pack.pack or key in looked_at):
            step = wanted.get(key)
            former = replace(key, name=step.renamed_from) if step is not None and step.renamed_from else key
            actual = self.scene.workspace.observe({key, former})
            observed, was_there = actual[key], former != key and isinstance(actual[former], Found)
            if isinstance(observed, Absent) or (step is not None and was_there):
                self._write(pack, key, None)
            elif isinstance(observed, Found) and step is not None:
                like = observed.resource if step.desired is None else step.desired
                sight = see(key, step.renamed_from, self.recorded, actual, {}, NOT_LOOKED_AT)
                self._write(
                    pack, key, managed_like(like, observed.resource), sight.renamed_from if sight.is_renamed else ""
                )

    def _verdicts(self, pack: PackPlan, wanted: Mapping[Key, Step], actual: Actual) -> dict[Key, Verdict]:
        recipients = [step for key, step in wanted.items() if key.kind is Kind.RECIPIENT]
        first = {step.key: self._verdict(pack, step, actual, {}) for step in recipients}
        moved = moves(first.items())
        return {
            key: first[key] if key in first else self._verdict(pack, step, actual, moved)
            for key, step in wanted.items()
        }

    def _verdict(self, pack: PackPlan, step: Step, actual: Actual, moved: Moves) -> Verdict:
        sight = see(step.key, step.renamed_from, self.recorded, actual, moved, NOT_LOOKED_AT)
        return compare(
            ThreeStates(
                desired=step.desired,
                recorded=None if sight.row is None else sight.row.resource,
                actual=sight.observed,
                adopt=step.adopt,
                rows_behind=sight.rows_behind(pack.pack, is_committed=True),
                renames=sight.renames,
                token=step.token,
                released=isinstance(step.verdict, Release),
                contested=frozenset(each.field for each in step.contests),
            )
        )

    def _perform(self, pack: PackPlan, operations: list[Operation]) -> None:
        """All intents of a level first; its outcomes last, unless the worker dies before it gets to that."""
        begun = dict.fromkeys((operation.key for operation in operations), pack.pack)
        self.recorded = replace(self.recorded, open_intents={**self.recorded.open_intents, **begun})
        if self.dice is not None:
            self.dice.shuffle(operations)
        done: list[Operation] = []
        for operation in operations:
            if self.calls_left == 0:
                self._conclude(pack, done)
                raise DiedError
            self.scene.workspace.perform(operation.call)
            done.append(operation)
            if self.calls_left is not None:
                self.calls_left -= 1
                if self.calls_left == 0 and self.loses_last:
                    raise DiedError
        self._conclude(pack, done)

    def _conclude(self, pack: PackPlan, done: list[Operation]) -> None:
        for operation in done:
            self._write(pack, operation.key, operation.after, getattr(operation.call, "old_name", ""))

    def _settle(self, pack: PackPlan, key: Key, verdict: Verdict) -> None:
        match verdict:
            case Record(before, after):
                was = before.name if before is not None and before.name != after.name else ""
                self._write(pack, key, after, was)
            case Adopt(_, after):
                self._write(pack, key, after)
            case Forget() | Release():
                self._write(pack, key, None)
            case _:
                pass

    def _write(self, pack: PackPlan, key: Key, resource: Resource | None, old_name: str = "") -> None:
        gone = {key, replace(key, name=old_name)} if old_name else {key}
        rows = {other: row for other, row in self.recorded.resources.items() if other not in gone}
        if resource is not None:
            rows[key] = Recorded(resource, pack.pack, 1, COMMIT)
        intents = {other: owner for other, owner in self.recorded.open_intents.items() if other != key}
        self.recorded = replace(self.recorded, resources=rows, open_intents=intents)


def in_order(plan: Plan) -> list[PackPlan]:
    """The packs, each after the packs it needs."""
    done: list[PackPlan] = []
    left = list(plan.packs)
    while left:
        ready = [pack for pack in left if pack.needs <= {other.pack for other in done}]
        assert ready, "packs wait for each other"
        done += ready
        left = [pack for pack in left if pack not in ready]
    return done
