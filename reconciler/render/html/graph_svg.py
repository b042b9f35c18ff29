"""A picture of access as SVG. What is gained, lost or shared otherwise is told by the line (solid, dashed, dotted) and
by a sign on it as well as by colour. Every element carries its standing as a class: the style hides by it what was not
there before, or will not be there after."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from reconciler.core.access import AccessChange
from reconciler.core.access_graph import AccessGraph, Standing
from reconciler.render.html.graph_layout import NODE, Node, Picture, Wire
from reconciler.render.html.graph_objects import Item
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag

#: By name, how many objects a recipient gains and loses, or how many recipients an object.
Counts: TypeAlias = Mapping[str, tuple[int, int]]

_TOP: Final = 30
#: Beyond these the picture is scrolled, or has room around it: its words stay legible, and no larger than the page's.
_SMALLEST: Final = 0.85
_LARGEST: Final = 1.2
_SIGNS: Final = {Standing.GAINED: "+", Standing.LOST: "-", Standing.OTHERWISE: "~"}
#: Where on a line its sign sits: nearer to the recipient, or to the object, and where lines have parted already.
_AT_SOURCE: Final = 0.38
_AT_TARGET: Final = 0.76


def counts(changes: Iterable[AccessChange]) -> tuple[Counts, Counts]:
    """By recipient, and by object."""
    recipients: dict[str, tuple[int, int]] = {}
    objects: dict[str, tuple[int, int]] = {}
    for change in changes:
        recipients[change.recipient] = (len(change.gains), len(change.loses))
        for name in change.gains:
            gained, lost = objects.get(name, (0, 0))
            objects[name] = (gained + 1, lost)
        for name in change.loses:
            gained, lost = objects.get(name, (0, 0))
            objects[name] = (gained, lost + 1)
    return recipients, objects


def drawing(picture: Picture, graph: AccessGraph, by_recipient: Counts, by_object: Counts) -> Markup:
    high = picture.height + _TOP
    shares = frozenset(node.name for node in picture.shares)
    return tag(
        "svg",
        *_titles(picture),
        tag(
            "g",
            joined((_wire(each, shares) for each in picture.wires), "\n"),
            *(_heading(each.label, each.x, each.y) for each in picture.headings),
            joined((_node(each, "recipient", by_recipient) for each in picture.recipients), "\n"),
            joined((_node(each, "share", {}) for each in picture.shares), "\n"),
            joined((_object(item, node, by_object) for item, node in picture.objects), "\n"),
            transform=f"translate(0 {_TOP})",
        ),
        viewBox=f"0 0 {picture.width:.0f} {high:.0f}",
        style=f"min-width:{picture.width * _SMALLEST:.0f}px;max-width:{picture.width * _LARGEST:.0f}px",
        role="img",
        aria_label=f"{counted_nodes(graph)}: who reads what through which share",
    )


def counted_nodes(graph: AccessGraph) -> str:
    sizes = ((graph.recipients, "recipient"), (graph.shares, "share"), (graph.objects, "data object"))
    return ", ".join(f"{len(names):,} {noun}{'s'[: len(names) != 1]}" for names, noun in sizes)


def sample(standing: Standing) -> Markup:
    """A line for the legend."""
    sign = _sign(standing, 22, 8)
    path = tag("path", d="M2 8H42", class_=f"wire {standing.value}")
    return tag("svg", path, sign, viewBox="0 0 44 16", width=44, height=16, aria_hidden="true")


def _titles(picture: Picture) -> Iterator[Markup]:
    named = (
        ("recipients", "+ - objects", picture.recipients),
        ("shares", "", picture.shares),
        ("data objects", "+ - readers", tuple(node for _, node in picture.objects)),
    )
    for words, counted, nodes in named:
        if nodes:
            left, right = nodes[0].x, nodes[0].x + nodes[0].width
            yield tag("text", words, x=f"{left:.0f}", y=14, class_="column")
            yield tag("text", counted, x=f"{right - 10:.0f}", y=14, text_anchor="end", class_="column count")


def _wire(wire: Wire, shares: frozenset[str]) -> Markup:
    start, end = wire.source.x + wire.source.width, wire.target.x
    bend = (end - start) * 0.5
    first, last = wire.source.middle, wire.target.middle
    path = tag(
        "path",
        d=f"M{start:.0f} {first:.0f}C{start + bend:.0f} {first:.0f} {end - bend:.0f} {last:.0f} {end:.0f} {last:.0f}",
        class_=f"wire {wire.standing.value}",
    )
    at = _AT_TARGET if wire.source.name in shares else _AT_SOURCE
    along = start + (end - start) * (1.5 * at - 1.5 * at**2 + at**3)
    across = first + (last - first) * (3 * at**2 - 2 * at**3)
    return joined([path, _sign(wire.standing, along, across)])


def _sign(standing: Standing, x: float, y: float) -> Markup:
    if standing not in _SIGNS:
        return NOTHING
    circle = tag("circle", cx=f"{x:.0f}", cy=f"{y:.0f}", r=7)
    return tag(
        "g", circle, tag("text", _SIGNS[standing], x=f"{x:.0f}", y=f"{y + 4:.0f}"), class_=f"mark {standing.value}"
    )


def _object(item: Item, node: Node, found: Counts) -> Markup:
    return _node(node, "object" if item.name else "object bundle", found)


def _node(node: Node, kind: str, found: Counts) -> Markup:
    gained, lost = found.get(node.name, (0, 0))
    return tag(
        "g",
        tag("title", node.name) if node.name and node.name != node.label else NOTHING,
        tag("rect", x=f"{node.x:.0f}", y=f"{node.y:.0f}", width=f"{node.width:.0f}", height=NODE, rx=6),
        tag("text", node.label, x=f"{node.x + 11:.0f}", y=f"{node.middle + 4:.0f}"),
        _note(node, gained, lost),
        class_=f"node {kind} {node.standing.value}",
    )


def _note(node: Node, gained: int, lost: int) -> Content:
    parts = [
        *([tag("tspan", f"+{gained:,}", class_="add")] if gained else []),
        *([tag("tspan", f"-{lost:,}", class_="remove")] if lost else []),
    ]
    if not parts:
        return NOTHING
    return tag(
        "text",
        joined(parts, " "),
        x=f"{node.x + node.width - 10:.0f}",
        y=f"{node.middle + 4:.0f}",
        text_anchor="end",
        class_="count",
    )


def _heading(label: str, x: float, y: float) -> Markup:
    return tag("text", label, x=f"{x:.0f}", y=f"{y + 6:.0f}", class_="schema")
