"""Who reads what through which share, before and after: what a picture of access is drawn from. Decides which part of
it a reviewer needs to see, not how it looks."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.core.access import share_states
from reconciler.core.changes import ObjectChanged
from reconciler.core.managed import UNMANAGED
from reconciler.core.severity import Effect, change_effect
from reconciler.core.share import ObjectType, Share
from reconciler.core.verdict import Adopt, Rename, Update, Verdict


class Standing(Enum):
    STAYS = "stays"
    GAINED = "gained"
    LOST = "lost"
    #: An object that stays in a share, of which more, less or another part is shared.
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Edge:
    """From a recipient to a share that is granted to it, or from a share to an object in it."""

    source: str
    target: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class AccessGraph:
    """Of one workspace. Edges are sorted, none is there twice."""

    grants: tuple[Edge, ...] = ()
    contents: tuple[Edge, ...] = ()
    #: Names that shares had before, by the name they have now.
    renamed: Mapping[str, str] = field(default_factory=dict)
    #: Objects that are in no schema, whatever their names look like.
    files: frozenset[str] = frozenset()

    @property
    def recipients(self) -> frozenset[str]:
        return frozenset(edge.source for edge in self.grants)

    @property
    def shares(self) -> frozenset[str]:
        return frozenset([*(edge.target for edge in self.grants), *(edge.source for edge in self.contents)])

    @property
    def objects(self) -> frozenset[str]:
        return frozenset(edge.target for edge in self.contents)


def access_graph(verdicts: Iterable[Verdict]) -> AccessGraph:
    """Of verdicts that are carried out, all of one workspace."""
    before, after = _Side(), _Side()
    otherwise: set[tuple[str, str]] = set()
    renamed: dict[str, str] = {}
    for verdict in verdicts:
        was, becomes = share_states(verdict)
        if isinstance(verdict, Rename) and was and becomes:
            renamed[verdict.after.name] = verdict.before.name
        for share in was:
            before.add(share, becomes[0].name if becomes else share.name)
        for share in becomes:
            after.add(share, share.name)
        otherwise |= set(_shared_otherwise(verdict))
    return AccessGraph(
        _edges(before.grants, after.grants, frozenset()),
        _edges(before.contents, after.contents, otherwise),
        renamed,
        frozenset(before.files | after.files),
    )


def concerned(graph: AccessGraph) -> AccessGraph:
    """What a change is about: every share that somebody reads or read and in which something changes, and those that
    give a reader of it one of its objects as well. The rest stays as it is and is left out."""
    changing = _changing(graph)
    paths = _paths(graph)
    reached = {(recipient, item) for recipient, share, item in paths if share in changing}
    also = {share for recipient, share, item in paths if (recipient, item) in reached}
    return _only(graph, changing | also)


def components(graph: AccessGraph) -> tuple[AccessGraph, ...]:
    """Parts that have no recipient, share or object in common, those that change most first."""
    parts = [_only(graph, shares) for shares in _connected(graph)]
    return tuple(sorted(parts, key=lambda part: (-_weight(part), min(part.shares))))


class _Side:
    """The edges before, or those after."""

    def __init__(self) -> None:
        self.grants: set[tuple[str, str]] = set()
        self.contents: set[tuple[str, str]] = set()
        self.files: set[str] = set()

    def add(self, share: Share, name: str) -> None:
        if share.recipients is not UNMANAGED:
            self.grants.update((recipient, name) for recipient in share.recipients)
        if share.objects is not UNMANAGED:
            self.contents.update((name, item.name) for item in share.objects)
            self.files.update(item.name for item in share.objects if item.type is ObjectType.NOTEBOOK_FILE)


def _shared_otherwise(verdict: Verdict) -> Iterator[tuple[str, str]]:
    match verdict:
        case (
            Update(_, Share() as after, changes)
            | Adopt(_, Share() as after, changes)
            | Rename(_, Share() as after, changes)
        ):
            for change in changes:
                if isinstance(change, ObjectChanged) and change_effect(change) > Effect.METADATA:
                    yield after.name, change.after.name
        case _:
            return


def _edges(
    before: Collection[tuple[str, str]], after: Collection[tuple[str, str]], otherwise: Collection[tuple[str, str]]
) -> tuple[Edge, ...]:
    def standing(pair: tuple[str, str]) -> Standing:
        if pair not in before:
            return Standing.GAINED
        if pair not in after:
            return Standing.LOST
        return Standing.OTHERWISE if pair in otherwise else Standing.STAYS

    return tuple(Edge(*pair, standing(pair)) for pair in sorted({*before, *after}))


def _changing(graph: AccessGraph) -> frozenset[str]:
    read = {edge.target for edge in graph.grants}
    grants = {edge.target for edge in graph.grants if edge.standing is not Standing.STAYS}
    contents = {edge.source for edge in graph.contents if edge.standing is not Standing.STAYS}
    return frozenset(grants | (contents & read))


def _paths(graph: AccessGraph) -> list[tuple[str, str, str]]:
    readers: dict[str, list[str]] = {}
    for edge in graph.grants:
        readers.setdefault(edge.target, []).append(edge.source)
    return [
        (recipient, edge.source, edge.target) for edge in graph.contents for recipient in readers.get(edge.source, ())
    ]


def _only(graph: AccessGraph, shares: Collection[str]) -> AccessGraph:
    return AccessGraph(
        tuple(edge for edge in graph.grants if edge.target in shares),
        tuple(edge for edge in graph.contents if edge.source in shares),
        {new: old for new, old in graph.renamed.items() if new in shares},
        graph.files,
    )


def _connected(graph: AccessGraph) -> list[set[str]]:
    """Shares by what they have in common, by union and find."""
    parent = {share: share for share in graph.shares}

    def root(share: str) -> str:
        while parent[share] != share:
            parent[share] = parent[parent[share]]
            share = parent[share]
        return share

    first: dict[tuple[str, str], str] = {}
    for kind, name, share in _ends(graph):
        parent[root(share)] = root(first.setdefault((kind, name), share))
    found: dict[str, set[str]] = {}
    for share in parent:
        found.setdefault(root(share), set()).add(share)
    return list(found.values())


def _ends(graph: AccessGraph) -> Iterator[tuple[str, str, str]]:
    yield from (("recipient", edge.source, edge.target) for edge in graph.grants)
    yield from (("object", edge.target, edge.source) for edge in graph.contents)


def _weight(graph: AccessGraph) -> int:
    return sum(edge.standing is not Standing.STAYS for edge in (*graph.grants, *graph.contents))
