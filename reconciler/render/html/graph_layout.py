"""Where recipients, shares and objects stand in a picture of access: three columns, neighbours near each other, objects
under their schema, many that are alike as one. Pure geometry in pixels; draws nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from reconciler.core.access_graph import AccessGraph, Edge, Standing
from reconciler.render.html.graph_objects import Item, items, whole
from reconciler.render.lines import visible, width

#: Of a character of the monospaced font the picture is drawn with.
CHARACTER: Final = 7.55
NODE: Final = 26
_ROW: Final = 32
_HEADING: Final = 28
_PAD: Final = 13
#: For how many are gained and lost, behind the name of a recipient or object.
_NOTE: Final = 66
_GAP: Final = 88
_NARROWEST: Final = 96
#: Characters of a name before its middle is left out; the whole of it is in the words above the picture.
_LONGEST: Final = 34


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    #: What is written in it: the name, or as much of it as fits.
    label: str
    standing: Standing
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + NODE / 2


@dataclass(frozen=True, slots=True)
class Wire:
    standing: Standing
    source: Node
    target: Node


@dataclass(frozen=True, slots=True)
class Heading:
    """The schema of the objects under it."""

    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Picture:
    recipients: tuple[Node, ...]
    shares: tuple[Node, ...]
    objects: tuple[tuple[Item, Node], ...]
    headings: tuple[Heading, ...]
    wires: tuple[Wire, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Column:
    x: float
    width: float


def lay_out(graph: AccessGraph, changed_drawn: int, schemas: frozenset[str]) -> Picture:
    """`changed_drawn` objects that are alike and change are drawn one by one, beyond that as one; `schemas` are the
    names that stand for all of a schema."""
    found = items(graph, changed_drawn, schemas)
    labels = {share: _share_label(share, graph.renamed) for share in graph.shares}
    first, second, third = _columns(
        [shortened(name) for name in graph.recipients],
        [*labels.values()],
        [*(shortened(each.label) for each in found), *(shortened(each.schema) for each in found)],
    )
    objects, headings = _stacked(found, third)
    shares = _share_nodes(graph, labels, objects, second)
    recipients = _recipient_nodes(graph, shares, first)
    wires = [Wire(edge.standing, recipients[edge.source], shares[edge.target]) for edge in graph.grants]
    wires += [Wire(standing, shares[share], node) for item, node in objects for share, standing in item.shares]
    lowest = max(node.y for node in (*recipients.values(), *shares.values(), *(node for _, node in objects)))
    return Picture(
        tuple(recipients.values()),
        tuple(shares.values()),
        tuple(objects),
        tuple(headings),
        tuple(wires),
        third.x + third.width + 2,
        lowest + NODE + 4,
    )


def shortened(name: str) -> str:
    shown = visible(name)
    if len(shown) <= _LONGEST:
        return shown
    half = (_LONGEST - 1) // 2
    return f"{shown[:half]}…{shown[-half:]}"


def _share_label(share: str, renamed: Mapping[str, str]) -> str:
    return f"{shortened(share)} ← {shortened(renamed[share])}" if share in renamed else shortened(share)


def _columns(*labels: Sequence[str]) -> Iterator[_Column]:
    x = 2.0
    for index, column in enumerate(labels):
        widest = max(map(width, column), default=0)
        wide = max(_NARROWEST, widest * CHARACTER + 2 * _PAD) + (0 if index == 1 else _NOTE)
        yield _Column(x, wide)
        x += wide + _GAP


def _stacked(found: Sequence[Item], column: _Column) -> tuple[list[tuple[Item, Node]], list[Heading]]:
    """One below the other, under the name of their schema where they have one."""
    y = 2.0
    nodes: list[tuple[Item, Node]] = []
    headings: list[Heading] = []
    schema = ""
    for item in found:
        if item.schema != schema:
            schema = item.schema
            y += 8 if nodes else 0
            headings.append(Heading(shortened(schema), column.x, y + _HEADING / 2))
            y += _HEADING
        nodes.append((item, Node(item.name, shortened(item.label), item.standing, column.x, y, column.width)))
        y += _ROW
    return nodes, headings


def _share_nodes(
    graph: AccessGraph, labels: Mapping[str, str], objects: Sequence[tuple[Item, Node]], column: _Column
) -> dict[str, Node]:
    heights: dict[str, list[float]] = {share: [] for share in graph.shares}
    for item, node in objects:
        for share, _ in item.shares:
            heights[share].append(node.y)
    standings = _standings((edge.target, edge) for edge in graph.grants)
    return {
        share: Node(share, labels[share], standings.get(share, Standing.STAYS), column.x, y, column.width)
        for share, y in _apart(heights)
    }


def _recipient_nodes(graph: AccessGraph, shares: Mapping[str, Node], column: _Column) -> dict[str, Node]:
    heights: dict[str, list[float]] = {recipient: [] for recipient in graph.recipients}
    for edge in graph.grants:
        heights[edge.source].append(shares[edge.target].y)
    standings = _standings((edge.source, edge) for edge in graph.grants)
    return {
        recipient: Node(recipient, shortened(recipient), standings[recipient], column.x, y, column.width)
        for recipient, y in _apart(heights)
    }


def _standings(edges: Iterable[tuple[str, Edge]]) -> dict[str, Standing]:
    found: dict[str, set[Standing]] = {}
    for name, edge in edges:
        found.setdefault(name, set()).add(edge.standing)
    return {name: whole(standings) for name, standings in found.items()}


def _apart(heights: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
    """Each as near to the middle of its neighbours as the room between them allows."""
    wanted = sorted((fmean(each) if each else 2.0, name) for name, each in heights.items())
    placed: list[float] = []
    for height, _ in wanted:
        placed.append(max(height, placed[-1] + _ROW) if placed else height)
    excess = fmean(y - height for y, (height, _) in zip(placed, wanted, strict=True)) if placed else 0.0
    shift = min(excess, placed[0] - 2.0) if placed else 0.0
    return [(name, y - shift) for y, (_, name) in zip(placed, wanted, strict=True)]
