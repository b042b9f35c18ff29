"""Properties of the pure core over any three states: convergence, crash safety, hands off, order, lowering."""

import os
from dataclasses import replace

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.core.actions import actions
from reconciler.core.calls import OBJECT_UPDATES_PER_CALL, Operation, UpdateShare
from reconciler.core.changes import Cause
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, PackId, share_key
from reconciler.core.lowering import lower, managed_like
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.planning import World, keys_in_scope, make_plan
from reconciler.core.recorded import Recorded, RecordedState
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Adopt, Conflict, Create, Keep, Record, Update
from tests.core.worlds import SALES_Q1, SALES_Q2, WORKSPACE, ModelWorkspace, Scene, scenes

SCOPE = frozenset({SALES_Q1, SALES_Q2})
often = settings(
    max_examples=1000 if os.environ.get("CI") else 200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def plan_of(scene: Scene, recorded: RecordedState) -> Plan:
    keys = keys_in_scope(scene.desired, SCOPE, recorded)
    removed = frozenset(recorded.resources) - {key for pack in scene.desired.packs.values() for key in pack.resources}
    attested = dict.fromkeys(SCOPE, Attestation(removed=removed))
    return make_plan(scene.desired, SCOPE, World(recorded, scene.workspace.observe(keys), {}, attested))


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


def write(recorded: RecordedState, key: Key, resource: Resource | None, pack: PackPlan) -> RecordedState:
    rows = {other: row for other, row in recorded.resources.items() if other != key}
    if resource is not None:
        rows[key] = Recorded(resource, pack.pack, 1, "c" * 40)
    return replace(recorded, resources=rows, open_intents=_without(recorded, key))


def _without(recorded: RecordedState, key: Key) -> dict[Key, PackId]:
    return {other: pack for other, pack in recorded.open_intents.items() if other != key}


def settled(step: Step) -> Resource | None:
    """What our rows say once a step that needs no call is done."""
    match step.verdict:
        case Record(_, after) | Adopt(_, after):
            return after
        case Keep():
            return step.desired
        case _:
            return None


def carry_out(
    scene: Scene, recorded: RecordedState, plan: Plan, calls: int | None = None, *, lose_last: bool = False
) -> RecordedState:
    """Perform the plan, at most `calls` calls; `lose_last` performs the last one without recording it."""
    left = -1 if calls is None else calls
    for pack in in_order(plan):
        for step in pack.steps:
            if not step.is_work:
                continue
            operations = lower(step.key, step.verdict)
            for operation in operations:
                if left == 0:
                    return replace(recorded, open_intents={**recorded.open_intents, operation.key: pack.pack})
                scene.workspace.perform(operation.call)
                left -= 1
                if left == 0 and lose_last:
                    return replace(recorded, open_intents={**recorded.open_intents, operation.key: pack.pack})
                recorded = write(recorded, operation.key, operation.after, pack)
            if not operations:
                recorded = write(recorded, step.key, settled(step), pack)
    return recorded


def resolve_intents(scene: Scene, recorded: RecordedState) -> RecordedState:
    """What a worker does first: read what an unfinished call left behind."""
    declared = {
        key: (item.resource, pack) for pack in scene.desired.packs.values() for key, item in pack.resources.items()
    }
    for key in sorted(recorded.open_intents.keys() & declared.keys()):
        wanted, pack = declared[key]
        found = scene.workspace.resources.get(key)
        rows = dict(recorded.resources)
        if found is not None:
            rows[key] = Recorded(managed_like(wanted, found), pack.id, 1, "c" * 40)
        else:
            rows.pop(key, None)
        recorded = replace(recorded, resources=rows, open_intents=_without(recorded, key))
    return recorded


def assert_converged(scene: Scene, recorded: RecordedState) -> None:
    again = plan_of(scene, recorded)
    unfinished = [(str(step.key), step.verdict) for step in again.steps if step.is_work]
    assert unfinished == []


@often
@given(scenes())
def test_after_carrying_out_a_plan_the_next_one_is_empty(scene: Scene) -> None:
    plan = plan_of(scene, scene.recorded)
    for step in plan.steps:
        event(type(step.verdict).__name__)
    recorded = carry_out(scene, scene.recorded, plan)
    # What was held only because a recipient was missing may be possible now, once.
    recorded = carry_out(scene, recorded, plan_of(scene, recorded))
    assert_converged(scene, recorded)


@often
@given(scenes(), st.integers(0, 12), st.booleans(), st.integers(0, 12), st.booleans())
def test_dying_twice_at_any_call_ends_in_the_same_state(
    scene: Scene, first: int, first_lost: bool, second: int, second_lost: bool
) -> None:
    undisturbed = Scene(scene.desired, scene.recorded, ModelWorkspace(dict(scene.workspace.resources)))
    clean = resolve_intents(undisturbed, undisturbed.recorded)
    for _ in range(2):
        clean = carry_out(undisturbed, clean, plan_of(undisturbed, clean))
    recorded = resolve_intents(scene, scene.recorded)
    recorded = carry_out(scene, recorded, plan_of(scene, recorded), first, lose_last=first_lost)
    recorded = resolve_intents(scene, recorded)
    recorded = carry_out(scene, recorded, plan_of(scene, recorded), second, lose_last=second_lost)
    recorded = resolve_intents(scene, recorded)
    for _ in range(2):
        recorded = carry_out(scene, recorded, plan_of(scene, recorded))
    assert_converged(scene, recorded)
    assert scene.workspace.resources == undisturbed.workspace.resources
    ours = {key: row.resource for key, row in recorded.resources.items()}
    assert ours == {key: row.resource for key, row in clean.resources.items()}


@often
@given(scenes())
def test_what_is_neither_declared_nor_recorded_is_never_in_a_call(scene: Scene) -> None:
    ours = {key for pack in scene.desired.packs.values() for key in pack.resources} | set(scene.recorded.resources)
    before = dict(scene.workspace.resources)
    carry_out(scene, scene.recorded, plan_of(scene, scene.recorded))
    assert {call.key for call in scene.workspace.calls} <= ours
    dropped = {call.key.name for call in scene.workspace.calls if type(call).__name__ == "DeleteRecipient"}
    for key, resource in before.items():
        if key in ours:
            continue
        kept = scene.workspace.resources[key]
        expected = resource
        if isinstance(resource, Share):
            assert isinstance(resource.recipients, frozenset)
            expected = replace(resource, recipients=resource.recipients - dropped)
        assert kept == expected


@often
@given(scenes(), st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_the_order_of_its_input(scene: Scene, random: object) -> None:
    def shuffled(mapping: dict[Key, object]) -> dict[Key, object]:
        items = list(mapping.items())
        random.shuffle(items)  # type: ignore[attr-defined]
        return dict(items)

    plan = plan_of(scene, scene.recorded)
    packs = {
        pack.id: replace(pack, resources=shuffled(dict(pack.resources)))  # type: ignore[arg-type]
        for pack in reversed(list(scene.desired.packs.values()))
    }
    rows = shuffled(dict(scene.recorded.resources))
    other = Scene(
        replace(scene.desired, packs=packs),
        replace(scene.recorded, resources=rows),  # type: ignore[arg-type]
        scene.workspace,
    )
    again = plan_of(other, other.recorded)
    assert [(str(step.key), step.verdict) for step in again.steps] == [(str(s.key), s.verdict) for s in plan.steps]
    assert again.fingerprint == plan.fingerprint
    assert [pack.basis for pack in again.packs] == [pack.basis for pack in plan.packs]


@often
@given(scenes())
def test_each_operation_leaves_what_it_says_and_the_last_leaves_what_is_desired(scene: Scene) -> None:
    for pack in in_order(plan_of(scene, scene.recorded)):
        # Like a worker: look again before each pack, for another one may have deleted a recipient.
        now = next(other for other in plan_of(scene, scene.recorded).packs if other.pack == pack.pack)
        for step in now.steps:
            operations: tuple[Operation, ...] = lower(step.key, step.verdict) if step.is_work else ()
            for operation in operations:
                scene.workspace.perform(operation.call)
                found = scene.workspace.resources.get(step.key)
                if operation.after is None or found is None:
                    assert operation.after is found
                else:
                    assert managed_like(operation.after, found) == operation.after
            if operations:
                assert operations[-1].after == step.desired


@often
@given(scenes())
def test_what_is_done_is_what_was_announced(scene: Scene) -> None:
    """Performing part of a plan and planning again never shows an action that was not in the first plan."""
    plan = plan_of(scene, scene.recorded)
    approved = {pack.pack: pack.actions for pack in plan.packs}
    recorded = carry_out(scene, scene.recorded, plan, 2)
    for pack in plan_of(scene, resolve_intents(scene, recorded)).packs:
        held_before = {
            step.key for other in plan.packs if other.pack == pack.pack for step in other.steps if step.is_held
        }
        for step in pack.steps:
            if step.key not in held_before and not step.is_held:
                assert actions(step.key, step.verdict) <= approved[pack.pack]


@often
@given(scenes())
def test_conflicts_and_unseen_resources_get_no_call(scene: Scene) -> None:
    for step in plan_of(scene, scene.recorded).steps:
        if step.is_held:
            assert not step.is_work
        if isinstance(step.verdict, Conflict):
            assert lower(step.key, step.verdict) == ()


@given(st.integers(0, 450), st.integers(0, 450))
@settings(max_examples=60, deadline=None)
def test_no_call_holds_more_than_a_hundred_object_updates(before: int, after: int) -> None:
    key = share_key("big", WORKSPACE)
    one = frozenset(SharedObject(f"main.a.t{n}", ObjectType.TABLE) for n in range(before))
    two = frozenset(SharedObject(f"main.a.t{n}", ObjectType.VIEW) for n in range(after))
    have, want = Share("big", "", one, frozenset()), Share("big", "", two, frozenset())
    model = ModelWorkspace({key: have})
    for operation in lower(key, Update(have, want, (), Cause.FILE)):
        assert isinstance(operation.call, UpdateShare)
        assert 0 < len(operation.call.add) + len(operation.call.remove) <= OBJECT_UPDATES_PER_CALL
        model.perform(operation.call)
    assert model.resources[key] == want


def test_a_new_share_is_filled_before_anybody_may_read_it() -> None:
    key = share_key("s", WORKSPACE)
    share = Share("s", "c", frozenset({SharedObject("m.s.t", ObjectType.TABLE)}), frozenset({"acme"}))
    names = [type(operation.call).__name__ for operation in lower(key, Create(share, Cause.FILE))]
    assert names == ["CreateShare", "UpdateShare", "ChangeGrants"]
