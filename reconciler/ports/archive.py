"""The record as people ask for it: pages of packs, versions, tenants and projects, what happened, who could read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from reconciler.core.key import Key, PackId
from reconciler.core.reads import ShareVersion
from reconciler.core.recipient import Recipient
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import PackState


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of packs is narrowed to; everything empty: all."""

    #: Case-folded business lines that may be seen; None: all.
    lines: frozenset[str] | None = None
    business_line: str = ""
    status: PackStatus | None = None
    workspace: str = ""
    #: Part of a pack's name, project, path or requestor, in any letter case.
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Packs by business line and project."""

    packs: Sequence[PackState]
    #: Give it back for the next page; None: this is the last one.
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class RowVersion:
    """One SCD2 version of a tenant, project, request or pack."""

    version: int
    effective_from: datetime
    #: None while it is current.
    effective_to: datetime | None
    is_deleted: bool
    created_by: str
    change_reason: str
    commit: str
    #: The other columns, without ids of rows.
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A tenant or a project as it is now."""

    id: UUID
    name: str
    #: Of a project: its business line.
    business_line: str
    since: datetime
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Happening:
    """A pack's status row changed."""

    #: Rises; give back the last one to hear what came after it.
    number: int
    at: datetime
    state: PackState


class Archive(Protocol):
    """Every method raises LedgerError."""

    async def packs(self, narrowed: Filter, after: str = "", limit: int = 50) -> Page:
        """Raises ValueError for an `after` that no page gave."""

    async def pack(self, share_pack_id: UUID) -> PackState | None:
        """Also when it is deleted."""

    async def pack_versions(self, share_pack_id: UUID) -> Sequence[RowVersion]:
        """Oldest first."""

    async def pack_keys(self, pack: PackId) -> Sequence[Key]:
        """Resources that are, or ever were, the pack's."""

    async def tenants(self, lines: frozenset[str] | None) -> Sequence[Tenancy]: ...

    async def projects(self, lines: frozenset[str] | None, business_line: str = "") -> Sequence[Tenancy]: ...

    async def tenancy_versions(self, tenancy_id: UUID) -> Sequence[RowVersion]:
        """Of a tenant or a project, oldest first; empty when there is none."""

    async def happenings(self, after: int, lines: frozenset[str] | None, limit: int = 100) -> Sequence[Happening]:
        """What came after number `after` (0: from now on gives none, see `newest_happening`), oldest first."""

    async def newest_happening(self) -> int: ...

    async def tables(self) -> int:
        """How many of the 16 tables are there."""

    async def share_versions(
        self,
        at: datetime | None,
        *,
        recipient: str = "",
        object_name: str = "",
        lines: frozenset[str] | None = None,
    ) -> Sequence[ShareVersion]:
        """For `core.reads.reads_at`: the versions of shares in force then that grant to this recipient and hold this
        object or its schema, and the versions before them of the same shares, as far back as they do so. Each share
        with those of its objects and recipients alone that were asked about, and nothing else of it."""

    async def recipients_at(self, names: Collection[str], at: datetime | None) -> Mapping[Key, Recipient]:
        """Recipients of these names as they were, in any workspace."""

    async def begins_at(self, lines: frozenset[str] | None = None) -> datetime | None:
        """When the oldest version of a share of these business lines began; None: there is none."""
