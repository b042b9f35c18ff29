"""Makes a plan from the packs of a revision and the world: recorded rows, actual state, Git's attestations.

Pure: reads nothing and performs nothing. Which step stands for which difference is `core.compare`'s answer; whether it
may be done on its own is `core.guard`'s and `core.prerequisites`'.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.actual import Absent, Actual, Found, Observed, Unreadable
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.desired import Desired, Revision
from reconciler.core.encoding import digest
from reconciler.core.guard import Attestation, Attestations, Prerequisites, objections, only_removes_access
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.pack import Declared, SharePack, Strategy
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.plan import Basis, PackPlan, Plan, Step
from reconciler.core.prerequisites import with_prerequisites
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.resolve import Catalog, resolve
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.share import Share
from reconciler.core.verdict import Conflict, Create, Delete, Forget

#: What a world leaves out is never taken for absence, nor for Git's word.
_NOT_LOOKED_AT: Final = Unreadable("it was not looked at")
_NOT_ASKED: Final = Attestation("Git was not asked about this pack", "plan again")


@dataclass(frozen=True, slots=True)
class World:
    """Everything a plan is computed from, besides the packs."""

    recorded: RecordedState
    actual: Actual
    #: Per workspace, the types that were looked up.
    catalogs: Mapping[str, Catalog] = field(default_factory=dict)
    attestations: Attestations = field(default_factory=dict)


def make_plan(desired: Desired, scope: Collection[PackId], world: World) -> Plan:
    """Plan the packs in scope: those of the revision, and recorded ones that Git no longer has."""
    owners = {key: pack.id for pack in desired.packs.values() for key in pack.resources}
    on_record = _on_record(world.recorded)
    planned = [
        _plan_pack(pack_id, desired, owners, world, on_record.get(pack_id, frozenset()))
        for pack_id in sorted(scope)
        if pack_id not in desired.broken and (pack_id in desired.packs or pack_id in world.recorded.packs)
    ]
    return Plan(desired.revision, with_prerequisites(planned, owners, world.recorded), tuple(desired.problems))


def keys_in_scope(desired: Desired, scope: Collection[PackId], recorded: RecordedState) -> frozenset[Key]:
    """Every resource a plan of these packs has to look at."""
    declared = (key for pack in scope if pack in desired.packs for key in desired.packs[pack].resources)
    owned = (key for key, row in recorded.resources.items() if row.pack in scope)
    begun = (key for key, pack in recorded.open_intents.items() if pack in scope)
    return frozenset([*declared, *owned, *begun])


def _plan_pack(
    pack_id: PackId, desired: Desired, owners: Mapping[Key, PackId], world: World, on_record: frozenset[Key]
) -> PackPlan:
    pack = desired.packs.get(pack_id)
    declared: Mapping[Key, Declared] = {} if pack is None else pack.resources
    left = [key for key in on_record if key not in declared]
    keys = [*declared, *(key for key in left if not _is_handed_over(pack_id, owners.get(key)))]
    attestation = world.attestations.get(pack_id, _NOT_ASKED)
    steps = [_step(key, pack_id, declared.get(key), desired, world, attestation) for key in keys]
    row = world.recorded.packs.get(pack_id)
    is_new = all(isinstance(step.verdict, Create) for step in steps) and row is None
    strategy = Strategy.NEW if is_new else Strategy.UPDATE
    return PackPlan(
        pack=pack_id,
        path=pack.path if pack else row.path if row else "",
        workspace=pack.workspace if pack else row.workspace if row else "",
        strategy=strategy,
        steps=tuple(sorted(steps, key=_position)),
        basis=_basis(keys, declared, world),
        declared=pack,
        warnings=_warnings(pack, strategy),
        tenant=desired.tenants.by_line.get(pack_id.business_line_key),
        rows_behind=_pack_rows_behind(pack, row),
    )


def _pack_rows_behind(pack: SharePack | None, row: RecordedPack | None) -> bool:
    if pack is None:
        return row is not None and not row.is_deleted
    if row is None or row.is_deleted or row.status is not PackStatus.COMPLETED:
        return True
    return (row.path, row.workspace, row.config_digest) != (pack.path, pack.workspace, digest(encode_pack(pack)))


def _step(
    key: Key, pack_id: PackId, declared: Declared | None, desired: Desired, world: World, attestation: Attestation
) -> Step:
    observed = world.actual.get(key, _NOT_LOOKED_AT)
    recorded = world.recorded.resources.get(key)
    wanted = None if declared is None else declared.resource
    prerequisites = Prerequisites()
    if isinstance(wanted, Share):
        resolved = resolve(wanted, observed, world.catalogs.get(key.workspace, {}))
        wanted, prerequisites = resolved.share, Prerequisites(resolved.missing, resolved.unknown)
    adopt = declared is not None and declared.adopt
    verdict = _foreign_pack(pack_id, recorded, wanted, desired) or compare(
        ThreeStates(
            desired=wanted,
            recorded=None if recorded is None else recorded.resource,
            actual=observed,
            adopt=adopt,
            intended=key in world.recorded.open_intents,
            rows_behind=_rows_behind(pack_id, recorded, desired.revision),
        )
    )
    return Step(
        key=key,
        verdict=verdict,
        desired=wanted,
        where=None if declared is None else declared.where,
        adopt=adopt,
        objections=objections(key, verdict, attestation, prerequisites),
    )


def _foreign_pack(
    pack_id: PackId, recorded: Recorded | None, wanted: Resource | None, desired: Desired
) -> Conflict | None:
    """A resource may move to another pack of its business line, and only once its old pack has let go of it."""
    if recorded is None or wanted is None or recorded.pack == pack_id:
        return None
    if recorded.pack.business_line_key != pack_id.business_line_key:
        return Conflict(
            "recorded-elsewhere",
            f"belongs to {recorded.pack}, a pack of another business line",
            "choose another name, or remove it there first and apply that",
        )
    if recorded.pack in desired.broken:
        return Conflict(
            "recorded-elsewhere",
            f"belongs to {recorded.pack}, whose file cannot be read",
            "mend that file first: it may still declare this",
        )
    return None


def _on_record(recorded: RecordedState) -> Mapping[PackId, frozenset[Key]]:
    """What each pack owns, and what a call was begun for whose outcome nobody knows. Once for all packs: asking each
    row for each pack grows with the square of their number."""
    keys: dict[PackId, set[Key]] = {}
    for key, row in recorded.resources.items():
        keys.setdefault(row.pack, set()).add(key)
    for key, pack in recorded.open_intents.items():
        if key not in recorded.resources:
            keys.setdefault(pack, set()).add(key)
    return {pack: frozenset(on_record) for pack, on_record in keys.items()}


def _is_handed_over(pack_id: PackId, owner: PackId | None) -> bool:
    return owner is not None and owner.business_line_key == pack_id.business_line_key


def _rows_behind(pack_id: PackId, recorded: Recorded | None, revision: Revision) -> bool:
    if recorded is None:
        return False
    return recorded.pack != pack_id or (recorded.commit == "" and revision.is_committed)


def _position(step: Step) -> tuple[int, Kind, str]:
    """Removals that need nothing, then recipients, then the shares that grant to them, then recipients to delete."""
    if isinstance(step.verdict, Delete | Forget):
        phase = 0 if step.key.kind is Kind.SHARE else 3
    elif only_removes_access(step.verdict) and step.key.kind is Kind.SHARE:
        phase = 0
    else:
        phase = 1 if step.key.kind is Kind.RECIPIENT else 2
    return phase, step.key.kind, step.key.name


def _warnings(pack: SharePack | None, derived: Strategy) -> tuple[str, ...]:
    if pack is None or pack.stated_strategy in {None, derived}:
        return ()
    return (f"the file says strategy {pack.stated_strategy}; it follows from the diff and is {derived} here",)


def _basis(keys: Collection[Key], declared: Mapping[Key, Declared], world: World) -> Basis:
    resources = world.recorded.resources
    return Basis(
        desired=digest([encode_resource(declared[key].resource) for key in sorted(declared)]),
        recorded=digest([[str(key), resources[key].version] for key in sorted(keys) if key in resources]),
        actual=digest([[str(key), _seen(world.actual.get(key, _NOT_LOOKED_AT))] for key in sorted(keys)]),
    )


def _seen(observed: Observed) -> object:
    match observed:
        case Found(resource):
            return encode_resource(resource)
        case Absent():
            return "absent"
        case Unreadable():
            return "unreadable"
