"""The worker's last look before a call: both states again, open intents resolved by what is there, one verdict for each
resource. Right after a write, a read need not show it yet: such a read is repeated, within bounds, and never believed
at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.actions import actions
from reconciler.core.actual import Absent, Actual, Found, Unreadable
from reconciler.core.changes import Cause
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.key import Key, Kind
from reconciler.core.lowering import managed_like
from reconciler.core.readers import Moves, moves
from reconciler.core.recorded import RecordedState
from reconciler.core.sight import see
from reconciler.core.steps import NOT_LOOKED_AT
from reconciler.core.verdict import Create, Verdict
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import Ledger
from reconciler.ports.platform import Platform, UnavailableError

if TYPE_CHECKING:
    # A plan looks too, and knows of no work.
    from reconciler.ports.ledger import Claim, Wanted

#: Seconds within which a read need not show what was written. Grants have been seen to lag by up to a minute (contract
#: 4.6); an object that was just made is there within seconds.
GRACE: Final = 30.0
#: Seconds between such reads; they add up to `GRACE`.
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 7.5, 15.0)


@dataclass(frozen=True, slots=True)
class Look:
    recorded: RecordedState
    actual: Actual
    #: In the order of the plan.
    verdicts: Mapping[Key, Verdict]
    #: Keys whose last call was never answered: what the read says of them may be late as well.
    doubtful: frozenset[Key] = frozenset()
    #: Keys that were not looked at, and are taken for absent: they are to be created, which fails if they are there.
    unseen: frozenset[Key] = frozenset()


async def look(
    claim: "Claim", ledger: Ledger, platform: Platform, clock: Clock, grace: float, *, is_sparing: bool = False
) -> Look:
    """With `is_sparing`, what nobody seems to have and was approved to be created is not looked at. Raises
    UnavailableError when an open intent cannot be resolved because its resource cannot be read, and when Databricks
    asks to wait."""
    wanted = {item.key: item for item in claim.order.wanted}
    keys = {*wanted, *_former(wanted.values())}
    recorded = await ledger.recorded(keys, [claim.order.pack])
    unseen = frozenset(key for key, item in wanted.items() if is_sparing and _needs_no_look(item, recorded, claim))
    seen = await settled({*keys, *recorded.open_intents} - unseen, recorded, platform, clock, grace)
    actual = {**seen, **dict.fromkeys(unseen, Absent())}
    _obey(actual)
    for key in sorted(recorded.open_intents):
        await _resolve(claim, key, wanted.get(key), recorded, actual, ledger)
    doubtful = frozenset(recorded.open_intents)
    if doubtful:
        recorded = await ledger.recorded(keys, [claim.order.pack])
    return Look(recorded, actual, _verdicts(wanted, recorded, actual, claim), doubtful, unseen)


def _needs_no_look(wanted: "Wanted", recorded: RecordedState, claim: "Claim") -> bool:
    """It is not on record, no call for it was begun, it had no other name, and making it anew was approved: then a
    look could only tell what the call tells as well, that something bears the name."""
    if wanted.resource is None or wanted.adopt or wanted.renamed_from or wanted.token is not None:
        return False
    if wanted.key in recorded.resources or wanted.key in recorded.open_intents:
        return False
    return actions(wanted.key, Create(wanted.resource, Cause.FILE)) <= claim.order.actions


async def settled(
    keys: Collection[Key], recorded: RecordedState, platform: Platform, clock: Clock, grace: float
) -> Actual:
    """What is there. What was recorded within the last `grace` seconds and seems to be absent is asked for again."""
    actual = await platform.observe(keys)
    for pause in within(grace):
        young = {
            key for key, seen in actual.items() if isinstance(seen, Absent) and _is_young(key, recorded, clock, grace)
        }
        if not young:
            break
        await clock.sleep(pause)
        actual = {**actual, **await platform.observe(young)}
    return actual


def _obey(actual: Actual) -> None:
    waits = [
        seen.retry_after for seen in actual.values() if isinstance(seen, Unreadable) and seen.retry_after is not None
    ]
    if waits:
        raise UnavailableError("Databricks asks to wait", retry_after=max(waits), throttled=True)


def within(grace: float) -> Iterator[float]:
    """Pauses that add up to no more than `grace`."""
    spent = 0.0
    for pause in _PAUSES:
        if spent + pause > grace:
            return
        spent += pause
        yield pause


def _is_young(key: Key, recorded: RecordedState, clock: Clock, grace: float) -> bool:
    row = recorded.resources.get(key)
    return row is not None and row.since is not None and _age(row.since, clock) < grace


def _age(since: datetime, clock: Clock) -> float:
    return (clock.now() - since).total_seconds()


def _former(wanted: "Iterable[Wanted]") -> Iterator[Key]:
    return (replace(item.key, name=item.renamed_from) for item in wanted if item.renamed_from)


async def _resolve(
    claim: "Claim", key: Key, wanted: "Wanted | None", recorded: RecordedState, actual: Actual, ledger: Ledger
) -> None:
    """What is there and nobody wants stays an open intent: only a person can say whose it is."""
    is_wanted = wanted is not None and (wanted.resource is not None or key in recorded.resources)
    match actual[key]:
        case Found() if wanted is not None and _has_old_name(wanted, actual):
            # It was not renamed: what bears the new name is somebody else's.
            await ledger.resolve(claim, key, None)
        case Found(resource) if wanted is not None and is_wanted:
            like = resource if wanted.resource is None else wanted.resource
            sight = see(key, wanted.renamed_from, recorded, actual, {}, NOT_LOOKED_AT)
            was = sight.renamed_from if sight.is_renamed else ""
            await ledger.resolve(claim, key, managed_like(like, resource), renamed_from=was)
        case Found():
            pass
        case Absent():
            await ledger.resolve(claim, key, None)
        case Unreadable(reason):
            raise UnavailableError(f"{key} cannot be read: {reason}")


def _has_old_name(wanted: "Wanted", actual: Actual) -> bool:
    old_key = replace(wanted.key, name=wanted.renamed_from)
    return bool(wanted.renamed_from) and isinstance(actual.get(old_key), Found)


def _verdicts(
    wanted: "Mapping[Key, Wanted]", recorded: RecordedState, actual: Actual, claim: "Claim"
) -> dict[Key, Verdict]:
    """What becomes of recipients decides what will be found of the shares granted to them."""
    recipients = [item for key, item in wanted.items() if key.kind is Kind.RECIPIENT]
    first = {item.key: _verdict(item, recorded, actual, claim, {}) for item in recipients}
    moved = moves(first.items())
    return {
        key: first[key] if key in first else _verdict(item, recorded, actual, claim, moved)
        for key, item in wanted.items()
    }


def _verdict(wanted: "Wanted", recorded: RecordedState, actual: Actual, claim: "Claim", moved: Moves) -> Verdict:
    sight = see(wanted.key, wanted.renamed_from, recorded, actual, moved, NOT_LOOKED_AT)
    return compare(
        ThreeStates(
            desired=wanted.resource,
            recorded=None if sight.row is None else sight.row.resource,
            actual=sight.observed,
            adopt=wanted.adopt,
            rows_behind=sight.rows_behind(claim.order.pack, is_committed=claim.commit != ""),
            renames=sight.renames,
            token=wanted.token,
            released=wanted.released,
            contested=wanted.contested,
        )
    )
