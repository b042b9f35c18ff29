"""Gives the rows of the sheets DataObjects and FederationPolicies to the share or recipient they name."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.core.key import normal_name
from reconciler.packs.cells import CONTINUED
from reconciler.packs.finding import meant, shown
from reconciler.packs.tree import Flaw, Position, Spot
from reconciler.packs.workbook_rows import Notes
from reconciler.packs.workbook_table import Table

#: Finding the name that was meant takes time; nobody reads more of them.
_MAX_HINTS: Final = 20


def place_rows(owners: Table, rows: Table, notes: Notes) -> None:
    """`rows` are of a sheet within that of `owners`, whose entries get them."""
    field, owner = rows.sheet.within, rows.sheet.section
    by_name = _by_name(owners.entries)
    found: dict[int, list[tuple[Any, Spot]]] = defaultdict(list)
    for entry, spot in zip(rows.entries, rows.spots, strict=True):
        inner: Any = spot.inner
        at = inner[owner].at if owner in inner else spot.at
        name = entry.pop(owner, None)
        if name is None:
            notes.add(Flaw(at, "key-missing", f'"{owner}" is missing', f"say which {owner} the row belongs to"))
        elif isinstance(name, str) and normal_name(name) in by_name:
            found[by_name[normal_name(name)]].append((entry, spot))
        elif isinstance(name, str):
            notes.add(_unknown(name, at, owners, by_name if len(notes.flaws) < _MAX_HINTS else {}))
    for number, added in found.items():
        _give(owners, number, field, added)


def _by_name(entries: Sequence[Any]) -> Mapping[str, int]:
    by_name: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if isinstance(entry.get("name"), str):
            by_name.setdefault(normal_name(entry["name"]), number)
    return by_name


def _unknown(name: str, at: Position, owners: Table, known: Mapping[str, int]) -> Flaw:
    kind, title = owners.sheet.section, owners.title
    message = f"no {kind} {shown(name)} stands in the sheet {title}"
    return Flaw(at, "workbook-row-unplaced", message, meant(name, known, f"add it to {title}, or delete the row"))


def _give(owners: Table, number: int, field: str, added: Sequence[tuple[Any, Spot]]) -> None:
    entry, spot = owners.entries[number], owners.spots[number]
    before = entry.get(field, [])
    if not isinstance(before, list):
        return
    inner: Any = spot.inner
    around = inner.get(field, Spot(added[0][1].at))
    merged = list(_merged(list(zip(before, around.inner, strict=True)), added))
    entry[field] = [value for value, _ in merged]
    inner[field] = Spot(around.at, around.key, [at for _, at in merged])


def _merged(
    listed: Sequence[tuple[Any, Spot | Position]], added: Sequence[tuple[Any, Spot]]
) -> Iterator[tuple[Any, Spot | Position]]:
    """What the list names, then the rows; an entry + of the list is the place of the next row."""
    rest = iter(added)
    for value, at in listed:
        yield next(rest, (value, at)) if value == CONTINUED else (value, at)
    yield from rest
