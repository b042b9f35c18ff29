"""A share: which data objects it holds, how much of each, and which recipients may read them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

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

    #: As `core.key.Kind` has it.
    __hash__ = str.__hash__

    @property
    def words(self) -> str:
        return self.value.lower().replace("_", " ")


#: Types that share one name space in a schema, and whose alias goes into `shared_as`; others use `string_shared_as`.
TABLE_LIKE: Final = frozenset(
    {
        ObjectType.TABLE,
        ObjectType.VIEW,
        ObjectType.MATERIALIZED_VIEW,
        ObjectType.STREAMING_TABLE,
        ObjectType.FOREIGN_TABLE,
    }
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One column of a partition: `region = 'EMEA'`, `region LIKE 'E%'`, `org = recipient.org` or `region IS NULL`.

    With neither a value nor a recipient property the column must be NULL (contract 4.3).
    """

    column: str
    #: LIKE instead of EQUAL.
    is_like: bool = False
    value: str | None = None
    #: Name of the recipient property whose value is compared with; excludes `value`.
    recipient_property: str | None = None

    def __str__(self) -> str:
        """As packs write it."""
        if self.recipient_property is not None:
            compared = f"recipient.{self.recipient_property}"
        elif self.value is not None:
            compared = "'" + self.value.replace("'", "''") + "'"
        else:
            return f"{self.column} IS NULL"
        return f"{self.column} {'LIKE' if self.is_like else '='} {compared}"


#: Conditions that must all hold. Several partitions of an object are alternatives.
Partition = frozenset[Condition]


def partition_text(partition: Partition) -> str:
    return " AND ".join(sorted(map(str, partition)))


@dataclass(frozen=True, slots=True)
class NotebookContent:
    """A notebook as it lies beside the pack. Databricks never gives it back: our record tells whether it changed."""

    #: SHA-256 of the bytes, in hex.
    digest: str
    source: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SharedObject:
    """A data object in a share, and how much of it. What is UNMANAGED is the server's to choose."""

    #: Full source name in lower case: `catalog.schema` or `catalog.schema.table`. A notebook has a name of its own, in
    #: the letter case it was given.
    name: str
    #: A pack may leave it out: then it is looked up in the catalog, unless the name has two parts.
    type: Managed[ObjectType] = UNMANAGED
    #: The name it has for its readers: `schema.table`, for notebooks a file name. Lower case, notebooks excepted.
    shared_as: Managed[str] = UNMANAGED
    comment: Managed[str] = UNMANAGED
    #: The partitions that are shared; the empty set shares all of the table.
    partitions: Managed[frozenset[Partition]] = UNMANAGED
    #: Shared with its history, so that readers can travel in time and stream.
    history: Managed[bool] = UNMANAGED
    #: Shared with its change data feed. Not together with `history` in one request.
    cdf: Managed[bool] = UNMANAGED
    #: The oldest version that can be read.
    start_version: Managed[int] = UNMANAGED
    content: Managed[NotebookContent] = UNMANAGED

    def __hash__(self) -> int:
        # A share holds an object once, or a few times under other aliases: its name tells it from nearly all others.
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def of_type(self, kind: Managed[ObjectType]) -> "SharedObject":
        """As `dataclasses.replace`, several times as fast: a plan does it for nearly every object."""
        return SharedObject(
            self.name,
            kind,
            self.shared_as,
            self.comment,
            self.partitions,
            self.history,
            self.cdf,
            self.start_version,
            self.content,
        )


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    comment: Managed[str] = UNMANAGED
    objects: Managed[frozenset[SharedObject]] = UNMANAGED
    #: Names of the recipients that hold SELECT on the share.
    recipients: Managed[frozenset[str]] = UNMANAGED
    #: A user, group or service principal; it must keep the right to read every object.
    owner: Managed[str] = UNMANAGED
    #: Where the server keeps the files of shared notebooks; fixed once there are some.
    storage_root: Managed[str] = UNMANAGED
    #: May not be deleted. Kept in our record only, so that lifting it and deleting are two commits.
    protect: bool = False
