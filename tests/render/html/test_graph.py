"""How access is drawn: nothing covers anything, every edge is told by more than colour, and many alike become one."""

import pytest

from reconciler.core.access_graph import AccessGraph, Edge, Standing, access_graph, components
from reconciler.core.changes import Cause
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Create, Rename
from reconciler.render.html import plan_page
from reconciler.render.html.graph_layout import NODE, Node, Picture, lay_out, shortened
from reconciler.render.html.graph_objects import items
from tests.render.html.pages import many, ordinary, wide
from tests.render.html.parsed import Element, parse
from tests.render.plans import PARTNER, SALES, Scene, plan_of

NO_SCHEMAS: frozenset[str] = frozenset()


def graph_of(*shares: Share) -> AccessGraph:
    return access_graph(Create(share, Cause.FILE) for share in shares)


def share(name: str, readers: str, *objects: str) -> Share:
    return Share(
        name, "", frozenset(SharedObject(each, ObjectType.TABLE) for each in objects), frozenset(readers.split())
    )


def nodes(picture: Picture) -> list[Node]:
    return [*picture.recipients, *picture.shares, *(node for _, node in picture.objects)]


GRAPHS = {
    "one": graph_of(share("s", "a", "c.s.t")),
    "no objects": graph_of(share("s", "a b c d e")),
    "crossing": graph_of(share("s", "a b c", "c.s.t", "c.s.u", "d.s.t"), share("t", "a d", "c.s.u", "e.s.t", "f")),
    "many readers": graph_of(share("s", " ".join(f"r{n}" for n in range(40)), "c.s.t")),
    "many shares": graph_of(*(share(f"s{n}", "a", "c.s.t") for n in range(30))),
    "long names": graph_of(share("s" * 200, "a" * 200, f"c.s.{'t' * 200}", "x" * 200)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_no_two_nodes_overlap_and_all_are_in_the_picture(name: str) -> None:
    (graph,) = components(GRAPHS[name])
    picture = lay_out(graph, 100, NO_SCHEMAS)
    found = nodes(picture)
    assert len(found) == len(graph.recipients) + len(graph.shares) + len(graph.objects)
    for index, one in enumerate(found):
        assert one.x >= 0
        assert one.y >= 0
        assert one.x + one.width <= picture.width
        assert one.y + NODE <= picture.height
        for other in found[index + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or abs(one.y - other.y) >= NODE, (one.name, other.name)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_edge_is_drawn_once(name: str) -> None:
    (graph,) = components(GRAPHS[name])
    wires = [(wire.source.name, wire.target.name) for wire in lay_out(graph, 100, NO_SCHEMAS).wires]
    assert sorted(wires) == sorted((edge.source, edge.target) for edge in (*graph.grants, *graph.contents))


def test_what_stays_alike_is_drawn_as_one_and_what_changes_is_not() -> None:
    edges = [Edge("s", f"c.s.t{n}", Standing.STAYS) for n in range(5)]
    edges += [Edge("s", f"c.s.u{n}", Standing.GAINED) for n in range(5)]
    graph = AccessGraph((Edge("a", "s", Standing.STAYS),), tuple(edges))
    assert [item.label for item in items(graph, 5, NO_SCHEMAS)] == ["u0", "u1", "u2", "u3", "u4", "5 objects"]
    assert [item.label for item in items(graph, 4, NO_SCHEMAS)] == ["5 objects", "5 objects"]
    assert {item.standing for item in items(graph, 4, NO_SCHEMAS)} == {Standing.GAINED, Standing.STAYS}


def test_objects_stand_under_their_schema_and_a_whole_schema_says_so() -> None:
    graph = AccessGraph(
        (Edge("a", "s", Standing.STAYS),),
        tuple(Edge("s", name, Standing.GAINED) for name in ("c.s", "c.s.t", "guide.py")),
        files=frozenset({"guide.py"}),
    )
    found = {item.name: (item.schema, item.label) for item in items(graph, 10, frozenset({"c.s"}))}
    assert found == {"c.s": ("c", "s (all of the schema)"), "c.s.t": ("c.s", "t"), "guide.py": ("", "guide.py")}
    assert [heading.label for heading in lay_out(graph, 10, NO_SCHEMAS).headings] == ["c", "c.s"]


def test_a_node_is_gained_or_lost_when_all_its_edges_are() -> None:
    graph = AccessGraph(
        (Edge("a", "s", Standing.GAINED), Edge("b", "s", Standing.LOST), Edge("b", "t", Standing.STAYS)),
        (Edge("s", "c.s.t", Standing.LOST), Edge("t", "c.s.t", Standing.LOST), Edge("t", "c.s.u", Standing.OTHERWISE)),
    )
    standings = {node.name: node.standing for node in nodes(lay_out(graph, 10, NO_SCHEMAS))}
    assert standings == {
        "a": Standing.GAINED,
        "b": Standing.STAYS,
        "s": Standing.STAYS,
        "t": Standing.STAYS,
        "c.s.t": Standing.LOST,
        "c.s.u": Standing.OTHERWISE,
    }


def test_a_renamed_share_bears_both_names() -> None:
    before, after = share("old", "a", "c.s.t"), share("new", "a", "c.s.t")
    picture = lay_out(access_graph([Rename(before, after, ())]), 10, NO_SCHEMAS)
    assert [node.label for node in picture.shares] == ["new ← old"]


def test_a_long_name_loses_its_middle_and_an_invisible_character_is_shown() -> None:
    assert shortened("short") == "short"
    assert shortened("a" * 30 + "b" * 30) == "a" * 16 + "…" + "b" * 16
    assert shortened("a\u202eb") == "a\\u202eb"


def drawn(elements: list[Element], tag: str, kind: str) -> list[Element]:
    return [
        each
        for each in elements
        if each.tag == tag and kind in each.classes and "fieldset" not in each.inside and "ul" not in each.inside
    ]


def test_what_is_gained_and_lost_bears_a_sign_besides_its_colour() -> None:
    elements = parse(plan_page(ordinary()))
    wires = drawn(elements, "path", "wire")
    changed = [each for each in wires if not {"stays"} & each.classes]
    marks = drawn(elements, "g", "mark")
    assert len(marks) == len(changed) == 7
    assert {(next(iter(each.classes - {"mark"})), each.text) for each in marks} == {("gained", "+"), ("lost", "-")}


def test_a_picture_counts_what_each_gains_and_loses() -> None:
    elements = parse(plan_page(ordinary()))
    told = {each.text for each in drawn(elements, "g", "node")}
    assert told >= {"auditor-3", "emea-lake+5", "sales-analyst+3 -1"}
    assert told >= {"prod_catalog.audit.journaljournal+2 -1", "prod_catalog.sales.returnsreturns+2"}


def test_a_wide_plan_draws_every_object_that_changes() -> None:
    elements = parse(plan_page(wide()))
    objects = drawn(elements, "g", "object")
    single = [each for each in objects if "bundle" not in each.classes]
    assert len(single) == 22
    assert [each.text for each in objects if "bundle" in each.classes] == ["15 objects", "15 objects", "14 objects"]


def test_parts_that_have_nothing_in_common_are_pictures_of_their_own() -> None:
    elements = parse(plan_page(many(packs=20, tables=3)))
    pictures = [each for each in elements if each.tag == "svg" and each.attributes.get("role") == "img"]
    assert len(pictures) == 13
    folded = [each for each in elements if each.tag == "details" and "recipients" in each.text]
    assert [("open" in each.attributes) for each in folded][:13] == [True] * 6 + [False] * 7


def test_shares_that_are_not_drawn_are_counted() -> None:
    unread, kept = share("unread", "", "c.s.x"), share("kept", "sales-analyst", "c.s.t")
    told = "is not drawn: nothing in it changes, or nobody reads it."
    assert f"1 other share {told}" in plan_page(plan_of(Scene([PARTNER, SALES, kept], [kept], [kept])))
    both = plan_of(Scene([PARTNER, SALES, kept, unread], [kept], [kept]))
    assert "2 other shares are not drawn" in plan_page(both)
