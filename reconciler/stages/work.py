"""One work item: look again, compare again, and do what was approved, level by level.

What to do is `core.compare`'s and `core.levels`' answer; this stage carries it out, and says how it ended: done,
held, to be tried again later, refused, overtaken, or in need of a person.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from reconciler.core.actions import actions
from reconciler.core.calls import Call, Operation
from reconciler.core.key import Key, Kind
from reconciler.core.levels import levels
from reconciler.core.retry import MOST_UNEXPLAINED, Failure, delay
from reconciler.core.verdict import Conflict, Create, Delete, Replace, Unknown, Verdict
from reconciler.ports.ledger import Claim, NameTakenError, PausedError, SupersededError, WorkStatus
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.stages.call import AT_ONCE, Calling, Known, StoppedError, UnseenError, carry_out, record, written
from reconciler.stages.look import Look, look
from reconciler.stages.settle import count_corrections, settle, tell_drift

#: Seconds after which a call that was given up has ended too, so that nobody reads before it can have taken effect.
_IN_FLIGHT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Performed:
    """A call went through."""

    claim: Claim
    call: Call
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    claim: Claim
    #: WAITING when it will be tried again.
    status: WorkStatus
    reason: str = ""
    #: Work that became due by this.
    released: Sequence[UUID] = ()
    #: Seconds until the next try, when it will be tried again.
    retry_in: float | None = None
    #: Databricks' id of the request that ended it, if one did.
    request_id: str = ""


Notice = Callable[[Performed], None]


async def work(calling: Calling, notice: Notice, spread: float) -> Ended:
    """Carry out a claim to its end, or put it back. Raises FenceLostError when another worker has taken over, and
    LedgerError when the record cannot be reached.

    `spread` in 0..1 is a random number that spreads retries.
    """
    try:
        return await _attempt(calling, notice, spread)
    except (RefusedError, NameTakenError) as error:
        request_id = error.request_id if isinstance(error, RefusedError) else ""
        return replace(await _finish(calling, WorkStatus.FAILED, str(error), Failure.REFUSED), request_id=request_id)


async def _attempt(calling: Calling, notice: Notice, spread: float) -> Ended:
    try:
        return await _try(calling, notice)
    except UnavailableError as error:
        return await _unavailable(calling, error, spread)
    except PausedError as error:
        return await put_back(calling, error.seconds * (1 + 0.2 * spread), str(error))
    except StoppedError:
        return await put_back(calling, 0.0, "its worker was told to stop")
    except asyncio.CancelledError:
        await put_back(calling, _IN_FLIGHT, "its worker had to stop before a call was answered")
        raise
    except SupersededError:
        return await _finish(calling, WorkStatus.SKIPPED, "superseded by a newer plan")


async def _try(calling: Calling, notice: Notice) -> Ended:
    """What is to be created and seems to be nobody's is not looked at: if something bears the name, the call says so,
    and then all is looked at."""
    try:
        ended = await _look_and_do(calling, notice, is_sparing=True)
    except UnseenError:
        await record(calling)
        ended = await _look_and_do(calling, notice, is_sparing=False)
    return ended


async def _look_and_do(calling: Calling, notice: Notice, *, is_sparing: bool) -> Ended:
    order = calling.claim.order
    seen = await look(
        calling.claim, calling.ledger, calling.platform, calling.clock, calling.grace, is_sparing=is_sparing
    )
    refusal = _refusal(calling.claim, seen)
    if refusal is not None:
        return await _finish(calling, *refusal)
    await _carry_out_all(calling, seen, notice)
    if order.held:
        return await _finish(calling, WorkStatus.HELD, "; ".join(order.held))
    return await _finish(calling, WorkStatus.DONE)


async def put_back(calling: Calling, seconds: float, reason: str, *, unexplained: bool = False) -> Ended:
    """Given back, with its lease, to be tried again after `seconds`."""
    released = await written(
        calling,
        lambda outcomes: calling.ledger.postpone(calling.claim, seconds, reason, outcomes, unexplained=unexplained),
    )
    return Ended(calling.claim, WorkStatus.WAITING, reason, released, seconds)


async def not_understood(calling: Calling, reason: str, spread: float, asked: float | None = None) -> Ended:
    """A failure of which nobody knows whether it passes: a few tries, then a person has to look."""
    claim = calling.claim
    if claim.unexplained + 1 >= MOST_UNEXPLAINED:
        words = f"needs attention, failed {MOST_UNEXPLAINED} times: {reason}"
        return await _finish(calling, WorkStatus.NEEDS_ATTENTION, words, Failure.UNKNOWN)
    return await put_back(calling, delay(claim.setbacks + 1, asked, spread), reason, unexplained=True)


async def _unavailable(calling: Calling, error: UnavailableError, spread: float) -> Ended:
    claim = calling.claim
    if not error.understood:
        ended = await not_understood(calling, error.reason, spread, error.retry_after)
    else:
        seconds = delay(claim.setbacks + 1, error.retry_after, spread)
        if error.throttled:
            await calling.ledger.pause(claim.order.workspace, seconds, error.reason)
        ended = await put_back(calling, seconds, error.reason)
    return replace(ended, request_id=error.request_id)


async def _finish(calling: Calling, status: WorkStatus, reason: str = "", failure: Failure = Failure.NONE) -> Ended:
    released = await written(
        calling, lambda outcomes: calling.ledger.finish(calling.claim, status, reason, failure, outcomes)
    )
    return Ended(calling.claim, status, reason, released)


def _refusal(claim: Claim, seen: Look) -> tuple[WorkStatus, str, Failure] | None:
    """Why to stop before the first call: the world is not what was approved. Raises UnavailableError when it cannot be
    read."""
    for key, verdict in seen.verdicts.items():
        match verdict:
            case Unknown(reason):
                raise UnavailableError(f"{key} cannot be read: {reason}")
            case Conflict(message=message, hint=hint):
                return WorkStatus.FAILED, f"{key} {message}; {hint}", Failure.REFUSED
            case _:
                pass
    # What was not looked at is created as approved, or it would have been looked at.
    asked = (item for item in seen.verdicts.items() if not (item[0] in seen.unseen and isinstance(item[1], Create)))
    now = frozenset().union(*(actions(key, verdict) for key, verdict in asked))
    new = sorted(now - claim.order.actions)
    if not new:
        return None
    reason = f"the workspace changed after the plan was approved; not approved: {'; '.join(new)}"
    return WorkStatus.STALE, reason, Failure.NONE


async def _carry_out_all(calling: Calling, seen: Look, notice: Notice) -> None:
    """Level by level; what one of them came to is written with the intents of the next."""
    said = ""
    known = Known(doubtful=seen.doubtful, unseen=seen.unseen)
    plan = levels(seen.verdicts)
    calls = Counter(operation.key for level in plan for operation in level.operations)
    for level in plan:
        for key in level.settled:
            await settle(calling, key, seen.verdicts[key])
        for start in range(0, len(level.operations), AT_ONCE):
            operations = level.operations[start : start + AT_ONCE]
            keys = [operation.key for operation in operations]
            for key in (key for key in keys if not known.done[key]):
                await tell_drift(calling, key, seen.verdicts[key])
            words = _progress_words(keys[0], seen.verdicts[keys[0]])
            new_words = "" if words == said else words
            failure = await _failure_of(carry_out(calling, operations, new_words, known, _told(calling, notice)))
            said = words
            for key in (key for key in keys if known.done[key] == calls[key]):
                await count_corrections(calling, key, seen.verdicts[key], seen)
            if failure is not None:
                raise failure


async def _failure_of(level: Awaitable[None]) -> Exception | None:
    """What Databricks said no to, or could not be asked; what went through in its level is counted all the same."""
    try:
        await level
    except (UnavailableError, RefusedError, UnseenError) as failure:
        return failure
    return None


def _told(calling: Calling, notice: Notice) -> Callable[[Operation, str], None]:
    return lambda operation, request_id: notice(Performed(calling.claim, operation.call, request_id))


def _progress_words(key: Key, verdict: Verdict) -> str:
    match verdict:
        case Create():
            verb = "Creating"
        case Delete():
            verb = "Deleting"
        case Replace():
            verb = "Replacing"
        case _:
            verb = "Updating"
    return f"{verb} {'recipients' if key.kind is Kind.RECIPIENT else 'shares'}..."
