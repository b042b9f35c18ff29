"""Which actual object a desired one is: by source, kind of name, type and alias, never by its options."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.changes import _attribute_changes, _is_surely_kept
from reconciler.core.managed import UNMANAGED
from reconciler.core.objects import (
    Paired,
    _paired_in_groups,
    bare,
    objects_like,
    overlaid,
    pair,
    reduced,
    resends_content,
)
from reconciler.core.share import Condition, NotebookContent, ObjectType, SharedObject
from tests.core.model_objects import as_found

T = SharedObject("main.s.t", ObjectType.TABLE)
AS_A, AS_B = replace(T, shared_as="x.a"), replace(T, shared_as="x.b")
VIEW, VOLUME = replace(T, type=ObjectType.VIEW), replace(T, type=ObjectType.VOLUME)
LOOSE = SharedObject("main.s.t")


@pytest.mark.parametrize(
    ("desired", "actual", "expected"),
    [
        pytest.param([T], [AS_A], Paired(((T, AS_A),), (), ()), id="an alias nobody manages is the server's"),
        pytest.param([AS_A], [AS_B], Paired((), (AS_A,), (AS_B,)), id="another alias is another object"),
        pytest.param(
            [AS_A, AS_B], [AS_B, AS_A], Paired(((AS_A, AS_A), (AS_B, AS_B)), (), ()), id="one table under two aliases"
        ),
        pytest.param(
            [T, AS_B], [AS_B, AS_A], Paired(((T, AS_A), (AS_B, AS_B)), (), ()), id="those with an alias choose first"
        ),
        pytest.param([AS_A], [AS_A, AS_B], Paired(((AS_A, AS_A),), (), (AS_B,)), id="the second alias goes"),
        pytest.param([VIEW], [T], Paired((), (VIEW,), (T,)), id="another type is another object"),
        pytest.param([LOOSE], [VIEW], Paired(((LOOSE, VIEW),), (), ()), id="no type takes what is table-like"),
        pytest.param([LOOSE], [VOLUME], Paired((), (LOOSE,), (VOLUME,)), id="no type does not take a volume"),
        pytest.param([T, VOLUME], [VOLUME], Paired(((VOLUME, VOLUME),), (T,), ()), id="a table beside a volume"),
        pytest.param(
            [replace(T, comment="new", history=True)],
            [as_found(T)],
            Paired(((replace(T, comment="new", history=True), as_found(T)),), (), ()),
            id="options tell nothing apart",
        ),
        pytest.param([], [], Paired((), (), ()), id="nothing"),
    ],
)
def test_pairs(desired: list[SharedObject], actual: list[SharedObject], expected: Paired) -> None:
    assert pair(desired, actual) == expected
    assert pair(reversed(desired), reversed(actual)) == expected


def test_the_record_says_of_an_object_what_its_pattern_manages_and_never_its_content() -> None:
    found = as_found(replace(T, comment="c", history=True, start_version=3))
    assert reduced(replace(T, history=False), found) == replace(T, history=True)
    assert reduced(replace(T, comment="", start_version=0), found) == replace(T, comment="c", start_version=3)
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64))
    assert reduced(notebook, notebook).content is UNMANAGED
    assert objects_like([replace(T, comment="")], [found, AS_B]) == {replace(T, comment="c"), bare(AS_B)}


def test_an_object_that_comes_again_keeps_what_nobody_manages() -> None:
    emea = frozenset({frozenset({Condition("region", value="EMEA")})})
    found = SharedObject("main.s.t", ObjectType.TABLE, "x.a", "note", emea, history=True, cdf=False, start_version=4)
    assert overlaid(replace(T, partitions=frozenset()), found) == replace(found, partitions=frozenset())
    assert overlaid(replace(T, comment=""), found) == replace(found, comment="")


def test_history_does_not_come_again_without_the_change_feed_it_includes() -> None:
    found = as_found(replace(T, history=True))
    again = overlaid(replace(T, partitions=frozenset(), cdf=False), found)
    assert (again.history, again.cdf) == (UNMANAGED, False)


@pytest.mark.parametrize(
    ("recorded", "is_sent"),
    [(None, True), (UNMANAGED, True), (NotebookContent("1" * 64, b"x"), False), (NotebookContent("2" * 64), True)],
)
def test_a_notebook_is_sent_again_unless_the_record_has_its_digest(recorded: object, is_sent: bool) -> None:
    wanted = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64, b"one"))
    last = None if recorded is None else replace(wanted, content=recorded)  # type: ignore[arg-type]
    assert resends_content(wanted, last) is is_sent


_PARTS = frozenset({frozenset({Condition("region", value="EMEA")})})
_OBJECTS = st.builds(
    SharedObject,
    st.sampled_from(["main.s.t", "main.s.u", "main.s.v"]),
    st.sampled_from([UNMANAGED, ObjectType.TABLE, ObjectType.VIEW, ObjectType.VOLUME]),
    st.sampled_from([UNMANAGED, "x.a", "x.b"]),
    st.sampled_from([UNMANAGED, "", "note"]),
    st.sampled_from([UNMANAGED, frozenset(), _PARTS]),
    *[st.sampled_from([UNMANAGED, False, True])] * 2,
    st.sampled_from([UNMANAGED, 0, 3]),
    st.sampled_from([UNMANAGED, NotebookContent("1" * 64)]),
)
_ONE_OF_A_NAME = st.lists(_OBJECTS, unique_by=lambda item: item.name)


@given(_ONE_OF_A_NAME, _ONE_OF_A_NAME)
def test_where_no_name_comes_twice_the_pairs_are_those_of_the_long_way(
    desired: list[SharedObject], actual: list[SharedObject]
) -> None:
    assert pair(desired, actual) == _paired_in_groups(desired, actual)


@given(_OBJECTS, st.none() | _OBJECTS, _OBJECTS)
def test_of_what_is_surely_kept_nothing_changes_whatever_is_on_record(
    desired: SharedObject, recorded: SharedObject | None, actual: SharedObject
) -> None:
    assert not (_is_surely_kept(desired, actual) and list(_attribute_changes(desired, recorded, actual)))


def test_an_object_as_it_should_be_is_surely_kept() -> None:
    found = as_found(replace(T, comment="c", partitions=_PARTS, start_version=3))
    assert _is_surely_kept(T, found)
    assert _is_surely_kept(found, found)


@given(_OBJECTS, st.sampled_from([UNMANAGED, ObjectType.VIEW]))
def test_an_object_of_another_type_is_the_same_in_everything_else(item: SharedObject, kind: ObjectType) -> None:
    assert item.of_type(kind) == replace(item, type=kind)
    assert len(fields(SharedObject)) == 9, "`of_type` names them all, and so does `_OBJECTS`"
