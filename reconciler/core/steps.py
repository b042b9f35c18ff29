"""One step of a plan: what is compared for a resource, what stands against it, and what was allowed by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final

from reconciler.core.actual import Actual, Found, Observed, Unreadable
from reconciler.core.allowance import lifts_in_force, weighed
from reconciler.core.approval import Approvals
from reconciler.core.changes import TokenChange
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.desired import Desired
from reconciler.core.guard import Attestation, Attestations, Prerequisites, objections
from reconciler.core.guard_access import Surroundings, access_objections
from reconciler.core.holds import Holds, suspension_objections
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.limits import Limits
from reconciler.core.pack import Allowance, Declared, DriftPolicy, SharePack
from reconciler.core.pack_encoding import Digests
from reconciler.core.plan import Degraded, Seen, Step
from reconciler.core.readers import Moves
from reconciler.core.recipient import DatabricksSharing, Recipient
from reconciler.core.recorded import Recorded, RecordedState
from reconciler.core.resolve import Catalog, Resolved, reader_of, resolve, sought_for
from reconciler.core.resource import Resource
from reconciler.core.rights import Caller, rights_objections
from reconciler.core.rotation import rotation_objections, token_change
from reconciler.core.share import Share
from reconciler.core.sight import Sight, see
from reconciler.core.verdict import Conflict

#: What a world leaves out is never taken for absence, nor for Git's word.
NOT_LOOKED_AT: Final = Unreadable("it was not looked at")
NOT_ASKED: Final = Attestation("Git was not asked about this pack", "plan again")


@dataclass(frozen=True, slots=True)
class World:
    """Everything a plan is computed from, besides the packs."""

    recorded: RecordedState
    actual: Actual
    #: When it was looked at, in epoch milliseconds.
    now: int
    #: Per workspace, what was looked up in the catalog.
    catalogs: Mapping[str, Catalog] = field(default_factory=dict)
    attestations: Attestations = field(default_factory=dict)
    #: Per workspace; a workspace is left out when it would not say who calls.
    callers: Mapping[str, Caller] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    #: Names of the recipients that stand for a metastore, by workspace and metastore id, where that was asked.
    metastore_recipients: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: What was allowed by name for this run (`core.allowance.lift_of`).
    allowed: frozenset[str] = frozenset()
    #: Recipients whose token a person wants replaced now, with the overlap in seconds.
    rotations: Mapping[Key, int] = field(default_factory=dict)
    #: Suspended packs and contested fields.
    holds: Holds = field(default_factory=Holds)
    #: None: who approved what is somebody else's business.
    approvals: Approvals | None = None
    #: Of packs where they were made before: they take a while.
    digests: Mapping[PackId, Digests] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.now / 1000, UTC).date()


@dataclass(frozen=True, slots=True)
class Scene:
    """What the steps of all packs have in common; made once for a plan."""

    desired: Desired
    world: World
    #: Names of recipients that are Databricks metastores, per workspace.
    metastores: Mapping[str, frozenset[str]]
    #: Owners of recipients by name, per workspace, as far as they were looked at.
    recipient_owners: Mapping[str, Mapping[str, str]]
    moved: Moves = field(default_factory=dict)
    #: What packs rename, by the key it had.
    renamed: Mapping[Key, Key] = field(default_factory=dict)


def scene(desired: Desired, world: World) -> Scene:
    metastores: dict[str, set[str]] = {}
    for key, resource in _known(desired, world):
        if isinstance(resource, Recipient) and isinstance(resource.authentication, DatabricksSharing):
            metastores.setdefault(key.workspace, set()).add(resource.name)
    owners: dict[str, dict[str, str]] = {}
    for key, seen in world.actual.items():
        if key.kind is Kind.RECIPIENT and isinstance(seen, Found) and seen.owner:
            owners.setdefault(key.workspace, {})[key.name] = seen.owner
    return Scene(
        desired,
        world,
        metastores={where: frozenset(names) for where, names in metastores.items()},
        recipient_owners=owners,
        renamed={
            replace(key, name=declared.renamed_from): key
            for pack in desired.packs.values()
            for key, declared in pack.resources.items()
            if declared.renamed_from
        },
    )


def _known(desired: Desired, world: World) -> Iterator[tuple[Key, Resource]]:
    yield from ((key, row.resource) for key, row in world.recorded.resources.items())
    for pack in desired.packs.values():
        yield from ((key, declared.resource) for key, declared in pack.resources.items())


@dataclass(frozen=True, slots=True)
class Job:
    """What the steps of one pack have in common."""

    pack: PackId
    #: None when Git no longer has it.
    declared: SharePack | None
    scene: Scene

    @property
    def world(self) -> World:
        return self.scene.world

    @property
    def attestation(self) -> Attestation:
        return self.world.attestations.get(self.pack, NOT_ASKED)

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        return () if self.declared is None else self.declared.allowances

    @property
    def lifts(self) -> frozenset[str]:
        if not self.allowances:
            return self.world.allowed
        return self.world.allowed | lifts_in_force(self.allowances, self.world.today)

    @property
    def reports_drift(self) -> bool:
        if self.declared is not None and isinstance(self.declared.drift, DriftPolicy):
            return self.declared.drift is DriftPolicy.REPORT
        tenant = self.scene.desired.tenants.by_line.get(self.pack.business_line_key)
        return tenant is not None and tenant.drift is DriftPolicy.REPORT


def make_step(key: Key, declared: Declared | None, job: Job) -> Step:
    world, revision = job.world, job.scene.desired.revision
    old_name = "" if declared is None else declared.renamed_from
    sight = see(key, old_name, world.recorded, world.actual, job.scene.moved, NOT_LOOKED_AT)
    resolved = _resolved(key, declared, sight.observed, world)
    wanted = resolved.share if isinstance(resolved, Resolved) else resolved
    token = _token_change(key, wanted, sight.observed, world)
    is_begun = key in world.recorded.open_intents and not _bears_old_name(key, old_name, world)
    contests = world.holds.contests_of(key, wanted)
    verdict = (
        _foreign_pack(job, sight.row, wanted)
        or _left_by_rename(key, declared, sight.observed, job)
        or compare(
            ThreeStates(
                desired=wanted,
                recorded=None if sight.row is None else sight.row.resource,
                actual=sight.observed,
                adopt=declared is not None and declared.adopt,
                intended=is_begun,
                # What became of a call that was begun is for a worker to find out, also when nothing else is to do.
                rows_behind=is_begun or sight.rows_behind(job.pack, is_committed=revision.is_committed),
                renames=sight.renames,
                token=token,
                released=job.declared is not None and key in job.declared.released,
                reports_drift=job.reports_drift,
                contested=frozenset(each.field for each in contests),
            )
        )
    )
    step = Step(
        key=key,
        verdict=verdict,
        desired=wanted,
        where=None if declared is None else declared.where,
        adopt=declared is not None and declared.adopt,
        renamed_from=sight.renamed_from,
        token=token,
        seen=_seen(sight.observed),
        degraded=_degraded(wanted, sight.observed, world.catalogs.get(key.workspace, {})),
        contests=contests,
    )
    return _weighed(step, job, sight, resolved)


def _token_change(key: Key, wanted: Resource | None, observed: Observed, world: World) -> TokenChange | None:
    if not isinstance(wanted, Recipient):
        return None
    return token_change(wanted, observed, world.now, world.rotations.get(key))


def metastore_of(resource: Resource | None) -> str:
    """Empty for anything but a D2D recipient."""
    authentication = resource.authentication if isinstance(resource, Recipient) else None
    return authentication.metastore_id if isinstance(authentication, DatabricksSharing) else ""


def _seen(observed: Observed) -> Seen | None:
    if not isinstance(observed, Found):
        return None
    token_ends_at = observed.tokens[0].expires_at if observed.tokens else None
    return Seen(observed.owner, observed.updated_by, observed.updated_at, token_ends_at)


def _weighed(step: Step, job: Job, sight: Sight, resolved: Resolved | Resource | None) -> Step:
    world, key = job.world, step.key
    prerequisites = Prerequisites()
    if isinstance(resolved, Resolved):
        prerequisites = Prerequisites(resolved.missing, resolved.unknown, unfit=resolved.unfit)
    recorded = None if sight.row is None else sight.row.resource
    around = Surroundings(
        recorded,
        world.now,
        job.scene.metastores.get(key.workspace, frozenset()),
        world.metastore_recipients.get((key.workspace, metastore_of(step.desired)), ""),
    )
    owner = "" if step.seen is None else step.seen.owner
    caller = world.callers.get(key.workspace)
    owners = job.scene.recipient_owners.get(key.workspace, {})
    found = (
        *objections(key, step.verdict, job.attestation, prerequisites),
        *access_objections(key, step.verdict, around),
        *rotation_objections(step.token, sight.observed, world.now),
        *rights_objections(key, step.verdict, caller, owner, owners),
        *suspension_objections(step.verdict, world.holds.suspensions.get(job.pack)),
    )
    if not found:
        return step
    standing, lifted = weighed(found, job.lifts)
    return replace(step, objections=standing, lifted=lifted)


def _resolved(key: Key, declared: Declared | None, observed: Observed, world: World) -> Resolved | Resource | None:
    if declared is None:
        return None
    if isinstance(declared.resource, Share):
        return resolve(declared.resource, observed, world.catalogs.get(key.workspace, {}))
    return declared.resource


def _degraded(wanted: Resource | None, observed: Observed, catalog: Catalog) -> tuple[Degraded, ...]:
    if not isinstance(observed, Found) or not isinstance(wanted, Share):
        return ()
    reader = reader_of(wanted, observed)
    entries = {item: catalog.get(sought_for(item, item, reader)) for item in observed.denied}
    return tuple(
        Degraded(item.name, observed.owner, "" if entry is None else entry.lacking)
        for item, entry in sorted(entries.items(), key=lambda each: each[0].name)
    )


def _bears_old_name(key: Key, old_name: str, world: World) -> bool:
    """Then it was not renamed, whatever was begun: what bears the new name is somebody else's, unless our record has
    it."""
    old_key, rows = replace(key, name=old_name), world.recorded.resources
    is_old_on_record = bool(old_name) and key not in rows and old_key in rows
    return is_old_on_record and isinstance(world.actual.get(old_key), Found)


def _left_by_rename(key: Key, declared: Declared | None, observed: Observed, job: Job) -> Conflict | None:
    """What a pack renames is not to be deleted because something bears the new name already."""
    new_key = job.scene.renamed.get(key)
    if declared is not None or new_key is None or not isinstance(observed, Found):
        return None
    return Conflict(
        "renamed-and-there",
        f"is to be renamed to {new_key.name}, and {new_key} is there as well",
        f"delete or rename one of them by hand; or remove `renamed_from` from {new_key}: then this one is deleted",
    )


def _foreign_pack(job: Job, recorded: Recorded | None, wanted: Resource | None) -> Conflict | None:
    """A resource may move to another pack of its business line, and only once its old pack has let go of it."""
    if recorded is None or wanted is None or recorded.pack == job.pack:
        return None
    if recorded.pack.business_line_key != job.pack.business_line_key:
        return Conflict(
            "recorded-elsewhere",
            f"belongs to {recorded.pack}, a pack of another business line",
            "choose another name; or let go of it there (`release:`), apply that, and write `adopt: true` here",
        )
    if recorded.pack in job.scene.desired.broken:
        return Conflict(
            "recorded-elsewhere",
            f"belongs to {recorded.pack}, whose file cannot be read",
            "mend that file first: it may still declare this",
        )
    return None
