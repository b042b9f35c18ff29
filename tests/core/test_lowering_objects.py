"""The objects of a share, lowered: in which calls they go, change and come, and how many calls there are."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.core.actual import Absent, Found
from reconciler.core.calls import (
    OBJECT_UPDATES_PER_CALL,
    UpdateShare,
)
from reconciler.core.changes import Cause, field_changes
from reconciler.core.lowering import lower, managed_like
from reconciler.core.managed import UNMANAGED
from reconciler.core.resolve import resolve
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from reconciler.core.verdict import Update
from tests.core.lowered import KEY, calls, changed, share
from tests.core.model_objects import alias_of
from tests.core.scenes import OBJECT_SETS, one_of
from tests.core.worlds import GenerousCatalog, as_actual, workspace_of
from tests.drawing import examples

T1, T2 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2))
EMEA = frozenset({frozenset({Condition("region", value="EMEA")})})


AS = {alias: replace(T1, shared_as=f"x.{alias}") for alias in ("a", "b", "c")}
FOUND_T1 = replace(T1, shared_as="s.t1")


def object_calls(before: Share, after: Share) -> list[tuple[list[str], list[str], list[str]]]:
    """Per call, what goes, changes and comes, each as its alias."""
    found = calls(before, after)
    assert all(isinstance(call, UpdateShare) for call in found)
    return [
        tuple([str(item.shared_as) for item in items] for items in (call.remove, call.change, call.add))  # type: ignore[misc]
        for call in found
        if isinstance(call, UpdateShare)
    ]


def test_an_alias_changes_in_two_calls_because_one_would_be_a_duplicate() -> None:
    assert object_calls(share(AS["a"]), share(AS["b"])) == [(["x.a"], [], []), ([], [], ["x.b"])]


def test_two_aliases_of_one_table_are_never_in_one_call() -> None:
    assert object_calls(share(), share(AS["a"], AS["b"])) == [([], [], ["x.a"]), ([], [], ["x.b"])]
    assert object_calls(share(AS["a"], AS["b"]), share()) == [(["x.a"], [], []), (["x.b"], [], [])]
    both = share(*(replace(AS[each], comment="x") for each in ("a", "b")))
    assert object_calls(share(AS["a"], AS["b"]), both) == [([], ["x.a"], []), ([], ["x.b"], [])]


def test_an_alias_that_passes_to_another_table_is_free_before_it_is_taken() -> None:
    other = replace(T2, shared_as="x.a")
    assert object_calls(share(AS["a"]), share(other)) == [(["x.a"], [], []), ([], [], ["x.a"])]
    swapped = share(replace(T1, shared_as="x.b"), replace(T2, shared_as="x.a"))
    assert object_calls(share(AS["a"], replace(T2, shared_as="x.b")), swapped) == [
        (["x.a", "x.b"], [], []),
        ([], [], ["x.b", "x.a"]),
    ]


def test_everything_that_goes_goes_before_anything_comes() -> None:
    found = calls(share(AS["a"], AS["b"]), share(T2, AS["c"]))
    assert found == [
        UpdateShare(KEY, remove=(replace(AS["a"], **told_of(AS["a"])),)),
        UpdateShare(KEY, remove=(replace(AS["b"], **told_of(AS["b"])),), add=(T2,)),
        UpdateShare(KEY, add=(AS["c"],)),
    ]


def told_of(item: SharedObject) -> dict[str, Any]:
    """What the server says of it besides: it travels with a removal."""
    there = as_actual(share(item))
    assert isinstance(there, Share)
    assert isinstance(there.objects, frozenset)
    (found,) = there.objects
    names = ("comment", "partitions", "history", "cdf", "start_version")
    return {name: getattr(found, name) for name in names}


def test_a_table_that_becomes_a_view_goes_and_comes() -> None:
    view = replace(T1, type=ObjectType.VIEW)
    assert [(bool(call.remove), bool(call.add)) for call in calls(share(T1), share(view))] == [  # type: ignore[union-attr]
        (True, False),
        (False, True),
    ]


def test_an_update_repeats_the_alias_and_sends_nothing_else_that_stays() -> None:
    before = replace(T1, comment="a", partitions=EMEA, start_version=3)
    assert calls(share(before), share(replace(before, comment="b"))) == [
        UpdateShare(KEY, change=(SharedObject("main.s.t1", ObjectType.TABLE, "s.t1", "b"),))
    ]


def test_partitions_are_cleared_by_going_and_coming_with_everything_else_as_it_is() -> None:
    there = replace(T1, comment="theirs", partitions=EMEA, history=True, start_version=3)
    wanted = replace(T1, partitions=frozenset())
    found = calls(share(there), share(wanted))
    assert found == [
        UpdateShare(KEY, remove=(FOUND_T1,)),
        UpdateShare(
            KEY,
            add=(
                replace(FOUND_T1, comment="theirs", partitions=frozenset(), history=True, cdf=False, start_version=3),
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        ({"history": True}, {"history": False, "cdf": True}, [("history", False), ("cdf", True)]),
        ({"history": True}, {"history": False, "cdf": False}, [("history", False), ("cdf", False)]),
        ({"history": True}, {"cdf": False}, [("history", False), ("cdf", False)]),
        ({"cdf": True}, {"history": True}, [("history", True)]),
        ({"cdf": True}, {"cdf": False}, [("cdf", False)]),
        ({"history": False}, {"cdf": True}, [("cdf", True)]),
        ({"history": True}, {"cdf": True}, []),
    ],
)
def test_history_and_change_feed_are_never_in_one_update(
    before: dict[str, bool], after: dict[str, bool], sent: list[tuple[str, bool]]
) -> None:
    was, becomes = replace(T1, **before), replace(T1, **after)  # type: ignore[arg-type]
    found = [call for call in calls(share(was), share(becomes)) if isinstance(call, UpdateShare)]
    flags = [
        (name, getattr(item, name))
        for call in found
        for item in call.change
        for name in ("history", "cdf")
        if getattr(item, name) is not UNMANAGED
    ]
    assert flags == sent
    assert len(found) == len(sent)


def test_a_notebook_is_sent_again_when_its_file_changed() -> None:
    one, two = (NotebookContent(digit * 64, digit.encode()) for digit in "12")
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=one)
    assert calls(share(notebook), share(notebook)) == []
    (update,) = calls(share(notebook), share(replace(notebook, content=two)))
    assert update == UpdateShare(KEY, change=(SharedObject("n", ObjectType.NOTEBOOK_FILE, "n", content=two),))


def tables(count: int, kind: ObjectType = ObjectType.TABLE, start: int = 0) -> frozenset[SharedObject]:
    return frozenset(SharedObject(f"main.a.t{n:04}", kind) for n in range(start, start + count))


@given(st.integers(0, 450), st.integers(0, 450), st.sampled_from([ObjectType.TABLE, ObjectType.VIEW]))
@settings(max_examples=40, deadline=None)
def test_no_call_holds_more_than_a_hundred_object_updates(before: int, after: int, kind: ObjectType) -> None:
    found = calls(Share("s", objects=tables(before)), Share("s", objects=tables(after, kind)))
    for call in found:
        assert isinstance(call, UpdateShare)
        assert 0 < len(call.add) + len(call.remove) + len(call.change) <= OBJECT_UPDATES_PER_CALL


def test_as_few_calls_as_there_can_be() -> None:
    assert len(calls(Share("s", objects=frozenset()), Share("s", objects=tables(1050)))) == 11
    assert len(calls(Share("s", objects=tables(1050)), Share("s", objects=tables(1050, start=1050)))) == 21
    assert len(calls(Share("s", objects=tables(100)), Share("s", objects=tables(100, ObjectType.VIEW)))) == 2


def test_after_a_failure_in_the_third_chunk_the_rest_is_done() -> None:
    whole = Share("s", objects=tables(1050))
    workspace = workspace_of(Share("s", objects=frozenset()))
    operations = lower(KEY, changed(Share("s", objects=frozenset()), whole))
    for operation in operations[:2]:
        workspace.perform(operation.call)
    recorded = operations[1].after
    assert isinstance(recorded, Share)
    assert recorded.objects == tables(200)
    rest = lower(
        KEY, Update(workspace.told(KEY), whole, field_changes(whole, recorded, workspace.told(KEY)), Cause.FILE)
    )
    for operation in rest:
        workspace.perform(operation.call)
    assert managed_like(whole, workspace.told(KEY)) == whole
    assert sum(len(call.add) for call in workspace.calls if isinstance(call, UpdateShare)) == 1050


@given(one_of(OBJECT_SETS), one_of(OBJECT_SETS))
@settings(max_examples=examples(60, 300), deadline=None)
def test_no_source_and_no_alias_is_twice_in_one_call(
    before: frozenset[SharedObject], after: frozenset[SharedObject]
) -> None:
    there = resolve(Share("s", objects=before), Absent(), GenerousCatalog()).share
    wanted = resolve(Share("s", objects=after), Found(as_actual(there)), GenerousCatalog())
    assume(not wanted.unfit)
    for call in calls(there, wanted.share):
        assert isinstance(call, UpdateShare)
        sent = [*call.remove, *call.change, *call.add]
        assert len({item.name for item in sent}) == len(sent)
        assert len({(item.type, alias_of(item)) for item in sent}) == len(sent)
