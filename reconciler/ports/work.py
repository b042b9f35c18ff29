"""Work as it is claimed, held and ended, and what came of each call of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from reconciler.core.key import PackId
from reconciler.ports.orders import PackOrder


class WorkStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    #: All that may be done is done; held steps remain. Work that needs this one goes on; the pack is FAILED with the
    #: reason, and its applied commit stays.
    HELD = "held"
    #: The worker found more to do than was approved.
    STALE = "stale"
    #: Not attempted: work it needs did not succeed, or a newer plan took its place.
    SKIPPED = "skipped"
    #: It failed several times in a way nobody understands.
    NEEDS_ATTENTION = "needs_attention"

    @property
    def is_final(self) -> bool:
        return self not in {WorkStatus.WAITING, WorkStatus.RUNNING}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lease of a pack."""

    worker: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Work:
    id: UUID
    pack: PackId
    status: WorkStatus
    attempts: int
    #: Empty unless it failed, was skipped, went stale or is waiting for another try.
    reason: str = ""
    #: Who has its pack now, for this or for older work of it. Nobody, once it has ended.
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one pack, until the lease runs out."""

    work_id: UUID
    order: PackOrder
    plan_id: UUID
    commit: str
    actor: str
    worker: str
    fence: int
    #: Times it was claimed, this time included.
    attempts: int
    #: Times in a row that it was put back, before this one.
    setbacks: int = 0
    #: Times that it failed in a way nobody understands.
    unexplained: int = 0
    #: Times that a worker claimed it and was not heard of again.
    vanished: int = 0


@dataclass(frozen=True, slots=True)
class NothingToClaim:
    """The work is done, not due yet, waits for other work, or another worker has it."""

    is_finished: bool = False
    #: Another worker has it.
    held_by: Holder | None = None
    #: Seconds until it is due, when it is only not due yet.
    due_in: float | None = None


Claimed: TypeAlias = Claim | NothingToClaim


@dataclass(frozen=True, slots=True)
class Done:
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    reason: str
    code: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class NotDone:
    """The call certainly had no effect (throttled, unreachable before anything was sent)."""

    reason: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """No answer; it may have taken effect. The intent stays open until the resource has been read."""

    reason: str
    request_id: str = ""


Outcome: TypeAlias = Done | Refused | NotDone | OutcomeUnknown
