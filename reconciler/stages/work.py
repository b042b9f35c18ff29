"""One work item: look again, compare again, and do what was approved, call by call.

Before each call its intent is written, after it its outcome together with what is now true. An intent that was left
open is resolved by reading. What to do is `core.compare`'s and `core.lowering`'s answer; this stage carries it out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from reconciler.core.actions import actions
from reconciler.core.actual import Absent, Actual, Found, Unreadable
from reconciler.core.calls import Call, Operation
from reconciler.core.changes import Cause
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.key import Key, Kind
from reconciler.core.lowering import lower, managed_like
from reconciler.core.readers import Moves, moves
from reconciler.core.recorded import RecordedState
from reconciler.core.retry import delay
from reconciler.core.sight import see
from reconciler.core.steps import NOT_LOOKED_AT
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
from reconciler.ports.ledger import (
    Claim,
    Done,
    Ledger,
    NameTakenError,
    NotDone,
    OutcomeUnknown,
    Refused,
    Wanted,
    WorkStatus,
)
from reconciler.ports.platform import Platform, RefusedError, UnavailableError


@dataclass(frozen=True, slots=True)
class Performed:
    """A call went through."""

    claim: Claim
    call: Call


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


Notice = Callable[[Performed], None]


async def work(claim: Claim, ledger: Ledger, platform: Platform, notice: Notice, spread: float) -> Ended:
    """Carry out a claim to its end, or put it back. Raises FenceLostError when another worker has taken over.

    `spread` in 0..1 is a random number that spreads retries.
    """
    wanted = {item.key: item for item in claim.order.wanted}
    try:
        recorded, actual = await _look(claim, wanted, ledger, platform)
        verdicts = _verdicts(wanted, recorded, actual, claim)
        if (ended := await _refuse(claim, verdicts, ledger)) is not None:
            return ended
        said = ""
        for key, verdict in verdicts.items():
            said = await _say(claim, key, verdict, said, ledger)
            await _carry_out(claim, key, verdict, ledger, platform, notice)
    except UnavailableError as error:
        seconds = delay(claim.attempts, error.retry_after, spread)
        await ledger.postpone(claim, seconds, error.reason)
        return Ended(claim, WorkStatus.WAITING, error.reason, retry_in=seconds)
    except (RefusedError, NameTakenError) as error:
        return await _finish(claim, ledger, WorkStatus.FAILED, str(error))
    if claim.order.held:
        return await _finish(claim, ledger, WorkStatus.HELD, "; ".join(claim.order.held))
    return await _finish(claim, ledger, WorkStatus.DONE)


async def _finish(claim: Claim, ledger: Ledger, status: WorkStatus, reason: str = "") -> Ended:
    released = await ledger.finish(claim, status, reason)
    return Ended(claim, status, reason, released)


async def _look(
    claim: Claim, wanted: Mapping[Key, Wanted], ledger: Ledger, platform: Platform
) -> tuple[RecordedState, Actual]:
    """Both states, after every open intent of the pack has been resolved by what is there now."""
    keys = {*wanted, *_former(wanted.values())}
    recorded = await ledger.recorded(keys, [claim.order.pack])
    actual = await platform.observe({*keys, *recorded.open_intents})
    for key in sorted(recorded.open_intents):
        await _resolve(claim, key, wanted.get(key), recorded, actual, ledger)
    unresolved = bool(recorded.open_intents)
    return (await ledger.recorded(keys, [claim.order.pack]) if unresolved else recorded), actual


def _former(wanted: Iterable[Wanted]) -> Iterator[Key]:
    return (replace(item.key, name=item.renamed_from) for item in wanted if item.renamed_from)


async def _resolve(
    claim: Claim, key: Key, wanted: Wanted | None, recorded: RecordedState, actual: Actual, ledger: Ledger
) -> None:
    """What is there and nobody wants stays an open intent: only a person can say whose it is."""
    match actual[key]:
        case Found() if wanted is not None and _has_old_name(wanted, actual):
            # It was not renamed: what bears the new name is somebody else's.
            await ledger.resolve(claim, key, None)
        case Found(resource) if wanted is not None:
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


def _has_old_name(wanted: Wanted, actual: Actual) -> bool:
    old_key = replace(wanted.key, name=wanted.renamed_from)
    return bool(wanted.renamed_from) and isinstance(actual.get(old_key), Found)


def _verdicts(
    wanted: Mapping[Key, Wanted], recorded: RecordedState, actual: Actual, claim: Claim
) -> dict[Key, Verdict]:
    """In the order of the plan. What becomes of recipients decides what will be found of the shares granted to them."""
    recipients = [item for key, item in wanted.items() if key.kind is Kind.RECIPIENT]
    first = {item.key: _verdict(item, recorded, actual, claim, {}) for item in recipients}
    moved = moves(first.items())
    return {
        key: first[key] if key in first else _verdict(item, recorded, actual, claim, moved)
        for key, item in wanted.items()
    }


def _verdict(wanted: Wanted, recorded: RecordedState, actual: Actual, claim: Claim, moved: Moves) -> Verdict:
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
        )
    )


async def _refuse(claim: Claim, verdicts: Mapping[Key, Verdict], ledger: Ledger) -> Ended | None:
    """Stop before the first call when the world is not what was approved."""
    for key, verdict in verdicts.items():
        match verdict:
            case Unknown(reason):
                raise UnavailableError(f"{key} cannot be read: {reason}")
            case Conflict(message=message, hint=hint):
                return await _finish(claim, ledger, WorkStatus.FAILED, f"{key} {message}; {hint}")
            case _:
                pass
    now = frozenset().union(*(actions(key, verdict) for key, verdict in verdicts.items()))
    new = sorted(now - claim.order.actions)
    if new:
        reason = f"the workspace changed after the plan was approved; not approved: {'; '.join(new)}"
        return await _finish(claim, ledger, WorkStatus.STALE, reason)
    return None


async def _say(claim: Claim, key: Key, verdict: Verdict, said: str, ledger: Ledger) -> str:
    """What the status line says now; written only when there is something to do and the words change."""
    words = _progress_words(key, verdict)
    if words == said or not lower(key, verdict):
        return said
    await ledger.progress(claim, words)
    return words


async def _carry_out(
    claim: Claim, key: Key, verdict: Verdict, ledger: Ledger, platform: Platform, notice: Notice
) -> None:
    operations = lower(key, verdict)
    await _tell_drift(claim, key, verdict, ledger)
    for operation in operations:
        await _perform(claim, operation, ledger, platform)
        notice(Performed(claim, operation.call))
    if not operations:
        await _settle(claim, key, verdict, ledger)


async def _tell_drift(claim: Claim, key: Key, verdict: Verdict, ledger: Ledger) -> None:
    """What somebody changed by hand gets a version of its own before it is corrected: it is part of who could read
    what, and must not look like our doing."""
    match verdict:
        case Update(before, after, _, Cause.DRIFT | Cause.BOTH):
            await ledger.settle(claim, key, managed_like(after, before), "found changed by hand")
        case Create(_, Cause.DRIFT):
            await ledger.settle(claim, key, None, "found deleted by hand")
        case _:
            pass


async def _perform(claim: Claim, operation: Operation, ledger: Ledger, platform: Platform) -> None:
    operation_id = await ledger.begin(claim, operation)
    try:
        receipt = await platform.perform(operation.call)
    except UnavailableError as error:
        outcome = OutcomeUnknown(error.reason) if error.maybe_done else NotDone(error.reason)
        await ledger.conclude(claim, operation_id, outcome)
        raise
    except RefusedError as error:
        await ledger.conclude(claim, operation_id, Refused(error.reason, error.code, error.request_id))
        raise
    await ledger.conclude(claim, operation_id, Done(receipt.request_id))


async def _settle(claim: Claim, key: Key, verdict: Verdict, ledger: Ledger) -> None:
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
