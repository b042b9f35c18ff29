"""Which edges stand before, after, and both, and which part of them a change is about."""

import pytest

from reconciler.core.access_graph import AccessGraph, Edge, Standing, access_graph, components, concerned
from reconciler.core.changes import Cause, FieldChange, ObjectChanged, ValueSet
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Unknown,
    Update,
    Verdict,
)

T1, T2 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2))
RECIPIENT = Recipient("acme", TokenSharing())
MORE = ObjectChanged(T1, T1, (ValueSet("history", "", "on", Cause.FILE),), T1)
WORDS = ObjectChanged(T1, T1, (ValueSet("comment", "", "x", Cause.FILE),), T1)


def share(*objects: SharedObject, to: str = "acme", name: str = "s") -> Share:
    return Share(name, "", frozenset(objects), frozenset(to.split()))


def update(before: Share, after: Share, *changes: FieldChange) -> Update:
    return Update(before, after, changes, Cause.FILE)


def told(graph: AccessGraph) -> set[str]:
    return {f"{edge.source}>{edge.target} {edge.standing.value}" for edge in (*graph.grants, *graph.contents)}


BOTH = {"acme>s stays", "s>main.s.t1 stays"}


@pytest.mark.parametrize(
    ("verdict", "edges"),
    [
        (Create(share(T1), Cause.FILE), {"acme>s gained", "s>main.s.t1 gained"}),
        (Delete(share(T1)), {"acme>s lost", "s>main.s.t1 lost"}),
        (Keep(share(T1)), BOTH),
        (Record(None, share(T1)), BOTH),
        (Drifted(share(T1), ()), BOTH),
        (Drifted(None, ()), set()),
        (update(share(T1), share(T1)), BOTH),
        (update(share(T1), share(T2)), {"acme>s stays", "s>main.s.t1 lost", "s>main.s.t2 gained"}),
        (update(share(T1), share(T1, to="bolt")), {"acme>s lost", "bolt>s gained", "s>main.s.t1 stays"}),
        (update(share(T1), share(T1), MORE), {"acme>s stays", "s>main.s.t1 otherwise"}),
        (update(share(T1), share(T1), WORDS), BOTH),
        (update(share(T1), Share("s", "new words")), BOTH),
        (Adopt(share(T1), share(T1, to="acme bolt"), ()), BOTH | {"bolt>s gained"}),
        (Rename(share(T1, name="old"), share(T1), ()), BOTH),
        (Create(Share("s"), Cause.FILE), set()),
        (Replace(RECIPIENT, RECIPIENT), set()),
        (Create(RECIPIENT, Cause.FILE), set()),
        (Forget(share(T1)), set()),
        (Release(share(T1)), set()),
        (Conflict("x", "", ""), set()),
        (Unknown("403"), set()),
        (Ignore(), set()),
    ],
)
def test_a_verdict_makes_takes_and_leaves_edges(verdict: Verdict, edges: set[str]) -> None:
    assert told(access_graph([verdict])) == edges


def test_a_renamed_share_is_one_share_that_bore_another_name() -> None:
    graph = access_graph([Rename(share(T1, name="old"), share(T1, T2), ())])
    assert graph.renamed == {"s": "old"}
    assert graph.shares == {"s"}
    assert told(graph) == BOTH | {"s>main.s.t2 gained"}


def test_a_notebook_is_in_no_schema_whatever_it_is_called() -> None:
    notebook = SharedObject("main.s.py", ObjectType.NOTEBOOK_FILE)
    graph = access_graph([update(share(T1), share(T1, notebook))])
    assert graph.files == {"main.s.py"}
    assert concerned(graph) == graph
    assert components(graph) == (graph,)


def test_edges_are_sorted_and_none_is_there_twice() -> None:
    graph = access_graph([Delete(share(T2, T1, to="bolt acme")), Create(share(T1), Cause.FILE)])
    assert [str(edge.source) for edge in graph.grants] == ["acme", "bolt"]
    assert graph.contents == (Edge("s", "main.s.t1", Standing.STAYS), Edge("s", "main.s.t2", Standing.LOST))


def test_what_is_not_managed_makes_no_edge() -> None:
    assert access_graph([Create(Share("s", objects=UNMANAGED, recipients=UNMANAGED), Cause.FILE)]) == AccessGraph()


CHANGED = update(share(T1), share(T1, T2))


@pytest.mark.parametrize(
    ("others", "shares"),
    [
        ([], {"s"}),
        ([Keep(share(T1, to="bolt", name="other"))], {"s"}),
        ([Keep(share(SharedObject("main.s.t9"), name="other"))], {"s"}),
        ([Keep(share(T2, name="other"))], {"s", "other"}),
        ([Create(share(T1, to="", name="unread"), Cause.FILE)], {"s"}),
        ([Create(share(name="empty"), Cause.FILE)], {"s", "empty"}),
        ([Delete(share(T1, name="gone"))], {"s", "gone"}),
    ],
)
def test_a_change_concerns_what_changes_and_other_ways_to_the_same_object(
    others: list[Verdict], shares: set[str]
) -> None:
    assert concerned(access_graph([CHANGED, *others])).shares == shares


def test_nothing_is_concerned_where_nothing_changes() -> None:
    assert concerned(access_graph([Keep(share(T1)), Keep(share(T2, name="other"))])) == AccessGraph()


def test_parts_have_nothing_in_common_and_the_one_that_changes_most_comes_first() -> None:
    graph = access_graph(
        [
            Keep(share(T1, to="acme", name="a")),
            Keep(share(T1, to="bolt", name="b")),
            Keep(share(SharedObject("main.s.t3"), to="bolt", name="c")),
            Create(share(SharedObject("main.x.y"), to="dent", name="z"), Cause.FILE),
        ]
    )
    assert [sorted(part.shares) for part in components(graph)] == [["z"], ["a", "b", "c"]]
    assert set().union(*map(told, components(graph))) == told(graph)


def test_a_recipient_and_an_object_of_the_same_name_connect_nothing() -> None:
    graph = access_graph([Keep(share(SharedObject("acme"), to="bolt", name="a")), Keep(share(T1, name="b"))])
    assert len(components(graph)) == 2
    assert graph.recipients == {"acme", "bolt"}
    assert graph.objects == {"acme", "main.s.t1"}
