"""Which type each named data object has, and whether it can be shared as the pack says. Decides which objects have to
be looked up in the catalog, and performs no look-up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.core.actual import Found, Observed
from reconciler.core.capacity import too_many
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.objects import pair
from reconciler.core.share import TABLE_LIKE, ObjectType, Share, SharedObject


@dataclass(frozen=True, slots=True)
class Sought:
    """An object to be looked up."""

    name: str
    #: UNMANAGED: whatever is there by this name.
    type: Managed[ObjectType]
    #: Who must be able to read it: the owner of the share. Empty: the caller.
    reader: str = ""


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """What the catalog says of one object."""

    type: ObjectType
    owner: str = ""
    #: Lower case; only tables have some.
    partition_columns: frozenset[str] = frozenset()
    #: Deletion vectors or column mapping: it can only be shared with its history (lesson 27).
    needs_history: bool = False
    #: The privilege the reader lacks to share it, such as `SELECT on TABLE c.s.t`; empty when none or not known.
    lacking: str = ""


#: None: no such object. What is missing could not be looked up.
Catalog: TypeAlias = Mapping[Sought, CatalogObject | None]


@dataclass(frozen=True, slots=True)
class Resolved:
    share: Share
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    #: What stands against sharing an object as the pack says, in words, by name.
    unfit: tuple[tuple[str, str], ...] = ()


def to_look_up(share: Share, observed: Observed) -> frozenset[Sought]:
    """What the share is to gain, what it is to share otherwise, and what its owner may not read any more."""
    if share.objects is UNMANAGED:
        return frozenset()
    reader = reader_of(share, observed)
    denied = _denied(observed)
    sought = set()
    for wanted, found in _paired(share.objects, _held(observed)):
        is_settled = wanted.name not in denied and not _is_to_be_checked(wanted, found, share, observed)
        if not is_settled and wanted.type is not ObjectType.NOTEBOOK_FILE:
            sought.add(sought_for(wanted, found, reader))
    return frozenset(sought)


def reader_of(share: Share, observed: Observed) -> str:
    """Whose rights the shared objects are read with: the owner's, as the pack wants it or as it is."""
    if share.owner is not UNMANAGED and share.owner:
        return share.owner
    return observed.owner if isinstance(observed, Found) else ""


def sought_for(wanted: SharedObject, found: SharedObject | None, reader: str) -> Sought:
    return Sought(wanted.name, _kind(wanted, found), reader)


def _kind(wanted: SharedObject, found: SharedObject | None) -> Managed[ObjectType]:
    """As far as it is told without the catalog."""
    kind = wanted.type if wanted.type is not UNMANAGED else _told_by_name(wanted)
    return found.type if kind is UNMANAGED and found is not None else kind


def resolve(share: Share, observed: Observed, catalog: Catalog) -> Resolved:
    """The share with every type filled in, as far as it can be known."""
    if share.objects is UNMANAGED:
        return Resolved(share)
    reader = reader_of(share, observed)
    objects: set[SharedObject] = set()
    shown: dict[tuple[str, str], str] = {}
    missing: list[str] = []
    unknown: list[str] = []
    unfit: list[tuple[str, str]] = []
    denied = _denied(observed)
    for wanted, found in _paired(share.objects, _held(observed)):
        kind, is_checked = _kind(wanted, found), _is_to_be_checked(wanted, found, share, observed)
        if is_checked or wanted.name in denied:
            sought = Sought(wanted.name, kind, reader)
            entry = catalog.get(sought)
            if entry is not None and is_checked:
                unfit += [(wanted.name, words) for words in _misfits(wanted, entry)]
            elif found is None and wanted.type is not ObjectType.NOTEBOOK_FILE:
                (missing if sought in catalog else unknown).append(wanted.name)
            kind = kind if entry is None else entry.type
        typed = wanted if wanted.type is not UNMANAGED else wanted.of_type(kind)
        objects.add(typed)
        other = shown.setdefault(_shown_as(typed, found), wanted.name)
        if other != wanted.name:
            unfit.append((wanted.name, f"would bear the same name as {other} for its readers; give one a `shared_as`"))
    unfit += [(f"share/{share.name}", words) for words in too_many(objects)]
    return Resolved(
        replace(share, objects=frozenset(objects)),
        tuple(sorted(missing)),
        tuple(sorted(unknown)),
        tuple(sorted(unfit)),
    )


def _shown_as(item: SharedObject, found: SharedObject | None) -> tuple[str, str]:
    """The name its readers see, which is unique among objects of a kind (contract 4.3)."""
    kind = "table" if item.type is UNMANAGED or item.type in TABLE_LIKE else str(item.type)
    alias = item.shared_as if item.shared_as is not UNMANAGED or found is None else found.shared_as
    if alias is UNMANAGED:
        alias = item.name if item.type is ObjectType.NOTEBOOK_FILE else item.name.partition(".")[2]
    return kind, alias


def _misfits(wanted: SharedObject, entry: CatalogObject) -> list[str]:
    if wanted.type is not UNMANAGED and wanted.type != entry.type:
        return [f"is a {entry.type.words}, not a {wanted.type.words}"]
    words = []
    if entry.lacking:
        words.append(f"cannot be read by the owner of the share: {entry.lacking} is missing")
    if entry.needs_history and wanted.history is not True:
        words.append("uses deletion vectors or column mapping; it can only be shared with `history: true`")
    if wanted.partitions is not UNMANAGED:
        columns = {each.column.lower() for partition in wanted.partitions for each in partition}
        unknown = sorted(columns - entry.partition_columns)
        if unknown:
            known = ", ".join(sorted(entry.partition_columns)) or "none"
            words.append(f"is not partitioned by {', '.join(unknown)}; its partition columns are: {known}")
    takes_no_options = entry.type is not ObjectType.TABLE
    options = [
        name
        for name, value in (
            ("partitions", wanted.partitions),
            ("cdf", wanted.cdf),
            ("start_version", wanted.start_version),
        )
        if value is not UNMANAGED
    ]
    if takes_no_options and options and wanted.type is UNMANAGED:
        words.append(f"is a {entry.type.words}, which takes no {' and no '.join(options)}")
    return words


def _told_by_name(item: SharedObject) -> Managed[ObjectType]:
    return ObjectType.SCHEMA if item.name.count(".") == 1 else UNMANAGED


def _is_to_be_checked(wanted: SharedObject, found: SharedObject | None, share: Share, observed: Observed) -> bool:
    """What comes, what is shared otherwise, and what gets another owner, who has to read it. An object that is there,
    and that its owner may not read any more, is degraded, which holds nothing up."""
    return found is None or _changes_data(wanted, found) or _changes_owner(share, observed)


def _changes_owner(share: Share, observed: Observed) -> bool:
    return isinstance(observed, Found) and share.owner is not UNMANAGED and share.owner != observed.owner


def _changes_data(wanted: SharedObject, found: SharedObject) -> bool:
    if wanted.history is False and found.history is True:
        return True
    has_other_type = wanted.type is not UNMANAGED and wanted.type is not found.type
    return has_other_type or (wanted.partitions is not UNMANAGED and wanted.partitions != found.partitions)


def _held(observed: Observed) -> frozenset[SharedObject]:
    if not isinstance(observed, Found) or not isinstance(observed.resource, Share):
        return frozenset()
    objects = observed.resource.objects
    return frozenset() if objects is UNMANAGED else objects


def _denied(observed: Observed) -> frozenset[str]:
    return frozenset(item.name for item in observed.denied) if isinstance(observed, Found) else frozenset()


def _paired(
    desired: frozenset[SharedObject], held: frozenset[SharedObject]
) -> list[tuple[SharedObject, SharedObject | None]]:
    """A name of three parts without a type means the table-like object, else whatever else the share holds by it."""
    paired = pair(desired, held)
    if not paired.new:
        return [*paired.same]
    stated = {(item.name, item.type) for item in desired}
    by_name = {
        item.name: item for item in paired.gone if item.type not in TABLE_LIKE and (item.name, item.type) not in stated
    }
    loose = [(item, by_name.get(item.name) if item.type is UNMANAGED else None) for item in paired.new]
    return [*paired.same, *((item, found) for item, found in loose)]
