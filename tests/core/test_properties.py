"""Properties of the pure core over any three states: convergence, crash safety, hands off, order, lowering."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from reconciler.core.actions import actions
from reconciler.core.calls import DeleteRecipient, Rename, RotateToken
from reconciler.core.key import Key, Kind
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED
from reconciler.core.readers import resource_after
from reconciler.core.resource import Resource
from reconciler.core.share import Share
from reconciler.core.verdict import Conflict, Drifted, Ignore, Unknown, Verdict
from tests.core.carrying import Run, in_order
from tests.core.disputes import disputed_scenes
from tests.core.scenes import Scene, scenes
from tests.core.worlds import read_back, without_contents
from tests.drawing import examples

often = settings(
    max_examples=examples(60, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def disputed_or_not(*, free: bool = False) -> st.SearchStrategy[Scene]:
    """Every other scene has contested fields."""
    return st.one_of(scenes(free=free), disputed_scenes(free=free))


def unfinished(run: Run) -> list[tuple[str, object]]:
    return [(str(step.key), step.verdict) for step in run.plan().steps if step.is_work]


def after_two_rounds(scene: Scene) -> Run:
    """What was held only because something else came first may be possible in the second."""
    run = Run(scene, scene.recorded)
    run.carry_out(run.plan())
    run.scene = replace(scene, rotations={})
    run.carry_out(run.plan())
    return run


def rows(run: Run) -> dict[Key, Resource]:
    return {key: row.resource for key, row in run.recorded.resources.items()}


@often
@given(disputed_or_not())
def test_after_carrying_out_a_plan_the_next_one_is_empty(scene: Scene) -> None:
    for step in Run(scene, scene.recorded).plan().steps:
        event(type(step.verdict).__name__)
    run = after_two_rounds(scene)
    assert run.stale == []
    assert unfinished(run) == []


@often
@given(disputed_or_not())
def test_what_is_recorded_in_the_end_is_what_is_desired_and_what_is_there(scene: Scene) -> None:
    run = after_two_rounds(scene)
    for step in run.plan().steps:
        # What is contested is left as it is; `test_disputes` says how.
        if step.is_held or step.desired is None or isinstance(step.verdict, Drifted) or step.contests:
            continue
        assert rows(run)[step.key] == step.desired
        assert read_back(step.desired, scene.workspace.told(step.key)) == without_contents(step.desired)


def is_there_twice(scene: Scene) -> Iterator[bool]:
    """On record under its old and its new name: nothing of ours makes that, and a person has to settle it."""
    rows = scene.recorded.resources
    for pack in scene.desired.packs.values():
        for key, declared in pack.resources.items():
            yield bool(declared.renamed_from) and {key, replace(key, name=declared.renamed_from)} <= rows.keys()


def is_ambiguous(scene: Scene) -> Iterator[bool]:
    """The pack does not say whether the table or the volume of a name is meant: that follows from which of them the
    share holds, and so from which of them a worker had taken out when it died."""
    for pack in scene.desired.packs.values():
        for declared in pack.resources.values():
            if isinstance(declared.resource, Share) and declared.resource.objects is not UNMANAGED:
                for item in declared.resource.objects:
                    yield item.type is UNMANAGED and len(scene.catalog.objects.get(item.name) or ()) > 1


@often
@given(disputed_or_not(free=True), st.integers(0, 12), st.booleans(), st.integers(0, 12), st.booleans())
def test_dying_twice_at_any_call_ends_in_the_same_state(
    scene: Scene, first: int, first_lost: bool, second: int, second_lost: bool
) -> None:
    assume(not any(is_there_twice(scene)) and not any(is_ambiguous(scene)))
    undisturbed = after_two_rounds(scene.copy())
    run = Run(scene, scene.recorded, first, first_lost)
    run.carry_out(run.plan())
    run.scene = replace(scene, rotations={})
    run.calls_left, run.loses_last = second, second_lost
    run.carry_out(run.plan())
    run.calls_left = None
    for _ in range(3):
        run.carry_out(run.plan())
    assert run.stale == []
    assert unfinished(run) == []
    for key, resource in rows(undisturbed).items():
        assert rows(run)[key] == resource
    assert rows(run).keys() == rows(undisturbed).keys()
    assert scene.workspace.resources.keys() == undisturbed.scene.workspace.resources.keys()


@often
@given(disputed_or_not(free=True), st.integers(0, 12), st.booleans())
def test_a_token_is_rotated_at_most_once_and_a_rename_is_done_once_however_often_a_worker_dies(
    scene: Scene, calls: int, is_lost: bool
) -> None:
    run = Run(scene, scene.recorded, calls, is_lost)
    run.carry_out(run.plan())
    run.calls_left = None
    for _ in range(3):
        run.scene = replace(scene, rotations={})
        run.carry_out(run.plan())
    rotated = [call.key.name for call in scene.workspace.calls if isinstance(call, RotateToken)]
    named = [call.key for call in scene.workspace.calls if isinstance(call, Rename)]
    assert len(set(rotated)) == len(rotated)
    assert len(set(named)) == len(named)


@often
@given(disputed_or_not())
def test_what_is_neither_declared_nor_recorded_is_never_in_a_call(scene: Scene) -> None:
    ours = {key for pack in scene.desired.packs.values() for key in pack.resources} | set(scene.recorded.resources)
    before = dict(scene.workspace.resources)
    run = Run(scene, scene.recorded)
    run.carry_out(run.plan())
    assert {call.key for call in scene.workspace.calls} <= ours
    moved: dict[tuple[str, str], str | None] = {}
    for call in scene.workspace.calls:
        if isinstance(call, DeleteRecipient):
            moved[call.key.workspace, call.key.name] = None
        elif isinstance(call, Rename) and call.key.kind is Kind.RECIPIENT:
            moved[call.key.workspace, call.old_name] = call.key.name
    for key, resource in before.items():
        if key not in ours:
            assert scene.workspace.resources[key] == resource_after(resource, key.workspace, moved)


@often
@given(disputed_or_not())
def test_a_field_nobody_manages_is_left_alone(scene: Scene) -> None:
    before = {key: scene.workspace.told(key) for key in scene.workspace.resources}
    run = Run(scene, scene.recorded)
    plan = run.plan()
    run.carry_out(plan)
    for step in plan.steps:
        if step.desired is None or step.key not in before or step.key not in scene.workspace.resources:
            continue
        if any(isinstance(call, DeleteRecipient) and call.key == step.key for call in scene.workspace.calls):
            continue
        was, now = before[step.key], scene.workspace.told(step.key)
        for name in ("comment", "owner", "allowed_ips", "properties", "policies", "storage_root"):
            if getattr(step.desired, name, None) is UNMANAGED:
                assert getattr(now, name) == getattr(was, name)


def _shuffled(mapping: Mapping[Key, object], dice: Random) -> dict[Key, object]:
    items = list(mapping.items())
    dice.shuffle(items)
    return dict(items)


@often
@given(disputed_or_not(), st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_the_order_of_its_input(scene: Scene, dice: Random) -> None:
    plan = Run(scene, scene.recorded).plan()
    packs = {
        pack.id: replace(pack, resources=_shuffled(pack.resources, dice))  # type: ignore[arg-type]
        for pack in reversed(list(scene.desired.packs.values()))
    }
    shuffled_rows = replace(scene.recorded, resources=_shuffled(scene.recorded.resources, dice))  # type: ignore[arg-type]
    other = replace(scene, desired=replace(scene.desired, packs=packs), recorded=shuffled_rows)
    again = Run(other, other.recorded).plan()
    assert [(str(step.key), step.verdict) for step in again.steps] == [(str(s.key), s.verdict) for s in plan.steps]
    assert [step.objections for step in again.steps] == [step.objections for step in plan.steps]
    assert again.fingerprint == plan.fingerprint
    assert [pack.basis for pack in again.packs] == [pack.basis for pack in plan.packs]


@often
@given(disputed_or_not())
def test_each_operation_leaves_what_it_says_and_the_last_leaves_what_is_desired(scene: Scene) -> None:
    run = Run(scene, scene.recorded)
    for pack in in_order(run.plan()):
        # Like a worker: look again before each pack, for another one may have deleted a recipient.
        now = next(other for other in run.plan().packs if other.pack == pack.pack)
        for step in now.steps:
            operations = lower(step.key, step.verdict) if step.is_work else ()
            for operation in operations:
                scene.workspace.perform(operation.call)
                found = scene.workspace.told(step.key) if step.key in scene.workspace.resources else None
                if operation.after is None or found is None:
                    assert operation.after is found
                elif not isinstance(operation.call, RotateToken):
                    like = read_back(operation.after, found)
                    assert like == without_contents(operation.after), operation.call
            if operations:
                assert operations[-1].after == (step.desired if not step.contests else _after(step.verdict))


def _after(verdict: Verdict) -> Resource | None:
    """With the contested fields as they are."""
    return getattr(verdict, "after", None)


@often
@given(disputed_or_not(), st.integers(0, 8), st.booleans())
def test_what_is_done_is_what_was_announced(scene: Scene, calls: int, is_lost: bool) -> None:
    """A worker that goes on where another one died never finds an action to be done that was not in the plan.

    Nobody's rights are looked at: notebooks are sent again after a crash, which may take more than the plan took.
    """
    scene.workspace.caller = None
    run = Run(scene, scene.recorded, calls, is_lost)
    plan = run.plan()
    run.carry_out(plan)
    run.calls_left = None
    run.carry_out(plan)
    assert run.stale == []


@often
@given(disputed_or_not())
def test_what_is_held_or_equal_gets_no_call(scene: Scene) -> None:
    for step in Run(scene, scene.recorded).plan().steps:
        if step.is_held:
            assert not step.is_work
            assert actions(step.key, step.verdict).isdisjoint(
                next(pack for pack in Run(scene, scene.recorded).plan().packs if step in pack.steps).actions
            )
        if isinstance(step.verdict, Conflict | Unknown | Ignore | Drifted):
            assert lower(step.key, step.verdict) == ()
