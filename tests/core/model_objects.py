"""The data objects of a share in the model workspace: what the server fills in, and what it refuses."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from reconciler.core.calls import OBJECT_UPDATES_PER_CALL, UpdateShare
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import TABLE_LIKE, ObjectType, Share, SharedObject


class RefusedByModelError(AssertionError):
    """The model of Databricks would not do this; the product must never ask for it."""


def space(item: SharedObject) -> str:
    """Objects of one space must have different aliases."""
    return "table" if item.type in TABLE_LIKE else str(item.type)


def default_alias(item: SharedObject) -> str:
    """What the server calls an object that was given no alias."""
    return item.name if item.type is ObjectType.NOTEBOOK_FILE else item.name.partition(".")[2]


def alias_of(item: SharedObject) -> str:
    return default_alias(item) if item.shared_as is UNMANAGED else item.shared_as


def as_found(item: SharedObject) -> SharedObject:
    """An object as the server keeps it: with what it fills in by itself."""
    is_table = item.type is ObjectType.TABLE
    has_history = is_table or item.type is ObjectType.SCHEMA
    return SharedObject(
        name=item.name,
        type=item.type,
        shared_as=alias_of(item),
        comment="" if item.comment is UNMANAGED else item.comment,
        partitions=(frozenset() if item.partitions is UNMANAGED else item.partitions) if is_table else UNMANAGED,
        history=item.history is True if has_history else UNMANAGED,
        cdf=item.cdf is True if is_table else UNMANAGED,
        start_version=(0 if item.start_version is UNMANAGED else item.start_version) if is_table else UNMANAGED,
    )


def objects_in(share: Share) -> frozenset[SharedObject]:
    return frozenset() if share.objects is UNMANAGED else share.objects


def place(item: SharedObject) -> tuple[str, str]:
    return space(item), alias_of(item)


def check_updates(key: Key, call: UpdateShare) -> None:
    sent = [*call.remove, *call.change, *call.add]
    if len(sent) > OBJECT_UPDATES_PER_CALL:
        raise RefusedByModelError(f"{key}: {len(sent)} updates")
    once([(space(item), item.name) for item in sent], f"{key} objects")
    once([place(item) for item in sent], f"{key} aliases")
    for item in sent:
        _check_fields(key, item)


def _check_fields(key: Key, item: SharedObject) -> None:
    is_table = item.type is ObjectType.TABLE
    odd = [
        item.type is UNMANAGED,
        not is_table and (item.partitions, item.cdf, item.start_version) != (UNMANAGED, UNMANAGED, UNMANAGED),
        not is_table and item.type is not ObjectType.SCHEMA and item.history is not UNMANAGED,
        item.content is not UNMANAGED and item.type is not ObjectType.NOTEBOOK_FILE,
        item.shared_as == "",
    ]
    if any(odd):
        raise RefusedByModelError(f"{key}: a field that {item!r} does not take")


def find(key: Key, objects: Mapping[tuple[str, str], SharedObject], item: SharedObject) -> SharedObject:
    found = [each for each in objects.values() if (each.name, each.type) == (item.name, item.type)]
    found = [each for each in found if item.shared_as in {UNMANAGED, each.shared_as}]
    if len(found) != 1:
        raise RefusedByModelError(f"{key}: {item.name} as {item.shared_as} is there {len(found)} times")
    return found[0]


def changed(key: Key, found: SharedObject, item: SharedObject) -> SharedObject:
    if item.shared_as is UNMANAGED:
        raise RefusedByModelError(f"{key}: an update of {item.name} without the alias it has")
    if item.partitions == frozenset():
        raise RefusedByModelError(f"{key}: an update cannot clear the partitions of {item.name}")
    if item.history is not UNMANAGED and item.cdf is not UNMANAGED:
        raise RefusedByModelError(f"{key}: history and change feed of {item.name} in one update")
    some(item != SharedObject(item.name, item.type, item.shared_as), key)
    return replace(
        found,
        comment=found.comment if item.comment is UNMANAGED else item.comment,
        partitions=found.partitions if item.partitions is UNMANAGED else item.partitions,
        history=found.history if item.history is UNMANAGED else item.history,
        cdf=found.cdf if item.cdf is UNMANAGED else item.cdf,
        start_version=found.start_version if item.start_version is UNMANAGED else item.start_version,
    )


def made(key: Key, item: SharedObject) -> SharedObject:
    if item.type is ObjectType.NOTEBOOK_FILE and item.content is UNMANAGED:
        raise RefusedByModelError(f"{key}: the content must be set when adding the notebook {item.name}")
    new = as_found(item)
    # Both are never sent (contract 4.3): what is off stays out, and history brings the change feed.
    return replace(new, cdf=False) if new.history is True and new.cdf is True else new


def once(items: Collection[object], what: str) -> None:
    if len(set(items)) != len(items):
        raise RefusedByModelError(f"{what}: one stands twice")


def some(has_some: bool, key: Key) -> None:
    if not has_some:
        raise RefusedByModelError(f"{key}: an update of nothing")
