"""A share: which data objects it holds and which recipients may read them."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.managed import UNMANAGED, Managed


class ObjectType(StrEnum):
    """Values of `data_object_type` (contract 4.3)."""

    TABLE = "TABLE"
    VIEW = "VIEW"
    MATERIALIZED_VIEW = "MATERIALIZED_VIEW"
    STREAMING_TABLE = "STREAMING_TABLE"
    FOREIGN_TABLE = "FOREIGN_TABLE"
    SCHEMA = "SCHEMA"
    VOLUME = "VOLUME"
    MODEL = "MODEL"
    FUNCTION = "FUNCTION"
    NOTEBOOK_FILE = "NOTEBOOK_FILE"
    FEATURE_SPEC = "FEATURE_SPEC"


@dataclass(frozen=True, slots=True)
class SharedObject:
    """A data object in a share. A pack names it; its type is looked up in the catalog unless the name has two parts."""

    #: Full source name in lower case: `catalog.schema` or `catalog.schema.table`.
    name: str
    type: Managed[ObjectType] = UNMANAGED

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    comment: Managed[str] = UNMANAGED
    objects: Managed[frozenset[SharedObject]] = UNMANAGED
    #: Names of the recipients that hold SELECT on the share.
    recipients: Managed[frozenset[str]] = UNMANAGED
