"""What is submitted: the packs of an approved plan on their way to workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from reconciler.core.changes import TokenChange
from reconciler.core.key import Key, PackId
from reconciler.core.pack import Strategy
from reconciler.core.resource import Resource
from reconciler.core.review import Review
from reconciler.core.tenant import Tenant


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
