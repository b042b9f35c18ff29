"""What need not be read again, because lists tell that it is as it was when it was read in full. Decides which packs of
a quiet look are unchanged and which are to be read; what a list cannot tell counts as changed. Reads nothing.

Never a proof for long: every pack is read in full at a slower beat, and a workspace in which an object changed while
the `updated_at` of its share did not is always read in full from then on.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum, auto
from operator import attrgetter
from typing import Final

from reconciler.core.actual import Actual, Found, Observed
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import PackPlan
from reconciler.core.recipient import FederationPolicy, OidcSharing, Recipient
from reconciler.core.recorded import RecordedPack
from reconciler.core.resource import Resource
from reconciler.core.share import Share, SharedObject
from reconciler.core.verdict import Keep

#: Milliseconds. Databricks tells times in milliseconds, and within one there may be two changes: what was read right
#: after a change may be older than another change with the same `updated_at`.
SETTLED_AFTER: Final = 5_000
#: Of so many looks at a pack one reads it in full; for some packs that comes earlier, so that it is not all at once.
FULL_EVERY: Final = 8
EARLIER: Final = 0.25
_VALUES: Final = attrgetter(*(each.name for each in fields(SharedObject)))
#: Calls that it takes to learn who calls.
_CALLS_FOR_CALLER: Final = 3


class GrantsBy(Enum):
    """Whose grants are asked for, to learn who may read our shares."""

    SHARE = auto()
    RECIPIENT = auto()


@dataclass(frozen=True, slots=True)
class Known:
    """A resource as it was read in full last. Of a share's objects only `contents` is kept."""

    found: Found
    #: Tells within one process whether objects are the same.
    contents: int
    #: When it was read, in epoch milliseconds by our own clock.
    read_at: int
    #: Whether any later change must bear another `updated_at`.
    is_settled: bool


@dataclass(frozen=True, slots=True)
class KnownPack:
    """A pack that was as it should be when it was read in full."""

    row: RecordedPack
    keys: frozenset[Key]
    #: How often it may still be looked at by lists alone.
    looks_left: int
    #: From then on time itself makes something due, in epoch milliseconds; None: it never does.
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What one process knows. Nothing of it outlives the process: a restart begins with a full pass."""

    resources: Mapping[Key, Known] = field(default_factory=dict)
    packs: Mapping[PackId, KnownPack] = field(default_factory=dict)
    #: Workspaces whose `updated_at` was seen to stay the same while an object changed.
    distrusted: frozenset[str] = frozenset()
    #: Workspaces whose recipients were asked which shares they may read, and not all told.
    tight_lipped: frozenset[str] = frozenset()
    #: Pages that the lists of a workspace had.
    pages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lists:
    """What lists tell of one workspace. A resource that is missing here may still be there."""

    resources: Actual = field(default_factory=dict)
    #: Of shares; None: it could not be told.
    readers: Mapping[Key, frozenset[str] | None] = field(default_factory=dict)
    #: Of recipients with OIDC.
    policies: Mapping[Key, frozenset[FederationPolicy] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadInFull:
    """What a full look at some packs saw."""

    actual: Actual
    #: Those that were as they should be, with their rows of before the look.
    quiet: Collection[tuple[PackPlan, RecordedPack]]
    #: When reading began, in epoch milliseconds.
    began_at: int


def candidates(
    memory: Memory, scope: Iterable[PackId], rows: Mapping[PackId, RecordedPack], now: int
) -> frozenset[PackId]:
    """Packs that lists may tell enough about: `rows` are those on record now."""
    found = ((pack, memory.packs.get(pack)) for pack in scope)
    return frozenset(
        pack
        for pack, known in found
        if known is not None
        and known.looks_left > 0
        and (known.until is None or now < known.until)
        and rows.get(pack) == known.row
        and known.row.workspace not in memory.distrusted
    )


def pays(keys: Collection[Key], pages: int) -> bool:
    """Whether lists take fewer calls than reading each of these in full, all of one workspace."""
    shares = sum(key.kind is Kind.SHARE for key in keys)
    return pages + shares < len(keys) + shares


def grants_by(shares: int, recipients: int, *, sees_all: bool | None) -> GrantsBy:
    """`recipients`: all that the list shows, foreign ones too, each of which may have been given one of our shares.
    That these are all there are is known only where `sees_all`; None: it was not asked yet."""
    if sees_all is False:
        return GrantsBy.SHARE
    more = _CALLS_FOR_CALLER if sees_all is None else 0
    return GrantsBy.RECIPIENT if recipients + more < shares else GrantsBy.SHARE


def readers_by_share(shares: Iterable[Key], read_by: Mapping[Key, frozenset[str]]) -> dict[Key, frozenset[str]]:
    """Who may read each share, from the shares that each recipient may read."""
    readers: dict[str, set[str]] = {}
    for recipient, names in read_by.items():
        for name in names:
            readers.setdefault(name, set()).add(recipient.name)
    return {share: frozenset(readers.get(share.name, ())) for share in shares}


def plausible(memory: Memory, packs: Iterable[PackId], listed: Actual) -> frozenset[PackId]:
    """Packs of which the lists show nothing else than what is known. What lists leave out is asked for these alone."""
    same = {key for key, seen in listed.items() if key in memory.resources and _is_listed(memory.resources[key], seen)}
    return frozenset(pack for pack in packs if memory.packs[pack].keys <= same)


def unchanged(memory: Memory, packs: Iterable[PackId], lists: Lists) -> frozenset[PackId]:
    return frozenset(
        pack
        for pack in plausible(memory, packs, lists.resources)
        if all(_is_told(key, memory.resources[key], lists) for key in memory.packs[pack].keys)
    )


def looked(memory: Memory, packs: Iterable[PackId]) -> Memory:
    """After lists told that these are unchanged."""
    counted = {pack: replace(memory.packs[pack], looks_left=memory.packs[pack].looks_left - 1) for pack in packs}
    return replace(memory, packs={**memory.packs, **counted})


def forget(memory: Memory, packs: Iterable[PackId]) -> Memory:
    """They are read in full next. What their resources were stays known, to be compared with."""
    gone = frozenset(packs)
    if gone.isdisjoint(memory.packs):
        return memory
    return replace(memory, packs={pack: known for pack, known in memory.packs.items() if pack not in gone})


def learned(memory: Memory, read: ReadInFull, full_every: int, spread: Callable[[], float]) -> Memory:
    """After a full look at packs that were forgotten before. `spread` gives random numbers in 0..1."""
    resources = dict(memory.resources)
    for key, seen in read.actual.items():
        if isinstance(seen, Found):
            resources[key] = _known(seen, read.began_at, memory.resources.get(key))
        else:
            resources.pop(key, None)
    packs = dict(memory.packs)
    for plan, row in read.quiet:
        if all(isinstance(step.verdict, Keep) and step.key in resources for step in plan.steps):
            looks = round(full_every * (1 - EARLIER * spread())) - 1
            keys = frozenset(step.key for step in plan.steps)
            packs[plan.pack] = KnownPack(row, keys, looks, _until(plan, resources))
    return replace(memory, resources=resources, packs=packs)


def betrayed(memory: Memory, actual: Actual) -> tuple[Key, ...]:
    """Shares whose objects have changed since they were read in full last, while their `updated_at` has not."""
    return tuple(
        key
        for key, seen in actual.items()
        if isinstance(seen, Found)
        and (known := memory.resources.get(key)) is not None
        and known.is_settled
        and known.found.updated_at == seen.updated_at
        and known.contents != _contents(seen)
    )


def _known(seen: Found, began_at: int, before: Known | None) -> Known:
    at = seen.updated_at
    was_there = before is not None and before.found.updated_at == at and began_at - before.read_at >= SETTLED_AFTER
    is_settled = at is not None and (began_at - at >= SETTLED_AFTER or was_there)
    return Known(_without_objects(seen), _contents(seen), began_at, is_settled)


def _without_objects(seen: Found) -> Found:
    if not isinstance(seen.resource, Share):
        return seen
    return replace(seen, resource=replace(seen.resource, objects=UNMANAGED), denied=frozenset())


def _contents(seen: Found) -> int:
    """Of all that an object has: its own hash is that of its name alone."""
    if not isinstance(seen.resource, Share) or seen.resource.objects is UNMANAGED:
        return 0
    return hash(frozenset(map(_VALUES, seen.resource.objects)))


def _until(plan: PackPlan, resources: Mapping[Key, Known]) -> int | None:
    """The first token to be replaced because of its age."""
    due = [at for step in plan.steps if (at := _rotation_due(step.desired, resources[step.key].found)) is not None]
    return min(due, default=None)


def _rotation_due(desired: Resource | None, found: Found) -> int | None:
    if not isinstance(desired, Recipient) or desired.rotate_every is UNMANAGED or not found.tokens:
        return None
    return found.tokens[0].created_at + desired.rotate_every * 1000


def _is_listed(known: Known, seen: Observed) -> bool:
    """Whether the list shows it as it is known."""
    if not isinstance(seen, Found) or not known.is_settled or seen.updated_at != known.found.updated_at:
        return False
    match known.found.resource:
        case Share() as share:
            return replace(known.found, resource=replace(share, recipients=UNMANAGED)) == seen
        case Recipient() as recipient:
            return _as_listed(known.found, recipient, seen) == seen


def _is_told(key: Key, known: Known, lists: Lists) -> bool:
    """Whether what lists leave out is as it is known."""
    match known.found.resource:
        case Share() as share:
            return lists.readers.get(key) == share.recipients
        case Recipient() as recipient:
            return not uses_policies(known) or lists.policies.get(key) == recipient.policies


def uses_policies(known: Known) -> bool:
    """Whether a list leaves out who may sign in as the recipient."""
    resource = known.found.resource
    return isinstance(resource, Recipient) and isinstance(resource.authentication, OidcSharing)


def _as_listed(known: Found, recipient: Recipient, seen: Found) -> Found:
    """A list need not carry tokens, and without them not when they end; when it does, they are compared."""
    has_end = bool(seen.tokens) or (isinstance(seen.resource, Recipient) and seen.resource.expires_at is not UNMANAGED)
    listed = replace(recipient, policies=UNMANAGED, expires_at=recipient.expires_at if has_end else UNMANAGED)
    return replace(known, resource=listed, tokens=known.tokens if seen.tokens else ())
