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

from reconciler.core.approval import Approved
from reconciler.core.calls import Operation
from reconciler.core.changes import TokenChange
from reconciler.core.holds import Holds, Suspension
from reconciler.core.key import Key, PackId
from reconciler.core.pack import Strategy
from reconciler.core.policy import Standing
from reconciler.core.recorded import PackStatus, RecordedState
from reconciler.core.resource import Resource
from reconciler.core.retry import Failure
from reconciler.core.review import Review
from reconciler.core.sighting import Sighting
from reconciler.core.tenant import Tenant


class LedgerError(Exception):
    """The database cannot be used; says why and what to do, without any secret."""


class NameTakenError(LedgerError):
    """A rename would make two resources on record into one; says which. Nothing was written."""


class TooNewError(LedgerError):
    """A newer version of this program wrote the schema or the order: this one must not write. Says to upgrade."""


class FenceLostError(Exception):
    """Another worker holds the pack now; this one must stop."""


class SupersededError(Exception):
    """A newer plan wants something else of the pack; what this one has begun is the newer one's to finish."""


class PausedError(Exception):
    """The workspace has asked everybody to wait."""

    def __init__(self, workspace: str, seconds: float) -> None:
        super().__init__(f"{workspace} has asked to wait; {seconds:.0f} s remain")
        self.seconds = seconds


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
    #: Fields that are left as they are (`core.holds.path_of`).
    contested: frozenset[str] = frozenset()


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
    #: What a refusal of this work would depend on (`core.policy.basis_of`).
    basis: str = ""
    #: Who stands behind it; for `requests`, and for `audit_trail` and the history of what the worker does.
    review: Review = field(default_factory=Review)
    #: The newest work of the pack when it was planned (`RecordedPack.generation`). When there is newer work by now, the
    #: order is outdated. None: it does not matter.
    generation: int | None = None


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
    #: Not attempted: work it needs did not succeed, or a newer plan took its place.
    SKIPPED = "skipped"
    #: It failed several times in a way nobody understands.
    NEEDS_ATTENTION = "needs_attention"

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
    #: Who has its pack now, for this or for older work of it. Nobody, once it has ended.
    held_by: "Holder | None" = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lease of a pack."""

    worker: str
    since: datetime
    until: datetime


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
    #: Who stands behind the change, as texts (`Review.pull_requests_text`, `approved_by_text`); empty when nobody said.
    pull_requests: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan that reviewers of a pull request were shown."""

    #: `owner/name`.
    repository: str
    number: int
    #: Full id of the pull request's newest commit when it was shown.
    head: str
    #: `Plan.fingerprint`.
    fingerprint: str
    #: Packs with something to do.
    packs: Mapping[PackId, Approved]
    #: By the database's clock; None before it is stored.
    shown_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """An API call on record."""

    work_id: UUID
    pack: PackId
    key: Key
    #: The call's name, such as `ChangeGrants`.
    call: str
    #: The call's fields, for people (`adapters.postgres.calls`).
    details: Mapping[str, object]
    #: `begun` and `unknown` are open; `done`, `refused`, `not_done` and `resolved` are not.
    outcome: str
    begun_at: datetime
    concluded_at: datetime | None = None
    reason: str = ""
    code: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that was heard of."""

    name: str
    #: Whether it led when it was heard of last.
    leads: bool
    seen_at: datetime
    #: When it last looked at every pack; None: never.
    full_pass_at: datetime | None = None
    #: The commit it followed; empty outside Git.
    commit: str = ""
    #: Why the packs cannot be fetched; empty when they can.
    source_failure: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to watch, counted in one go. Ages in seconds by the database's clock; None: there is none."""

    packs: Mapping[PackStatus, int]
    #: Waiting or being done.
    unfinished: int
    oldest_unfinished: float | None
    needing_attention: int
    #: Calls whose outcome nobody knows yet.
    unknown_outcomes: int
    #: Resources with changes made by hand that are not corrected.
    drifted: int
    oldest_drift: float | None
    suspended: int
    contested: int
    #: Workspaces that have asked everybody to wait.
    paused: int
    #: Since any daemon last looked at every pack.
    last_full_pass: float | None


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    #: Such as `16.4`.
    version: str
    #: Of the schema, and the newest this program knows.
    revision: str
    known_revision: str
    now: datetime


class Ledger(Protocol):
    async def recorded(self, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
        """Current rows of these keys and of everything these packs own, their open intents, and the packs' rows."""

    async def all_packs(self) -> Sequence[PackId]:
        """Every pack on record that is not deleted, or still owns something, or may own it: a call that was begun for
        it has no outcome yet."""

    async def save_plan(self, plan: PlanRecord) -> None:
        """Keep the plan. Saving the same id again changes nothing."""

    async def submit(self, plan: PlanRecord, orders: Sequence[PackOrder]) -> Mapping[PackId, UUID | None]:
        """One transaction: tenants, projects, packs (content, then status IN_PROGRESS), requests, and one work row per
        order that wants something. An order that wants nothing only brings the pack's rows up to date (COMPLETED) and
        has no work: None. Waiting work of an older plan for the same pack is superseded (SKIPPED). An order whose
        `generation` is outdated writes nothing and is left out of the answer."""

    async def reject(self, pack: PackId, path: str, reason: str, commit: str, actor: str) -> None:
        """A file of a known pack no longer validates: status VALIDATION_FAILED with the reason. Unknown packs too, when
        enough of them is known to name them."""

    async def claim(self, worker: str, work_id: UUID, lease: float) -> Claimed:
        """Take this work if it is due, its needs are done, its workspace has not asked to wait and nobody else holds
        the pack. `lease` in seconds. Raises TooNewError."""

    async def due(self, limit: int = 100) -> Sequence[UUID]:
        """Work that could be claimed now, stalled workers' included: narrowing work first, then one of each business
        line in turn, each line's oldest first."""

    async def next_due(self) -> float | None:
        """Seconds until the next work that only waits for its time is due; None when there is none."""

    async def renew(self, claim: Claim, lease: float) -> None:
        """Hold the pack for another `lease` seconds. Raises FenceLostError."""

    async def begin(self, claim: Claim, operation: Operation) -> UUID:
        """The intent row, written before the call; a rename's stands under the new name. Returns the operation's id.
        Raises NameTakenError before a rename that the record could not follow, SupersededError when a newer plan has
        work for the pack, PausedError while the workspace has asked to wait; nothing is written then."""

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

    async def finish(
        self, claim: Claim, status: WorkStatus, reason: str = "", failure: Failure = Failure.NONE
    ) -> Sequence[UUID]:
        """End the work: status of work and pack, applied commit on success, lease given back. Returns work that became
        due by this (or was skipped because of it is ended likewise)."""

    async def postpone(self, claim: Claim, seconds: float, reason: str, *, unexplained: bool = False) -> Sequence[UUID]:
        """Try again later: the lease is given back and the work is due after `seconds` (database clock). Returns work
        that became due by this: a newer plan's for the same pack."""

    async def pause(self, workspace: str, seconds: float, reason: str) -> None:
        """Nobody calls this workspace for so long. A longer pause that is on record stays."""

    async def pauses(self) -> Mapping[str, float]:
        """Seconds that remain, by workspace."""

    async def operations(self, work_ids: Collection[UUID]) -> Sequence[OperationRecord]:
        """The calls of these work items, in the order they were begun."""

    async def standings(self, packs: Collection[PackId]) -> Mapping[PackId, Standing]:
        """How the newest work of each of these packs stands; packs without any are left out."""

    async def work(self, ids: Collection[UUID]) -> Sequence[Work]: ...

    async def pack_states(self, pack: PackId | None = None) -> Sequence[PackState]: ...

    async def history(self, kind_and_name: Key) -> Sequence[KeyVersion]:
        """All versions, oldest first; with an empty workspace in the key, of every workspace."""

    async def find_recipients(self, name: str) -> Sequence[Key]:
        """Recipients on record with this name, in any workspace."""

    async def observed(self, pack: PackId, sightings: Mapping[Key, Sighting]) -> None:
        """What a plan saw of this pack's resources; it replaces what was seen before. What is left out is well. A
        drift that was on record keeps its beginning."""

    async def sightings(self) -> Mapping[PackId, Mapping[Key, Sighting]]:
        """What the last plan of each pack on record saw, where there was something."""

    async def holds(self) -> Holds:
        """Those in force by the database's clock."""

    async def suspend(self, pack: PackId, suspension: Suspension) -> None:
        """Takes the place of one that is in force; `since` is the database's, whatever is given."""

    async def resume(self, pack: PackId, by: str) -> Holds:
        """End the suspension of the pack and the contests of its resources. Returns what was ended."""

    async def show_plan(self, shown: ShownPlan) -> None:
        """Reviewers are shown this plan now. The same plan shown again for the same commit keeps its first time, unless
        another one was shown in between."""

    async def shown_plans(self, repository: str, number: int) -> Sequence[ShownPlan]:
        """Every plan that was shown for a pull request, oldest first."""

    async def corrected(self, claim: Claim, key: Key, actors: Mapping[str, str], declared: str) -> None:
        """Fields changed by hand (by whom) were put back. One that was put back `core.holds.CONTESTED_AFTER` times
        within its window is contested from here on. `declared`: `core.holds.declared_digest` of what the pack wants."""

    async def heard_of(self, daemon: Daemon) -> None:
        """A daemon is alive; `seen_at` is the database's, whatever is given."""

    async def daemons(self) -> Sequence[Daemon]:
        """Heard of within the last day, newest first."""

    async def figures(self) -> Figures: ...

    async def facts(self) -> DatabaseFacts: ...

    async def close(self) -> None: ...
