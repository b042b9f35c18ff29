"""How many data objects of each type Databricks takes in one share. Of plain names that is known only once their types
have been looked up; what a file tells by itself is checked with the file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.core.managed import UNMANAGED
from reconciler.core.share import TABLE_LIKE, ObjectType, SharedObject

#: Databricks' resource limits, per share.
LIMITS: Final[Mapping[str, int]] = {
    "tables": 1_000,
    "volumes": 1_000,
    "models": 1_000,
    "functions": 1_000,
    "schemas": 500,
    "notebooks": 100,
}
#: Feature specs have no limit that is known.
COUNTED: Final[Mapping[ObjectType, str]] = {
    **dict.fromkeys(TABLE_LIKE, "tables"),
    ObjectType.VOLUME: "volumes",
    ObjectType.MODEL: "models",
    ObjectType.FUNCTION: "functions",
    ObjectType.SCHEMA: "schemas",
    ObjectType.NOTEBOOK_FILE: "notebooks",
}


def too_many(objects: Iterable[SharedObject]) -> Iterator[str]:
    """In words, each kind that is over its limit."""
    counts = Counter(COUNTED[item.type] for item in objects if item.type is not UNMANAGED and item.type in COUNTED)
    for counted, count in sorted(counts.items()):
        if count > LIMITS[counted]:
            yield f"would hold {count:,} {counted}, and Databricks takes at most {LIMITS[counted]:,} in one share"
