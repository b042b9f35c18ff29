"""One work item: look again, compare again, and do what was approved, call by call.

What to do is `core.compare`'s and `core.lowering`'s answer; this stage carries it out, and says how it ended: done,
held, to be tried again later, refused, overtaken, or in need of a person.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never
from uuid import UUID

from reconciler.core.actions import actions
from reconciler.core.actual import Found
from reconciler.core.calls import Call
from reconciler.core.changes import Cause
from reconciler.core.holds import EXISTENCE, changed_by_hand, declared_digest
from reconciler.core.key import Key, Kind
from reconciler.core.lowering import lower, managed_like
from reconciler.core.retry import MOST_UNEXPLAINED, Failure, delay
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Unknown,
    Update,
    Verdict,
)
from reconciler.ports.ledger import Claim, NameTakenError, PausedError, SupersededError, WorkStatus
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.stages.call import Calling, StoppedError, carry_out
from reconciler.stages.look import Look, look

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
    except (RefusedError, NameTakenError) as error:
        request_id = error.request_id if isinstance(error, RefusedError) else ""
        return replace(await _finish(calling, WorkStatus.FAILED, str(error), Failure.REFUSED), request_id=request_id)


async def _try(calling: Calling, notice: Notice) -> Ended:
    order = calling.claim.order
    seen = await look(calling.claim, calling.ledger, calling.platform, calling.clock, calling.grace)
    refusal = _refusal(calling.claim, seen.verdicts)
    if refusal is not None:
        return await _finish(calling, *refusal)
    await _carry_out_all(calling, seen, notice)
    if order.held:
        return await _finish(calling, WorkStatus.HELD, "; ".join(order.held))
    return await _finish(calling, WorkStatus.DONE)


async def put_back(calling: Calling, seconds: float, reason: str, *, unexplained: bool = False) -> Ended:
    """Given back, with its lease, to be tried again after `seconds`."""
    released = await calling.ledger.postpone(calling.claim, seconds, reason, unexplained=unexplained)
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
    released = await calling.ledger.finish(calling.claim, status, reason, failure)
    return Ended(calling.claim, status, reason, released)


def _refusal(claim: Claim, verdicts: Mapping[Key, Verdict]) -> tuple[WorkStatus, str, Failure] | None:
    """Why to stop before the first call: the world is not what was approved. Raises UnavailableError when it cannot be
    read."""
    for key, verdict in verdicts.items():
        match verdict:
            case Unknown(reason):
                raise UnavailableError(f"{key} cannot be read: {reason}")
            case Conflict(message=message, hint=hint):
                return WorkStatus.FAILED, f"{key} {message}; {hint}", Failure.REFUSED
            case _:
                pass
    now = frozenset().union(*(actions(key, verdict) for key, verdict in verdicts.items()))
    new = sorted(now - claim.order.actions)
    if not new:
        return None
    reason = f"the workspace changed after the plan was approved; not approved: {'; '.join(new)}"
    return WorkStatus.STALE, reason, Failure.NONE


async def _carry_out_all(calling: Calling, seen: Look, notice: Notice) -> None:
    said = ""
    made: set[Key] = set()
    for key, verdict in seen.verdicts.items():
        said = await _say(calling, key, verdict, said)
        await _tell_drift(calling, key, verdict)
        operations = lower(key, verdict)
        for operation in operations:
            receipt = await carry_out(calling, operation, made, seen.doubtful)
            notice(Performed(calling.claim, operation.call, receipt.request_id))
        if not operations:
            await _settle(calling, key, verdict)
        await _count_corrections(calling, key, verdict, seen)


async def _say(calling: Calling, key: Key, verdict: Verdict, said: str) -> str:
    """What the status line says now; written only when there is something to do and the words change."""
    words = _progress_words(key, verdict)
    if words == said or not lower(key, verdict):
        return said
    await calling.ledger.progress(calling.claim, words)
    return words


async def _tell_drift(calling: Calling, key: Key, verdict: Verdict) -> None:
    """What somebody changed by hand gets a version of its own before it is corrected: it is part of who could read
    what, and must not look like our doing."""
    match verdict:
        case Update(before, after, _, Cause.DRIFT | Cause.BOTH):
            found = managed_like(after, before)
            await calling.ledger.settle(calling.claim, key, found, "found changed by hand")
        case Create(_, Cause.DRIFT):
            await calling.ledger.settle(calling.claim, key, None, "found deleted by hand")
        case _:
            pass


async def _count_corrections(calling: Calling, key: Key, verdict: Verdict, seen: Look) -> None:
    """So that a field which somebody keeps changing back is left alone one day."""
    match verdict:
        case Update(changes=changes):
            fields = changed_by_hand(changes)
        case Create(cause=Cause.DRIFT):
            fields = frozenset({EXISTENCE})
        case _:
            fields = frozenset()
    wanted = next(item.resource for item in calling.claim.order.wanted if item.key == key)
    if fields and wanted is not None:
        found = seen.actual.get(key)
        by = found.updated_by if isinstance(found, Found) else ""
        actors = dict.fromkeys(sorted(fields), by)
        await calling.ledger.corrected(calling.claim, key, actors, declared_digest(wanted))


async def _settle(calling: Calling, key: Key, verdict: Verdict) -> None:
    claim, ledger = calling.claim, calling.ledger
    match verdict:
        case Record(before, after):
            was = before.name if before is not None and before.name != after.name else ""
            await ledger.settle(claim, key, after, "recorded as it is in the workspace", renamed_from=was)
        case Adopt(_, after):
            await ledger.settle(claim, key, after, "recorded as it is in the workspace")
        case Forget():
            await ledger.settle(claim, key, None, "gone from the workspace")
        case Release():
            await ledger.settle(claim, key, None, "let go: it stays as it is in the workspace")
        case (
            Create()
            | Update()
            | Rename()
            | Replace()
            | Delete()
            | Keep()
            | Drifted()
            | Ignore()
            | Conflict()
            | Unknown()
        ):
            pass
        case _:
            assert_never(verdict)


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
