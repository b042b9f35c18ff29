"""Which type each named data object has: two parts are a schema; three parts are what the share already holds or what
the catalog says. Decides which names have to be looked up, and performs no look-up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.core.actual import Found, Observed
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import ObjectType, Share, SharedObject

#: The shareable type by full name; None: no such object. A name that is missing could not be looked up.
Catalog = Mapping[str, ObjectType | None]


@dataclass(frozen=True, slots=True)
class Resolved:
    share: Share
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def names_to_look_up(share: Share, observed: Observed) -> frozenset[str]:
    """What the share is to gain and whose type the name does not tell."""
    if share.objects is UNMANAGED:
        return frozenset()
    held = _types_held(observed)
    return frozenset(item.name for item in share.objects if item.type is UNMANAGED and _known(item, held) is None)


def resolve(share: Share, observed: Observed, catalog: Catalog) -> Resolved:
    """The share with every type filled in, as far as it can be known."""
    if share.objects is UNMANAGED:
        return Resolved(share)
    held = _types_held(observed)
    objects: set[SharedObject] = set()
    missing: list[str] = []
    unknown: list[str] = []
    for item in sorted(share.objects, key=str):
        found = item.type if item.type is not UNMANAGED else _known(item, held) or catalog.get(item.name)
        objects.add(SharedObject(item.name, found or UNMANAGED))
        if found is None:
            (missing if item.name in catalog else unknown).append(item.name)
    return Resolved(replace(share, objects=frozenset(objects)), tuple(missing), tuple(unknown))


def _known(item: SharedObject, held: Mapping[str, ObjectType]) -> ObjectType | None:
    return ObjectType.SCHEMA if item.name.count(".") == 1 else held.get(item.name)


def _types_held(observed: Observed) -> dict[str, ObjectType]:
    """What the share holds now; of two objects with one name the table-like one is meant."""
    if not isinstance(observed, Found) or not isinstance(observed.resource, Share):
        return {}
    objects = observed.resource.objects
    if objects is UNMANAGED:
        return {}
    table_last = sorted(objects, key=lambda item: str(item.type) in _TABLE_LIKE)
    return {item.name: item.type for item in table_last if item.type is not UNMANAGED}


_TABLE_LIKE = frozenset({"TABLE", "VIEW", "MATERIALIZED_VIEW", "STREAMING_TABLE", "FOREIGN_TABLE"})
