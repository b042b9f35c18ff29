"""What is done side by side: whatever the plan's own order guarantees, every order that the levels allow keeps."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.core.calls import ChangeGrants, CreateRecipient, DeleteRecipient, Operation, Rename
from reconciler.core.changes import Cause
from reconciler.core.guard import only_removes_access
from reconciler.core.key import Key, Kind, recipient_key, share_key
from reconciler.core.levels import Level, levels
from reconciler.core.lowering import lower
from reconciler.core.plan import PackPlan
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Create, Delete, Forget, Keep, Record, Replace, Update, Verdict
from reconciler.core.verdict import Rename as RenameVerdict
from tests.core.carrying import Run, in_order
from tests.core.disputes import disputed_scenes
from tests.core.lowered import changed
from tests.core.scenes import Scene, scenes
from tests.core.worlds import WORKSPACE
from tests.drawing import examples

T1, T2 = (SharedObject(f"main.s.t{number}", ObjectType.TABLE) for number in (1, 2))
MANY = tuple(SharedObject(f"main.s.t{number}", ObjectType.TABLE) for number in range(250))


def recipient(name: str, **more: object) -> Recipient:
    return replace(Recipient(name, TokenSharing()), **more)  # type: ignore[arg-type]


def share(name: str, *objects: SharedObject, to: str = "") -> Share:
    return Share(name, objects=frozenset(objects), recipients=frozenset(to.split()))


def new(resource: Resource) -> Verdict:
    return Create(resource, Cause.FILE)


def update(before: Resource, after: Resource) -> Update:
    return changed(before, after)


def rename(name: str, old_name: str) -> RenameVerdict:
    return RenameVerdict(recipient(old_name), recipient(name), ())


def told(**verdicts: Verdict) -> Mapping[Key, Verdict]:
    """By name; `r_…` are recipients."""
    return {
        (recipient_key if name.startswith("r_") else share_key)(name, WORKSPACE): verdict
        for name, verdict in verdicts.items()
    }


def said(verdicts: Mapping[Key, Verdict]) -> list[list[str]]:
    return [
        [f"record {key.name}" for key in level.settled]
        + [f"{type(operation.call).__name__} {operation.key.name}" for operation in level.operations]
        for level in levels(verdicts)
    ]


TABLE: list[tuple[str, Mapping[Key, Verdict], list[list[str]]]] = [
    ("nothing to do", told(r_a=Keep(recipient("r_a"))), []),
    (
        "a new pack",
        told(r_a=new(recipient("r_a")), r_b=new(recipient("r_b")), s=new(share("s", T1, to="r_a r_b")),
             t=new(share("t", T2, to="r_a"))),
        [
            ["CreateRecipient r_a", "CreateRecipient r_b", "CreateShare s", "CreateShare t"],
            ["UpdateShare s", "UpdateShare t"],
            ["ChangeGrants s", "ChangeGrants t"],
        ],
    ),
    (
        "objects by the hundred, one after the other",
        told(s=new(share("s", *MANY, to="r_a"))),
        [["CreateShare s"], ["UpdateShare s"], ["UpdateShare s"], ["UpdateShare s"], ["ChangeGrants s"]],
    ),
    (
        "a grant waits for its recipient, however little there is to share",
        told(r_a=new(recipient("r_a", owner="team")), s=new(share("s", to="r_a"))),
        [["CreateRecipient r_a", "CreateShare s"], ["ChangeOwner r_a"], ["ChangeGrants s"]],
    ),
    (
        "access is taken before any is given, and before anything is made",
        told(s=update(share("s", T1, to="r_a r_b"), share("s", T1, to="r_a")), t=Delete(share("t", T1)),
             r_c=new(recipient("r_c")), u=new(share("u", T1))),
        [["ChangeGrants s", "DeleteShare t"], ["CreateRecipient r_c", "CreateShare u"], ["UpdateShare u"]],
    ),
    (
        "who reads is in order before there is more to read, but a share that nobody reads yet does not wait",
        told(r_a=update(recipient("r_a", allowed_ips=frozenset({"1.1.1.1", "2.2.2.2"})),
                        recipient("r_a", allowed_ips=frozenset({"1.1.1.1"}))),
             s=update(share("s", T1, to="r_a"), share("s", T1, T2, to="r_a")), t=new(share("t", T1))),
        [["UpdateRecipient r_a", "CreateShare t"], ["UpdateShare s", "UpdateShare t"]],
    ),
    (
        "a revocation that waits for a recipient of another name waits",
        told(r_b=rename("r_b", "r_a"), s=update(share("s", T1, to="r_b r_c"), share("s", T1, to="r_c"))),
        [["Rename r_b"], ["ChangeGrants s"]],
    ),
    (
        "who goes, goes last",
        told(s=update(share("s", to="r_a r_b"), share("s", to="r_b")), r_b=update(recipient("r_b"),
             recipient("r_b", comment="c")), t=new(share("t", T1)), r_a=Delete(recipient("r_a")),
             r_z=Delete(recipient("r_z"))),
        [["ChangeGrants s"], ["UpdateRecipient r_b", "CreateShare t"], ["UpdateShare t"],
         ["DeleteRecipient r_a", "DeleteRecipient r_z"]],
    ),
    (
        "names are handed on in the order of the plan",
        told(r_a=rename("r_a", "r_b"), r_b=rename("r_b", "r_c"), r_c=new(recipient("r_c"))),
        [["Rename r_a"], ["Rename r_b"], ["CreateRecipient r_c"]],
    ),
    (
        "a metastore is free for another recipient when the first is gone",
        told(r_a=Replace(Recipient("r_a", DatabricksSharing("aws:x:1")), recipient("r_a")),
             r_b=new(Recipient("r_b", DatabricksSharing("aws:x:1"))), s=new(share("s", to="r_b"))),
        [["DeleteRecipient r_a", "CreateShare s"], ["CreateRecipient r_a", "CreateRecipient r_b"], ["ChangeGrants s"]],
    ),
    (
        "what takes no call goes where its call would",
        told(s=Forget(share("s")), r_a=Record(None, recipient("r_a")), t=Record(share("t"), share("t", T1)),
             r_b=Forget(recipient("r_b"))),
        [["record s"], ["record r_a"], ["record t"], ["record r_b"]],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("verdicts", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_is_done_side_by_side(verdicts: Mapping[Key, Verdict], expected: list[list[str]]) -> None:
    assert said(verdicts) == expected


often = settings(
    max_examples=examples(60, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def packs_of(scene: Scene) -> Iterator[Mapping[Key, Verdict]]:
    for pack in in_order(Run(scene, scene.recorded).plan()):
        yield work_of(pack)


def work_of(pack: PackPlan) -> dict[Key, Verdict]:
    return {step.key: step.verdict for step in pack.steps if step.is_work}


def must_wait(earlier: tuple[Verdict, Operation], later: tuple[Verdict, Operation]) -> bool:
    """Of two operations in the order of the plan, said again in other words: what may never be the other way round."""
    (was, first), (verdict, second) = earlier, later
    if first.key == second.key or names(first) & names(second):
        return True
    kinds = first.key.kind, second.key.kind
    if kinds == (Kind.SHARE, Kind.RECIPIENT):
        return (isinstance(second.call, DeleteRecipient) and isinstance(verdict, Delete)) or only_removes_access(was)
    if kinds == (Kind.RECIPIENT, Kind.SHARE):
        return not isinstance(verdict, Create) or isinstance(second.call, ChangeGrants)
    if kinds == (Kind.SHARE, Kind.SHARE):
        return only_removes_access(was) and not only_removes_access(verdict)
    if isinstance(verdict, Delete):
        return not isinstance(was, Delete)
    return isinstance(first.call, DeleteRecipient) and isinstance(second.call, CreateRecipient)


def names(operation: Operation) -> set[Key]:
    call = operation.call
    return {call.key, replace(call.key, name=call.old_name)} if isinstance(call, Rename) else {call.key}


@often
@given(st.one_of(scenes(free=True), disputed_scenes(free=True)))
def test_no_level_turns_round_what_must_wait(scene: Scene) -> None:
    for verdicts in packs_of(scene):
        by_plan = [(verdict, each) for key, verdict in verdicts.items() for each in lower(key, verdict)]
        found = levels(verdicts)
        at = {id(each): number for number, level in enumerate(found) for each in level.operations}
        placed = {(each.key, place): at[id(each)] for key in verdicts for place, each in enumerate(of(found, key))}
        assert [each.call for key in verdicts for each in of(found, key)] == [each.call for _, each in by_plan]
        order = [(each.key, place) for key in verdicts for place, each in enumerate(of(found, key))]
        for later in range(len(by_plan)):
            for earlier in range(later):
                if must_wait(by_plan[earlier], by_plan[later]):
                    assert placed[order[earlier]] < placed[order[later]], (by_plan[earlier], by_plan[later])
        event(f"{len(by_plan)} calls in {len(found)} levels")


def of(found: tuple[Level, ...], key: Key) -> list[Operation]:
    return [each for level in found for each in level.operations if each.key == key]


@often
@given(st.one_of(scenes(), disputed_scenes()), st.randoms(use_true_random=False))
def test_however_the_calls_of_a_level_end_the_next_plan_is_empty(scene: Scene, dice: Random) -> None:
    """The model workspace refuses what Databricks refuses: a grant to nobody, a name that is taken."""
    run = Run(scene, scene.recorded, dice=dice)
    run.carry_out(run.plan())
    run.scene = replace(scene, rotations={})
    run.carry_out(run.plan())
    assert run.stale == []
    assert [step for step in run.plan().steps if step.is_work] == []


def test_names_of_the_table_are_names_of_resources() -> None:
    for _, verdicts, _ in TABLE:
        for key, verdict in verdicts.items():
            after = getattr(verdict, "after", None)
            assert after is None or key_of(after, WORKSPACE) == key
