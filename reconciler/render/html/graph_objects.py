"""The right column of a picture of access: which objects it shows, in which order, and which of them as one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final, TypeAlias

from reconciler.core.access_graph import AccessGraph, Standing
from reconciler.render.access_text import said

#: Objects that are alike and stay: drawn one by one up to this many.
_STAYING_DRAWN: Final = 3

_Shares: TypeAlias = tuple[tuple[str, Standing], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An object, or several of a schema that stand in the same shares in the same way."""

    #: The whole name; empty for several.
    name: str
    label: str
    schema: str
    shares: _Shares
    count: int = 1

    @property
    def standing(self) -> Standing:
        return whole(standing for _, standing in self.shares)


def whole(standings: Iterable[Standing]) -> Standing:
    """Gained or lost is what is only reached by gained or lost edges."""
    found = set(standings)
    return found.pop() if len(found) == 1 else Standing.STAYS


def items(graph: AccessGraph, changed_drawn: int, schemas: frozenset[str]) -> list[Item]:
    """`schemas` are the names that stand for all of a schema."""
    alike: dict[tuple[str, _Shares], list[str]] = {}
    for name, shares in _by_object(graph).items():
        schema = "" if name in graph.files else name.rpartition(".")[0]
        alike.setdefault((schema, shares), []).append(name)
    places = _places(graph)
    ordered = sorted(alike.items(), key=lambda each: (*_middle(each[0], alike, places), each[1]))
    return [
        replace(item, label=said((item.name,), schemas)[0].removeprefix(f"{schema}." if schema else ""))
        if item.name
        else item
        for (schema, shares), names in ordered
        for item in _items(schema, shares, names, changed_drawn)
    ]


def _items(schema: str, shares: _Shares, names: Sequence[str], changed_drawn: int) -> Iterator[Item]:
    stays = all(standing is Standing.STAYS for _, standing in shares)
    limit = _STAYING_DRAWN if stays else changed_drawn
    if len(names) > limit:
        yield Item("", f"{len(names):,} objects", schema, shares, len(names))
        return
    for name in sorted(names):
        yield Item(name, name, schema, shares)


def _by_object(graph: AccessGraph) -> Mapping[str, _Shares]:
    found: dict[str, list[tuple[str, Standing]]] = {}
    for edge in graph.contents:
        found.setdefault(edge.target, []).append((edge.source, edge.standing))
    return {name: tuple(shares) for name, shares in found.items()}


def _places(graph: AccessGraph) -> Mapping[str, int]:
    """Shares of the same readers next to each other."""
    readers: dict[str, list[str]] = {share: [] for share in graph.shares}
    for edge in graph.grants:
        readers[edge.target].append(edge.source)
    return {share: index for index, share in enumerate(sorted(readers, key=lambda each: (sorted(readers[each]), each)))}


def _middle(
    group: tuple[str, _Shares], alike: Mapping[tuple[str, _Shares], Sequence[str]], places: Mapping[str, int]
) -> tuple[float, str, bool, float]:
    """First where the schema belongs, for its objects stay together; in it what changes, then where the objects do."""
    schema, shares = group
    of_schema = [places[share] for (name, others) in alike if name == schema for share, _ in others]
    stays = all(standing is Standing.STAYS for _, standing in shares)
    return fmean(of_schema), schema, stays, fmean(places[share] for share, _ in shares)
