"""One data object of a share, to and from the SDK: which fields each type has and how they are spelled.

Whether an object may be shared as asked is decided elsewhere.
"""

import base64
import hashlib
from typing import Final

from databricks.sdk.service.sharing import Partition as SdkPartition
from databricks.sdk.service.sharing import (
    PartitionValue,
    PartitionValueOp,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectHistoryDataSharingStatus,
    SharedDataObjectStatus,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.adapters.databricks.strange import StrangeAnswerError
from reconciler.core.key import normal_name
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.share import TABLE_LIKE, Condition, NotebookContent, ObjectType, Partition, SharedObject
from reconciler.ports.platform import RefusedError

_OBJECT_TYPES: Final = {each.value: each for each in ObjectType}
_HISTORY: Final = {
    True: SharedDataObjectHistoryDataSharingStatus.ENABLED,
    False: SharedDataObjectHistoryDataSharingStatus.DISABLED,
}


def added(item: SharedObject) -> SharedDataObjectUpdate:
    history, cdf = item.history, item.cdf
    if history is not UNMANAGED and cdf is not UNMANAGED:
        # Never both in one request (contract 4.3); what stays out is off in a new object anyway.
        history, cdf = (UNMANAGED, cdf) if cdf and not history else (history, UNMANAGED)
    return SharedDataObjectUpdate(SharedDataObjectUpdateAction.ADD, _sent(item, history, cdf))


def changed(item: SharedObject) -> SharedDataObjectUpdate:
    if item.partitions is not UNMANAGED and not item.partitions:
        raise RefusedError(f"the partitions of {item.name} cannot be cleared by an update; it must go and come again")
    return SharedDataObjectUpdate(SharedDataObjectUpdateAction.UPDATE, _sent(item, item.history, item.cdf))


def removed(item: SharedObject) -> SharedDataObjectUpdate:
    named = SharedObject(item.name, item.type, item.shared_as)
    return SharedDataObjectUpdate(SharedDataObjectUpdateAction.REMOVE, _sent(named, UNMANAGED, UNMANAGED))


def found_object(share: str, item: SharedDataObject) -> SharedObject:
    kind = _OBJECT_TYPES.get(item.data_object_type.value) if item.data_object_type else None
    if kind is None or not item.name:
        raise StrangeAnswerError(f"share {share!r} holds {item.name!r} of a type this version does not know")
    found = SharedObject(
        name=_normal(kind, item.name),
        type=kind,
        shared_as=_found_alias(kind, item),
        comment=item.comment or "",
    )
    return _with_options(found, item)


def is_denied(item: SharedDataObject) -> bool:
    """Whether the owner of the share may no longer read it. A status nobody knows yet says nothing of the kind."""
    return item.status is SharedDataObjectStatus.PERMISSION_DENIED


def _sent(item: SharedObject, history: Managed[bool], cdf: Managed[bool]) -> SharedDataObject:
    alias = None if item.shared_as is UNMANAGED else item.shared_as
    is_table_like = item.type is UNMANAGED or item.type in TABLE_LIKE
    takes_alias = item.type is not ObjectType.SCHEMA
    return SharedDataObject(
        name=item.name,
        data_object_type=None if item.type is UNMANAGED else SharedDataObjectDataObjectType(item.type.value),
        shared_as=alias if is_table_like else None,
        string_shared_as=alias if takes_alias and not is_table_like else None,
        comment=None if item.comment is UNMANAGED else item.comment,
        partitions=None if item.partitions is UNMANAGED else _partitions(item.partitions),
        history_data_sharing_status=None if history is UNMANAGED else _HISTORY[history],
        cdf_enabled=None if cdf is UNMANAGED else cdf,
        start_version=None if item.start_version is UNMANAGED else item.start_version,
        content=None if item.content is UNMANAGED else _encoded(item.name, item.content),
    )


def _partitions(partitions: frozenset[Partition]) -> list[SdkPartition]:
    """Sorted, so that the same call is always the same request."""
    ordered = sorted((sorted(partition, key=str) for partition in partitions), key=lambda each: list(map(str, each)))
    return [SdkPartition([_value(condition) for condition in conditions]) for conditions in ordered]


def _value(condition: Condition) -> PartitionValue:
    return PartitionValue(
        name=condition.column,
        op=PartitionValueOp.LIKE if condition.is_like else PartitionValueOp.EQUAL,
        value=condition.value,
        recipient_property_key=condition.recipient_property,
    )


def _encoded(name: str, content: NotebookContent) -> str:
    """What our record keeps of a notebook is its digest; only what was read beside the pack can be sent."""
    if hashlib.sha256(content.source).hexdigest() != content.digest:
        raise RefusedError(f"the content of the notebook {name!r} is not at hand; plan again from its file")
    return base64.b64encode(content.source).decode()


def _with_options(found: SharedObject, item: SharedDataObject) -> SharedObject:
    """What the type has; the rest stays UNMANAGED."""
    history = item.history_data_sharing_status is SharedDataObjectHistoryDataSharingStatus.ENABLED
    match found.type:
        case ObjectType.TABLE:
            return SharedObject(
                name=found.name,
                type=found.type,
                shared_as=found.shared_as,
                comment=found.comment,
                partitions=frozenset(_found_partition(found.name, each) for each in item.partitions or ()),
                history=history,
                # With its history an object may say that its change feed is shared, too (contract 4.3).
                cdf=bool(item.cdf_enabled) and not history,
                start_version=UNMANAGED if item.start_version is None else item.start_version,
            )
        case ObjectType.SCHEMA:
            return SharedObject(found.name, found.type, found.shared_as, found.comment, history=history)
        case _:
            return found


def _found_alias(kind: ObjectType, item: SharedDataObject) -> Managed[str]:
    alias = item.shared_as or item.string_shared_as
    return _normal(kind, alias) if alias else UNMANAGED


def _found_partition(name: str, partition: SdkPartition) -> Partition:
    return frozenset(_found_condition(name, value) for value in partition.values or ())


def _found_condition(name: str, value: PartitionValue) -> Condition:
    if not value.name or value.op is None:
        raise StrangeAnswerError(f"the partitions of {name!r} are told in a way this version does not know")
    return Condition(value.name, value.op is PartitionValueOp.LIKE, value.value, value.recipient_property_key)


def _normal(kind: ObjectType, name: str) -> str:
    """Notebooks keep the letter case of their file."""
    return name if kind is ObjectType.NOTEBOOK_FILE else normal_name(name)
