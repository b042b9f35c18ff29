"""The order that formatting brings a file into: keys as they are documented, lists of recipients, shares and objects by
name. Comments go along. Where a comment and a blank line head a group, entries stay in their group."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel

from reconciler.packs.commented import Collection, Entry, Scalar
from reconciler.packs.document import (
    AllowanceEntry,
    DataObjectEntry,
    FederationPolicyEntry,
    Metadata,
    PackDocument,
    RecipientEntry,
    ShareEntry,
)
from reconciler.packs.tenants import TenantEntry, TenantsDocument

_EACH: Final = "*"
_DIGITS: Final = re.compile("([0-9]+)")


@dataclass(frozen=True, slots=True)
class Order:
    """How the entries of a mapping or list are ordered; without fields and names they stay as they are."""

    fields: Sequence[str] = ()
    by_name: bool = False
    #: A blank line between any two keys.
    is_spaced: bool = False
    #: By key; for the items of a list, and for keys of any name, under "*".
    inner: Mapping[str, "Order"] = field(default_factory=dict)

    def of(self, key: str) -> "Order":
        return self.inner.get(key) or self.inner.get(_EACH) or _AS_IT_IS


def _keys(model: type[BaseModel], *, is_spaced: bool = False, **inner: Order) -> Order:
    return Order(tuple(model.model_fields), is_spaced=is_spaced, inner=inner)


def _named(each: Order | None = None) -> Order:
    return Order(by_name=True, inner={_EACH: each} if each else {})


_AS_IT_IS: Final = Order()
_POLICIES: Final = Order(inner={_EACH: _keys(FederationPolicyEntry)})
PACK_ORDER: Final = _keys(
    PackDocument,
    is_spaced=True,
    metadata=_keys(Metadata),
    recipient=_named(_keys(RecipientEntry, federation_policies=_POLICIES)),
    share=_named(_keys(ShareEntry, recipients=_named(), data_objects=_named(_keys(DataObjectEntry)))),
    allow=Order(inner={_EACH: _keys(AllowanceEntry)}),
)
TENANTS_ORDER: Final = _keys(
    TenantsDocument,
    is_spaced=True,
    tenants=_named(_keys(TenantEntry, regions=_named(), catalogs=_named(), lends_recipients_to=_named())),
)


def arrange(collection: Collection, order: Order) -> None:
    for entry in collection.entries:
        if isinstance(entry.value, Collection):
            arrange(entry.value, order.of(entry.key.value if entry.key else _EACH))
            _hoist(entry)
    is_list = order.by_name or not collection.is_mapping
    has_blanks = is_list and _holds_more(collection) and any(map(_begins_blank, collection.entries[1:]))
    is_even = order.is_spaced or has_blanks
    _tidy(collection, is_even=is_even)
    if order.fields:
        ranks = {name: rank for rank, name in enumerate(order.fields)}
        collection.entries.sort(key=lambda each: ranks.get(_name(each), len(ranks)))
    elif order.by_name:
        collection.entries = list(_by_name(collection))
    _tidy(collection, is_even=is_even)


def in_any_order(value: Any, order: Order) -> object:
    """Plain values of which two are equal when they differ at most by what arranging changes."""
    if isinstance(value, dict):
        return tuple((key, in_any_order(value[key], order.of(key))) for key in sorted(value))
    if isinstance(value, list):
        inner = [in_any_order(each, order.of(_EACH)) for each in value]
        return sorted(inner, key=repr) if order.by_name else inner
    return value


def _hoist(entry: Entry) -> None:
    """What would stand between a dash and its first key stands above the dash."""
    inside = entry.value
    if entry.key is not None or not isinstance(inside, Collection) or not inside.entries:
        return
    first = inside.entries[0]
    moved = [*filter(None, first.above)]
    if moved:
        first.above, entry.above = [], [*_without_last_blank(entry.above), *moved]


def _tidy(collection: Collection, *, is_even: bool) -> None:
    """One blank line at most, none at the beginning, and, if it is to be even, one between any two entries."""
    for number, entry in enumerate(collection.entries):
        above = _single_blanks(entry.above)
        if not number:
            above = above[1:] if above[:1] == [""] else above
        elif is_even and above[:1] != [""]:
            above = ["", *above]
        entry.above = above
    collection.tail = _without_last_blank(_single_blanks(collection.tail))


def _by_name(collection: Collection) -> Iterator[Entry]:
    is_group = _heads_group if _holds_more(collection) else _follows_blank
    for group in _groups(collection.entries, is_group):
        heading = _heading(group[0].above)
        group[0].above = group[0].above[len(heading) :]
        ordered = sorted(group, key=_sort_name)
        ordered[0].above = [*heading, *(ordered[0].above[1:] if ordered[0].above[:1] == [""] else ordered[0].above)]
        yield from ordered


def _groups(entries: Sequence[Entry], begins: Callable[[Entry], bool]) -> Iterator[Sequence[Entry]]:
    number = 0
    numbers = []
    for entry in entries:
        number += begins(entry)
        numbers.append(number)
    for _, group in groupby(zip(numbers, entries, strict=True), key=lambda each: each[0]):
        yield [entry for _, entry in group]


def _heads_group(entry: Entry) -> bool:
    return any(_heading(entry.above))


def _follows_blank(entry: Entry) -> bool:
    return bool(_heading(entry.above))


def _heading(above: Sequence[str]) -> list[str]:
    """Up to the last blank line: what follows it is about the entry alone."""
    last = max((number for number, text in enumerate(above) if not text), default=-1)
    return list(above[: last + 1])


def _holds_more(collection: Collection) -> bool:
    """Than plain values, whose groups are made by blank lines; between mappings these are only for the eye."""
    return any(isinstance(each.value, Collection) for each in collection.entries)


def _begins_blank(entry: Entry) -> bool:
    return entry.above[:1] == [""]


def _sort_name(entry: Entry) -> Any:
    """Letter case aside, and 2 before 10."""
    parts = _DIGITS.split(_name(entry).strip().casefold())
    return [int(part) if number % 2 else part for number, part in enumerate(parts)]


def _name(entry: Entry) -> str:
    """Of a key, of a text, or of what a mapping calls its name."""
    if entry.key is not None:
        return entry.key.value
    if isinstance(entry.value, Scalar):
        return entry.value.value
    return next(
        (each.value.value for each in entry.value.entries if _name(each) == "name" and isinstance(each.value, Scalar)),
        "",
    )


def _single_blanks(lines: Sequence[str]) -> list[str]:
    return [text for number, text in enumerate(lines) if text or not number or lines[number - 1]]


def _without_last_blank(lines: Sequence[str]) -> list[str]:
    return list(lines[:-1] if lines and not lines[-1] else lines)
