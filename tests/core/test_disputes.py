"""Properties of contested fields and suspended packs over any three states."""

from dataclasses import replace

from hypothesis import event, given

from reconciler.core.calls import (
    ChangeGrants,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.changes import TokenRotated
from reconciler.core.holds import EXISTENCE, parted, path_of
from reconciler.core.key import Key, Kind
from reconciler.core.pack import DriftPolicy
from reconciler.core.plan import Plan, Step
from reconciler.core.sighting import left_alone, sighting
from reconciler.core.verdict import Create, Drifted, Keep, Rename, Replace, Update
from tests.core.carrying import Run, in_order
from tests.core.disputes import disputed_scenes, suspended_scenes, told_differences
from tests.core.scenes import Scene
from tests.core.test_properties import after_two_rounds, is_there_twice, often, unfinished
from tests.core.worlds import rules


def contested(step: Step) -> frozenset[str]:
    return frozenset(contest.field for contest in step.contests)


def settled_elsewhere(plan: Plan) -> frozenset[str]:
    """Grants that come and go with their recipient."""
    moving = [step.key.name for step in plan.steps if step.key.kind is Kind.RECIPIENT]
    return frozenset(f"recipients[{prefix}{name}]" for name in moving for prefix in ("", "old-"))


@often
@given(disputed_scenes())
def test_a_contested_field_stays_as_it_is(scene: Scene) -> None:
    before = {key: scene.workspace.told(key) for key in scene.workspace.resources}
    run = Run(scene, scene.recorded)
    plan = run.plan()
    run.carry_out(plan)
    for step in plan.steps:
        was_key = replace(step.key, name=step.renamed_from) if isinstance(step.verdict, Rename) else step.key
        ours = isinstance(step.verdict, Rename | Update | Drifted | Keep)
        if not ours or was_key not in before or step.key not in scene.workspace.resources:
            continue
        now = scene.workspace.told(step.key)
        changed = {path_of(each) for each in told_differences(before[was_key], now)}
        kept = contested(step) - settled_elsewhere(plan) - ({"expires_at"} if step.token is not None else frozenset())
        for each in kept:
            event(each.partition("[")[0].partition(".")[0])
        assert changed.isdisjoint(kept)


@often
@given(disputed_scenes())
def test_what_is_not_contested_is_as_desired(scene: Scene) -> None:
    run = Run(scene, scene.recorded)
    plan = run.plan()
    run.carry_out(plan)
    assert run.stale == []
    for step in plan.steps:
        if step.is_held or step.desired is None or not isinstance(step.verdict, Rename | Update | Create | Keep):
            continue
        rotates = isinstance(step.token, TokenRotated)
        differing = told_differences(step.desired, scene.workspace.told(step.key))
        _, wrong = parted(differing, contested(step))
        assert [each for each in wrong if not (rotates and each.field == "expires_at")] == []


@often
@given(disputed_scenes())
def test_planning_again_gives_no_work(scene: Scene) -> None:
    run = after_two_rounds(scene)
    assert run.stale == []
    assert unfinished(run) == []
    if not any(is_there_twice(scene)):
        assert {key.name for key in run.recorded.open_intents if _is_declared(scene, key)} <= _held_or_unseen(run)


def _is_declared(scene: Scene, key: Key) -> bool:
    return any(key in pack.resources for pack in scene.desired.packs.values())


def _held_or_unseen(run: Run) -> set[str]:
    """A call that was begun stays open only where nothing may be done, or drift is only told."""
    steps = run.plan().steps
    return {step.key.name for step in steps if step.is_held or isinstance(step.verdict, Drifted)}


@often
@given(disputed_scenes())
def test_what_was_deleted_by_hand_and_is_contested_is_not_made_again(scene: Scene) -> None:
    plan = Run(scene, scene.recorded).plan()
    for step in plan.steps:
        row = scene.recorded.resources.get(step.key)
        is_left = EXISTENCE in contested(step) and step.key not in scene.workspace.resources and not step.renamed_from
        if not is_left or row is None or row.resource != step.desired or step.is_held:
            continue
        pack = next(pack for pack in plan.packs if step in pack.steps)
        is_begun = step.key in scene.recorded.open_intents
        only_reports = pack.declared is not None and pack.declared.drift is DriftPolicy.REPORT
        is_made = (is_begun or pack.pack != row.pack) and not only_reports
        assert isinstance(step.verdict, Create if is_made else Drifted)


@often
@given(disputed_scenes())
def test_the_last_look_of_a_worker_comes_to_the_same_verdicts(scene: Scene) -> None:
    run = Run(scene, scene.recorded)
    for pack in in_order(run.plan())[:1]:
        wanted = {step.key: step for step in pack.steps if step.is_work}
        former = {replace(key, name=step.renamed_from) for key, step in wanted.items()}
        if {*wanted, *former} & scene.recorded.open_intents.keys():
            return
        actual = scene.workspace.observe({*wanted, *former})
        looked = run._verdicts(pack, wanted, actual)
        moved = {step.key for step in run.plan().steps if isinstance(step.verdict, Rename)} - wanted.keys()
        if not moved:
            assert looked == {key: step.verdict for key, step in wanted.items()}


@often
@given(disputed_scenes())
def test_what_is_left_alone_is_told(scene: Scene) -> None:
    for step in Run(scene, scene.recorded).plan().steps:
        told = sighting(step)
        for change in left_alone(step):
            assert path_of(change) in told.drift
        if isinstance(step.verdict, Drifted):
            assert told.is_notable


@often
@given(suspended_scenes(revocations_too=True))
def test_nothing_is_changed_in_a_suspended_pack(scene: Scene) -> None:
    run = Run(scene, scene.recorded)
    plan = run.plan()
    for step in plan.steps:
        if step.is_change:
            assert "suspended" in rules(step)
    after = after_two_rounds(scene)
    assert scene.workspace.calls == []
    assert unfinished(after) == []


@often
@given(suspended_scenes(revocations_too=False))
def test_a_suspended_pack_only_loses_what_a_commit_took_away(scene: Scene) -> None:
    before = {key: scene.workspace.told(key) for key in scene.workspace.resources}
    run = Run(scene, scene.recorded)
    plan = run.plan()
    run.carry_out(plan)
    for call in scene.workspace.calls:
        event(type(call).__name__)
        assert isinstance(
            call, ChangeGrants | DeletePolicy | DeleteRecipient | DeleteShare | UpdateRecipient | UpdateShare
        )
        assert not (isinstance(call, ChangeGrants) and call.grant)
        assert not (isinstance(call, UpdateShare) and call.add)
    for step in plan.steps:
        if isinstance(step.verdict, Create | Rename | Replace):
            assert step.is_held
        if step.key in before and step.key in scene.workspace.resources:
            gained = [
                each
                for each in told_differences(scene.workspace.told(step.key), before[step.key])
                if type(each).__name__ == "ElementAdded" and each.field != "allowed_ips"
            ]
            assert gained == []
