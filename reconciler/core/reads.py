"""Who can read what, line by line with where it comes from, at any point in time: versions of shares and recipients in,
lines out. Does not say whether that is right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.key import Key, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import ObjectType, Share, SharedObject


@dataclass(frozen=True, slots=True)
class ShareVersion:
    """A version of a share that was in force for a while; `core` knows no rows."""

    key: Key
    share: Share
    pack: PackId
    since: datetime
    #: None: still in force.
    until: datetime | None = None
    commit: str = ""
    created_by: str = ""
    pull_requests: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Reads:
    """One recipient reads one object through one share."""

    recipient: str
    item: SharedObject
    share: Key
    pack: PackId
    #: Since when without a break, and what brought it about then.
    since: datetime
    commit: str
    created_by: str
    pull_requests: str
    approved_by: str

    @property
    def is_schema(self) -> bool:
        """The whole schema, with what is added to it later."""
        return self.item.type is ObjectType.SCHEMA or (self.item.type is UNMANAGED and self.item.name.count(".") == 1)

    def covers(self, object_name: str) -> bool:
        """Whether `object_name` can be read by it: it is the object, or lies in the schema."""
        name = object_name.casefold()
        own = self.item.name.casefold()
        return name == own or (self.is_schema and name.startswith(f"{own}."))


def reads_at(versions: Iterable[ShareVersion], at: datetime | None = None) -> tuple[Reads, ...]:
    """`versions`: those in force at `at` (None: now) and all that came before them of the same share, in any order.
    Since when something can be read goes back over versions for as long as it could be read to the same extent."""
    by_key: dict[Key, list[ShareVersion]] = {}
    for version in versions:
        by_key.setdefault(version.key, []).append(version)
    found = [line for key in by_key for line in _reads_of(sorted(by_key[key], key=lambda each: each.since), at)]
    return tuple(sorted(found, key=lambda line: (line.recipient, line.item.name, line.share)))


def _reads_of(versions: list[ShareVersion], at: datetime | None) -> Iterator[Reads]:
    """Of one share, oldest version first."""
    past = [each for each in versions if at is None or each.since <= at]
    if not past or not _is_in_force(past[-1], at):
        return
    for (recipient, item), first in _since(past).items():
        yield Reads(
            recipient,
            item,
            first.key,
            first.pack,
            first.since,
            first.commit,
            first.created_by,
            first.pull_requests,
            first.approved_by,
        )


def _since(past: list[ShareVersion]) -> dict[tuple[str, SharedObject], ShareVersion]:
    """The version that brought about each reading of the last one. Each version is looked at once, however much it
    holds."""
    first = dict.fromkeys(_pairs(past[-1].share), past[-1])
    unbroken = set(first)
    for earlier, later in zip(reversed(past[:-1]), reversed(past), strict=False):
        unbroken &= set(_pairs(earlier.share))
        if earlier.until != later.since or not unbroken:
            break
        first |= dict.fromkeys(unbroken, earlier)
    return first


def _is_in_force(version: ShareVersion, at: datetime | None) -> bool:
    if version.until is None:
        return True
    return at is not None and at < version.until


def _pairs(share: Share) -> Iterator[tuple[str, SharedObject]]:
    for recipient in () if share.recipients is UNMANAGED else share.recipients:
        for item in () if share.objects is UNMANAGED else share.objects:
            yield recipient, item


def _extents(share: Share) -> frozenset[tuple[str, SharedObject]]:
    return frozenset((recipient, _extent(item)) for recipient, item in _pairs(share))


def _extent(item: SharedObject) -> SharedObject:
    """How much of it can be read, whatever it is called there and whatever is said of it."""
    return replace(item, comment=UNMANAGED, shared_as=UNMANAGED)
