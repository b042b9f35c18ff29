"""Data objects of two states of one share, paired: which is which, whatever its options. Decides nothing about what to
do with a pair."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.managed import UNMANAGED
from reconciler.core.share import TABLE_LIKE, SharedObject


@dataclass(frozen=True, slots=True)
class Paired:
    #: What both have: the desired and the actual one. Sorted, as the others are.
    same: tuple[tuple[SharedObject, SharedObject], ...]
    #: Only desired.
    new: tuple[SharedObject, ...]
    #: Only actual.
    gone: tuple[SharedObject, ...]


def pair(desired: Iterable[SharedObject], actual: Iterable[SharedObject]) -> Paired:
    """Two are the same when source, type and, where the pack gives one, the alias agree. An alias cannot be changed in
    place, so another alias or type is another object (contract 4.4)."""
    wanted, there = tuple(desired), tuple(actual)
    wanted_by_name, there_by_name = ({item.name: item for item in items} for items in (wanted, there))
    if len(wanted_by_name) == len(wanted) and len(there_by_name) == len(there):
        return _paired_by_name(wanted_by_name, there_by_name)
    return _paired_in_groups(wanted, there)


def _paired_by_name(desired: Mapping[str, SharedObject], actual: Mapping[str, SharedObject]) -> Paired:
    """Where neither side has a name twice, there is nothing to choose: so it is nearly always, and this is asked of
    every object of every share."""
    same: list[tuple[SharedObject, SharedObject]] = []
    new: list[SharedObject] = []
    left = dict(actual)
    for name in sorted(desired):
        wanted, found = desired[name], left.get(name)
        if (
            found is not None
            and (wanted.type is found.type or _group(wanted) == _group(found))
            and _is_same(wanted, found)
        ):
            same.append((wanted, found))
            del left[name]
        else:
            new.append(wanted)
    return Paired(tuple(same), tuple(new), tuple(left[name] for name in sorted(left)))


def _paired_in_groups(desired: Iterable[SharedObject], actual: Iterable[SharedObject]) -> Paired:
    left: dict[tuple[str, str], list[SharedObject]] = defaultdict(list)
    for item in sorted(actual, key=order):
        left[_group(item)].append(item)
    same: list[tuple[SharedObject, SharedObject]] = []
    new: list[SharedObject] = []
    # Those with an alias choose first: the others take what is left.
    for wanted in sorted(desired, key=lambda item: (item.shared_as is UNMANAGED, order(item))):
        others = left[_group(wanted)]
        found = next((item for item in others if _is_same(wanted, item)), None)
        if found is None:
            new.append(wanted)
        else:
            others.remove(found)
            same.append((wanted, found))
    gone = [item for items in left.values() for item in items]
    return Paired(
        tuple(sorted(same, key=lambda both: order(both[0]))),
        tuple(sorted(new, key=order)),
        tuple(sorted(gone, key=order)),
    )


def order(item: SharedObject) -> tuple[str, str, str]:
    kind = "" if item.type is UNMANAGED else item.type
    return item.name, kind, "" if item.shared_as is UNMANAGED else item.shared_as


def reduced(pattern: SharedObject, actual: SharedObject) -> SharedObject:
    """The actual object with only what the pattern manages: what our record would say of it. A notebook's content
    cannot be read, so nothing is said of it."""
    return SharedObject(
        name=actual.name,
        type=actual.type,
        shared_as=UNMANAGED if pattern.shared_as is UNMANAGED else actual.shared_as,
        comment=UNMANAGED if pattern.comment is UNMANAGED else actual.comment,
        partitions=UNMANAGED if pattern.partitions is UNMANAGED else actual.partitions,
        history=UNMANAGED if pattern.history is UNMANAGED else actual.history,
        cdf=UNMANAGED if pattern.cdf is UNMANAGED else actual.cdf,
        start_version=UNMANAGED if pattern.start_version is UNMANAGED else actual.start_version,
    )


def bare(item: SharedObject) -> SharedObject:
    """What our record says of an object that no pack manages: that it is there."""
    return SharedObject(item.name, item.type)


def objects_like(pattern: Iterable[SharedObject], actual: Iterable[SharedObject]) -> frozenset[SharedObject]:
    """The actual objects, each reduced to what the one it is paired with manages."""
    paired = pair(pattern, actual)
    return frozenset([*(reduced(wanted, found) for wanted, found in paired.same), *map(bare, paired.gone)])


def overlaid(desired: SharedObject, actual: SharedObject) -> SharedObject:
    """The object once what the pack manages holds; the rest stays as it is. History goes with its change feed."""
    keeps_history = desired.history is UNMANAGED and desired.cdf is not False
    return replace(
        desired,
        shared_as=actual.shared_as if desired.shared_as is UNMANAGED else desired.shared_as,
        comment=actual.comment if desired.comment is UNMANAGED else desired.comment,
        partitions=actual.partitions if desired.partitions is UNMANAGED else desired.partitions,
        history=actual.history if keeps_history else desired.history,
        cdf=actual.cdf if desired.cdf is UNMANAGED else desired.cdf,
        start_version=actual.start_version if desired.start_version is UNMANAGED else desired.start_version,
    )


def resends_content(desired: SharedObject, recorded: SharedObject | None) -> bool:
    """Whether a notebook has to be sent again: Databricks does not show what it holds, so our record decides."""
    return recorded is None or recorded.content != desired.content


def _group(item: SharedObject) -> tuple[str, str]:
    """Table-like objects of one name are one object, whose type a pack may have wrong."""
    is_table_like = item.type is UNMANAGED or item.type in TABLE_LIKE
    return item.name, "table" if is_table_like else str(item.type)


def _is_same(desired: SharedObject, actual: SharedObject) -> bool:
    has_type = desired.type is UNMANAGED or actual.type is UNMANAGED or desired.type == actual.type
    return has_type and (desired.shared_as is UNMANAGED or desired.shared_as == actual.shared_as)
