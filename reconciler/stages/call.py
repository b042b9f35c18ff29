"""API calls side by side: their intents are on record before any of them, their outcomes after it, whatever comes of
them. When the record cannot be reached, no call is made; when it goes away meanwhile, outcomes are written as soon as
it is back, or found by reading later. What has ended and is not on record yet goes with whatever is written next."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, TypeVar
from uuid import UUID, uuid4

from reconciler.core.calls import ChangeGrants, CreateRecipient, CreateShare, Operation
from reconciler.core.key import Key
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import (
    Claim,
    Done,
    FenceLostError,
    Ledger,
    LedgerError,
    NameTakenError,
    NotDone,
    Outcome,
    OutcomeUnknown,
    Refused,
    TooNewError,
)
from reconciler.ports.platform import CallReceipt, Platform, RefusedError, UnavailableError
from reconciler.stages.look import GRACE, within

T = TypeVar("T")

#: Part of a lease for which outcomes are kept ready to be written while the database is away.
_PATIENCE: Final = 0.7
#: Seconds between such tries.
_AGAIN: Final = 0.5
#: Calls of a pack that are begun at once, however many a level has: so many can reach Databricks late when the process
#: is stopped until its lease has run out, and other packs get their turns.
AT_ONCE: Final = 16
#: Seconds for which what has ended waits for other calls of its level, to be written with them.
TOGETHER: Final = 2.0


@dataclass(slots=True)
class Hold:
    """How long the right to work on the pack surely lasts."""

    #: By the loop's clock, which goes on while the process is stopped.
    until: float = inf


@dataclass(frozen=True, slots=True)
class Calling:
    """What the calls of one work item have in common."""

    claim: Claim
    ledger: Ledger
    platform: Platform
    clock: Clock
    #: Seconds the claim's lease lasts.
    lease: float = 60.0
    #: Seconds within which Databricks need not know what we made.
    grace: float = GRACE
    #: Says whether the process is to end: then nothing more is begun.
    is_stopping: Callable[[], bool] = lambda: False
    #: Outcomes that are not on record yet, by operation.
    pending: dict[UUID, Outcome] = field(default_factory=dict)
    hold: Hold = field(default_factory=Hold)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of resources beyond what a call says."""

    #: Made by this work so far.
    made: set[Key] = field(default_factory=set)
    #: Calls of this work that went through, by what they were about.
    done: Counter[Key] = field(default_factory=Counter)
    #: What an unanswered call may have made before.
    doubtful: frozenset[Key] = frozenset()
    #: To be created without having been looked at: the call says whether something is there.
    unseen: frozenset[Key] = frozenset()


class StoppedError(Exception):
    """The process is to end; the next calls were not begun."""


class UnseenError(Exception):
    """What was to be created without a look is there already: whose it is, a look has to say."""


@dataclass(frozen=True, slots=True)
class _Answer:
    #: None: nothing can be said of it; the intent stays open until the resource has been read.
    outcome: Outcome | None
    failure: Exception | None = None
    request_id: str = ""


async def carry_out(
    calling: Calling,
    operations: Sequence[Operation],
    words: str,
    known: Known,
    notice: Callable[[Operation, str], None],
) -> None:
    """Calls of one level. All of them end, also when one fails; what they came to is `pending` then. `notice` is told
    each that went through, with the id of its request.

    Raises UnavailableError, RefusedError, StoppedError, UnseenError, or what `Ledger.advance` raises.
    """
    if calling.is_stopping():
        raise StoppedError
    intents = {uuid4(): operation for operation in operations}
    await written(calling, lambda outcomes: calling.ledger.advance(calling.claim, outcomes, intents, words))
    tasks = {
        operation_id: asyncio.create_task(_answer(calling, operation, known))
        for operation_id, operation in intents.items()
    }
    answers: dict[UUID, _Answer] = {}
    try:
        await _all_ended(calling, tasks, answers)
    finally:
        # Only when this process stops, or may not write any more, is there anything left to end.
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        _take(calling, tasks, answers)
        for operation_id, operation in intents.items():
            answer = answers[operation_id]
            if isinstance(answer.outcome, Done):
                known.done[operation.key] += 1
                known.made.update([operation.key] if _is_create(operation) else [])
                notice(operation, answer.request_id)
    failures = [answer.failure for each in intents if (answer := answers[each]).failure is not None]
    if failures:
        raise _weightiest(failure for failure in failures if failure is not None)


async def written(calling: Calling, write: Callable[[Mapping[UUID, Outcome]], Awaitable[T]]) -> T:
    """`write` takes the pending outcomes along; without any it is tried once. Writing them twice is harmless, and so is
    never: an open intent is resolved by reading."""
    now = asyncio.get_running_loop().time
    give_up_at = now() + calling.lease * _PATIENCE
    while True:
        outcomes = dict(calling.pending)
        try:
            answer = await write(outcomes)
        except NameTakenError:
            await _part(calling, outcomes)
            raise
        except LedgerError as error:
            if not outcomes or isinstance(error, TooNewError) or now() + _AGAIN > give_up_at:
                raise
        else:
            _forget(calling, outcomes)
            return answer
        await asyncio.sleep(_AGAIN)


async def record(calling: Calling) -> None:
    """Write what is pending."""
    if calling.pending:
        await written(calling, lambda outcomes: calling.ledger.advance(calling.claim, outcomes, {}))


async def _part(calling: Calling, outcomes: Mapping[UUID, Outcome]) -> None:
    """The record cannot follow one of them, which stays an open intent; the others are written."""
    _forget(calling, outcomes)
    for operation_id, outcome in outcomes.items():
        try:
            await calling.ledger.advance(calling.claim, {operation_id: outcome}, {})
        except NameTakenError:
            continue


def _forget(calling: Calling, outcomes: Iterable[UUID]) -> None:
    for operation_id in outcomes:
        calling.pending.pop(operation_id, None)


async def _all_ended(
    calling: Calling, tasks: Mapping[UUID, asyncio.Task[_Answer]], answers: dict[UUID, _Answer]
) -> None:
    """When one of them takes long, the others are on record before it ends."""
    while True:
        _, waiting = await asyncio.wait(tasks.values(), timeout=TOGETHER)
        _take(calling, tasks, answers)
        if not waiting:
            return
        await record(calling)


def _take(calling: Calling, tasks: Mapping[UUID, asyncio.Task[_Answer]], answers: dict[UUID, _Answer]) -> None:
    for operation_id, task in tasks.items():
        if operation_id not in answers and task.done():
            # One that was cancelled before it began has not been asked for: its intent is resolved by reading too.
            answers[operation_id] = _Answer(None) if task.cancelled() else task.result()
            outcome = answers[operation_id].outcome
            if outcome is not None:
                calling.pending[operation_id] = outcome


async def _answer(calling: Calling, operation: Operation, known: Known) -> _Answer:
    if asyncio.get_running_loop().time() >= calling.hold.until:
        # The process was stopped for a while, or the database away: somebody else may have the pack by now.
        return _Answer(
            NotDone("not sent: the lease had run out"), FenceLostError(f"the lease of {operation.key} ran out")
        )
    try:
        receipt = await _perform(calling, operation, known.made)
    except UnavailableError as error:
        unsure = OutcomeUnknown(error.reason, error.request_id)
        return _Answer(unsure if error.maybe_done else NotDone(error.reason, error.request_id), error)
    except RefusedError as error:
        return _refused(operation, error, known)
    except asyncio.CancelledError:
        return _Answer(OutcomeUnknown("the process ended before the answer came"))
    except Exception as error:  # noqa: BLE001 - it is raised again once the other calls have ended
        return _Answer(None, error)
    return _Answer(Done(receipt.request_id), request_id=receipt.request_id)


def _refused(operation: Operation, error: RefusedError, known: Known) -> _Answer:
    refused = Refused(error.reason, error.code, error.request_id)
    if not _is_create(operation) or not error.code.endswith("ALREADY_EXISTS"):
        return _Answer(refused, error)
    if operation.key in known.unseen:
        return _Answer(refused, UnseenError(str(operation.key)))
    if operation.key in known.doubtful:
        # A create that was never answered has made it after all, although the read did not show it.
        unreadable = UnavailableError(f"{operation.key} is there and cannot be read yet", retry_after=1.0)
        return _Answer(OutcomeUnknown(error.reason, error.request_id), unreadable)
    return _Answer(refused, error)


async def _perform(calling: Calling, operation: Operation, made: set[Key]) -> CallReceipt:
    """What we have just made may not be found yet: the same call goes through a moment later."""
    pauses = within(calling.grace) if operation.key in made or isinstance(operation.call, ChangeGrants) else iter(())
    while True:
        try:
            return await calling.platform.perform(operation.call)
        except RefusedError as error:
            pause = next(pauses, None) if error.missing else None
            if pause is None or calling.is_stopping():
                raise
        await calling.clock.sleep(pause)


def _is_create(operation: Operation) -> bool:
    return isinstance(operation.call, CreateRecipient | CreateShare)


def _weightiest(failures: Iterable[Exception]) -> Exception:
    """What decides how the work goes on: first that somebody else may have the pack, then that everybody has to wait,
    then that a look is needed, otherwise the first of them in the order of the plan."""
    return min(failures, key=_weight)


def _weight(failure: Exception) -> int:
    match failure:
        case FenceLostError():
            return 0
        case UnavailableError(throttled=True):
            return 1
        case UnseenError():
            return 2
        case _:
            return 3
