"""Our record: SCD2 rows, plans, work, operations. Every method is one transaction.

Methods that write for a claim check its fence in the same transaction and raise FenceLostError when another worker has
taken over; nothing is written then.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias
from uuid import UUID

from reconciler.core.calls import Operation
from reconciler.core.changes import TokenChange
from reconciler.core.key import Key, PackId
from reconciler.core.pack import Strategy
from reconciler.core.plan import Degraded
from reconciler.core.recorded import PackStatus, RecordedState
from reconciler.core.resource import Resource
from reconciler.core.tenant import Tenant


class LedgerError(Exception):
    """The database cannot be used; says why and what to do, without any secret."""


class NameTakenError(LedgerError):
    """A rename would make two resources on record into one; says which. Nothing was written."""


class FenceLostError(Exception):
    """Another worker holds the pack now; this one must stop."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a work item is to make true of one resource. `resource` None: it is to be gone."""

    key: Key
    resource: Resource | None
    adopt: bool = False
    #: The normal name it has until it is renamed; empty when it is not.
    renamed_from: str = ""
    #: What is to be done about a recipient's token, if anything.
    token: TokenChange | None = None
    #: The pack lets go of it: the rows close, nothing else happens.
    released: bool = False


@dataclass(frozen=True, slots=True)
class PackOrder:
    """One pack of an approved plan, on its way to a worker. It carries intentions, never calls."""

    pack: PackId
    path: str
    workspace: str
    requestor: str
    strategy: Strategy
    #: "yaml" or "xlsx".
    file_format: str
    #: The pack's declared content as plain JSON values; None for a pack that Git removed.
    config: Mapping[str, object] | None
    region: str = ""
    #: What is to be made true; empty when only the record of the pack changes.
    wanted: tuple[Wanted, ...] = ()
    #: The approved actions (`core.actions`): a worker that finds more to do than these stops.
    actions: frozenset[str] = frozenset()
    #: Packs whose work must be done first.
    needs: frozenset[PackId] = frozenset()
    #: Steps left out because something stands against them, in words. With nothing wanted, the pack is FAILED for it.
    held: tuple[str, ...] = ()
    fingerprint: str = ""
    #: Something is deleted or revoked: of several packs, such a one goes first.
    narrows: bool = False
    #: The business line as the tenants file declares it, for the record; a worker needs it for nothing.
    tenant: Tenant | None = None


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """Who wants what, from which commit: the row that work, versions and audit refer to."""

    plan_id: UUID
    #: Empty when the packs were not committed.
    commit: str
    #: Who applied: a user name, or the daemon's.
    actor: str
    #: The plan as JSON, for the record.
    document: Mapping[str, object] = field(default_factory=dict)


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
    #: Not attempted: work it needs did not succeed.
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        return self not in {WorkStatus.WAITING, WorkStatus.RUNNING}


@dataclass(frozen=True, slots=True)
class Work:
    id: UUID
    pack: PackId
    status: WorkStatus
    attempts: int
    #: Empty unless it failed, was skipped, went stale or is waiting for another try.
    reason: str = ""


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
    attempts: int


@dataclass(frozen=True, slots=True)
class NothingToClaim:
    """The work is done, not due yet, waits for other work, or another worker has it."""

    is_finished: bool = False


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


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """No answer; it may have taken effect. The intent stays open until the resource has been read."""

    reason: str


Outcome: TypeAlias = Done | Refused | NotDone | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class PackState:
    """A line of `sharepack status`."""

    pack: PackId
    share_pack_id: UUID
    share_pack_name: str
    status: PackStatus
    strategy: Strategy
    path: str
    workspace: str
    requested_by: str
    #: The commit of the content last submitted.
    commit: str
    #: The commit last applied to the end.
    applied_commit: str
    provisioning_status: str
    error_message: str
    created_at: datetime
    last_updated: datetime
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of one resource, oldest first in a history."""

    key: Key
    version: int
    effective_from: datetime
    #: None while it is current.
    effective_to: datetime | None
    #: None: from here on the resource is deleted.
    resource: Resource | None
    pack: PackId
    created_by: str
    change_reason: str
    commit: str
    plan_id: UUID | None


class Ledger(Protocol):
    async def recorded(self, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
        """Current rows of these keys and of everything these packs own, their open intents, and the packs' rows."""

    async def all_packs(self) -> Sequence[PackId]:
        """Every pack on record that is not deleted."""

    async def save_plan(self, plan: PlanRecord) -> None:
        """Keep the plan. Saving the same id again changes nothing."""

    async def submit(self, plan: PlanRecord, orders: Sequence[PackOrder]) -> Mapping[PackId, UUID | None]:
        """One transaction: tenants, projects, packs (content, then status IN_PROGRESS), requests, and one work row per
        order that wants something. An order that wants nothing only brings the pack's rows up to date (COMPLETED) and
        has no work: None. Waiting work of an older plan for the same pack is superseded (SKIPPED)."""

    async def reject(self, pack: PackId, path: str, reason: str, commit: str, actor: str) -> None:
        """A file of a known pack no longer validates: status VALIDATION_FAILED with the reason. Unknown packs too, when
        enough of them is known to name them."""

    async def claim(self, worker: str, work_id: UUID, lease: float) -> Claimed:
        """Take this work if it is due, its needs are done and nobody else holds the pack. `lease` in seconds."""

    async def due(self, limit: int = 100) -> Sequence[UUID]:
        """Work that could be claimed now, stalled workers' included; narrowing work first, then oldest."""

    async def renew(self, claim: Claim, lease: float) -> None:
        """Hold the pack for another `lease` seconds. Raises FenceLostError."""

    async def begin(self, claim: Claim, operation: Operation) -> UUID:
        """The intent row, written before the call; a rename's stands under the new name. Returns the operation's id.
        Raises NameTakenError before a rename that the record could not follow."""

    async def conclude(self, claim: Claim, operation_id: UUID, outcome: Outcome) -> None:
        """The outcome row. For Done also, in the same transaction: the resource's version as `operation.after` says and
        its audit row. After a rename, the versions of the old name go on under the new one."""

    async def resolve(self, claim: Claim, key: Key, found: Resource | None, *, renamed_from: str = "") -> None:
        """Reading showed what an unfinished operation left behind: close open intents of `key`, and write the version
        (None: absent) if it differs from the current row. An open rename to `key` counts as done when it is found; with
        the old name there too it was not done, and what was found is another's: resolve to None then."""

    async def settle(
        self, claim: Claim, key: Key, resource: Resource | None, reason: str, *, renamed_from: str = ""
    ) -> None:
        """Bring the rows up to date with what is in the workspace (None: it is not there, or we let go of it), without
        any call. With `renamed_from`, the versions of that name go on as those of `key`, if it is on record. Raises
        NameTakenError when `key` is on record too."""

    async def progress(self, claim: Claim, provisioning_status: str) -> None:
        """What the pack's status line says while it is being worked on; a version only when the words change."""

    async def finish(self, claim: Claim, status: WorkStatus, reason: str = "") -> Sequence[UUID]:
        """End the work: status of work and pack, applied commit on success, lease given back. Returns work that became
        due by this (or was skipped because of it is ended likewise)."""

    async def postpone(self, claim: Claim, seconds: float, reason: str) -> None:
        """Try again later: the lease is given back and the work is due after `seconds` (database clock)."""

    async def work(self, ids: Collection[UUID]) -> Sequence[Work]: ...

    async def pack_states(self, pack: PackId | None = None) -> Sequence[PackState]: ...

    async def history(self, kind_and_name: Key) -> Sequence[KeyVersion]:
        """All versions, oldest first; with an empty workspace in the key, of every workspace."""

    async def find_recipients(self, name: str) -> Sequence[Key]:
        """Recipients on record with this name, in any workspace."""

    async def observed(self, pack: PackId, degraded: Mapping[Key, Sequence[Degraded]]) -> None:
        """What a plan saw of this pack's resources; it replaces what was seen before. What is left out is well."""

    async def degraded(self) -> Mapping[PackId, Mapping[Key, tuple[Degraded, ...]]]:
        """What the last plan of each pack on record saw, where there was something."""

    async def close(self) -> None: ...
