"""What the ledger tells people of what is on record. Plans are made from `core.recorded`, not from these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reconciler.core.approval import Approved
from reconciler.core.key import Key, PackId
from reconciler.core.pack import Strategy
from reconciler.core.recorded import PackStatus
from reconciler.core.resource import Resource


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
    #: Workspaces whose `updated_at` cannot be relied on.
    distrusted: int = 0


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    #: Such as `16.4`.
    version: str
    #: Of the schema, and the newest this program knows.
    revision: str
    known_revision: str
    now: datetime
