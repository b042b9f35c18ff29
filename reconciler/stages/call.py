"""One API call: its intent is on record before it, its outcome after it, whatever comes of it. When the record cannot
be reached, no call is made; when it goes away meanwhile, the outcome is written as soon as it is back, or found by
reading later."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from reconciler.core.calls import ChangeGrants, CreateRecipient, CreateShare, Operation
from reconciler.core.key import Key
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import (
    Claim,
    Done,
    Ledger,
    LedgerError,
    NameTakenError,
    NotDone,
    Outcome,
    OutcomeUnknown,
    Refused,
)
from reconciler.ports.platform import CallReceipt, Platform, RefusedError, UnavailableError
from reconciler.stages.look import GRACE, within

#: Part of a lease for which an outcome is kept ready to be written while the database is away.
_PATIENCE: Final = 0.7
#: Seconds between such tries.
_AGAIN: Final = 0.5


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


class StoppedError(Exception):
    """The process is to end; the next call was not begun."""


async def carry_out(calling: Calling, operation: Operation, made: set[Key], doubtful: frozenset[Key]) -> CallReceipt:
    """`made`: what this work item has made so far; `doubtful`: what an unanswered call may have made before.

    Raises UnavailableError, RefusedError, StoppedError, or what `Ledger.begin` and `conclude` raise.
    """
    if calling.is_stopping():
        raise StoppedError
    operation_id = await calling.ledger.begin(calling.claim, operation)
    try:
        receipt = await _perform(calling, operation, made)
    except UnavailableError as error:
        unsure = OutcomeUnknown(error.reason, error.request_id)
        outcome: Outcome = unsure if error.maybe_done else NotDone(error.reason, error.request_id)
        await _conclude(calling, operation_id, outcome)
        raise
    except RefusedError as error:
        if _was_made_before(operation, error, doubtful):
            await _conclude(calling, operation_id, OutcomeUnknown(error.reason, error.request_id))
            raise UnavailableError(f"{operation.key} is there and cannot be read yet", retry_after=1.0) from None
        await _conclude(calling, operation_id, Refused(error.reason, error.code, error.request_id))
        raise
    except asyncio.CancelledError:
        await _conclude(calling, operation_id, OutcomeUnknown("the process ended before the answer came"))
        raise
    await _conclude(calling, operation_id, Done(receipt.request_id))
    if isinstance(operation.call, CreateRecipient | CreateShare):
        made.add(operation.key)
    return receipt


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


def _was_made_before(operation: Operation, error: RefusedError, doubtful: frozenset[Key]) -> bool:
    """A create that was never answered has made it after all, although the read did not show it."""
    is_create = isinstance(operation.call, CreateRecipient | CreateShare)
    return is_create and operation.key in doubtful and error.code.endswith("ALREADY_EXISTS")


async def _conclude(calling: Calling, operation_id: UUID, outcome: Outcome) -> None:
    """Writing it twice is harmless, and so is never: an open intent is resolved by reading."""
    now = asyncio.get_running_loop().time
    give_up_at = now() + calling.lease * _PATIENCE
    while True:
        try:
            return await calling.ledger.conclude(calling.claim, operation_id, outcome)
        except NameTakenError:
            raise
        except LedgerError:
            if now() + _AGAIN > give_up_at:
                raise
        await asyncio.sleep(_AGAIN)
