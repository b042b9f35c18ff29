"""Makes a plan from the packs of a revision and the world: recorded rows, actual state, Git's attestations.

Pure: reads nothing and performs nothing. Which step stands for which difference is `core.compare`'s answer; whether it
may be done on its own is asked in `core.steps`, `core.prerequisites` and `core.limits`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.allowance import expired
from reconciler.core.approval import with_approvals
from reconciler.core.desired import Desired
from reconciler.core.encoding import digest
from reconciler.core.guard import only_removes_access
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.limits import with_limits
from reconciler.core.pack import Declared, SharePack, Strategy
from reconciler.core.pack_encoding import Digests, digests
from reconciler.core.plan import Basis, PackPlan, Plan, Step
from reconciler.core.prerequisites import with_prerequisites
from reconciler.core.readers import Moves, moved_readers, moves
from reconciler.core.recorded import PackStatus, RecordedPack, RecordedState
from reconciler.core.rename import follow
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.steps import NOT_LOOKED_AT, Job, Scene, World, make_step, scene
from reconciler.core.verdict import Create, Delete, Forget, Release, Rename, Replace

__all__ = ["World", "keys_in_scope", "make_plan"]

#: Of a pack that Git no longer has.
_NOTHING: Final = Digests(digest({}), digest([]))


def make_plan(desired: Desired, scope: Collection[PackId], world: World) -> Plan:
    """Plan the packs in scope: those of the revision, and recorded ones that Git no longer has.

    Recipients first: what becomes of them decides what is found of the shares that are granted to them.
    """
    owners = {key: pack.id for pack in desired.packs.values() for key in pack.resources}
    keys = _keys_by_pack(desired, scope, owners, world)
    around = scene(desired, world)
    recipients = _steps(keys, around, Kind.RECIPIENT)
    moving = [step for steps in recipients.values() for step in steps if isinstance(step.verdict, Rename | Replace)]
    stuck = {step.key for step in moving if step.is_held}
    while True:
        moved = moves((step.key, step.verdict) for step in moving if step.key not in stuck)
        packs = _planned(keys, recipients, moved, owners, around)
        held = {step.key for pack in packs for step in pack.steps if step.is_held}
        if held.isdisjoint({step.key for step in moving} - stuck):
            return Plan(desired.revision, packs, tuple(desired.problems))
        # What is held by how much goes in all does not move either.
        stuck |= held


def _planned(
    keys: Mapping[PackId, Collection[Key]],
    recipients: Mapping[PackId, Collection[Step]],
    moved: Moves,
    owners: Mapping[Key, PackId],
    around: Scene,
) -> tuple[PackPlan, ...]:
    desired, world = around.desired, around.world
    shares = _steps(keys, replace(around, moved=moved), Kind.SHARE)
    waiting = {step.key: _moved_readers(step, world, moved) for steps in shares.values() for step in steps}
    planned = [_pack_plan(pack, [*recipients[pack], *shares[pack]], keys[pack], around, waiting) for pack in keys]
    jobs = {pack: Job(pack, desired.packs.get(pack), around) for pack in keys}
    needing = with_prerequisites(planned, owners, world.recorded, world.actual, waiting)
    limited = with_limits(needing, world.limits, {pack: job.lifts for pack, job in jobs.items()})
    approved = with_approvals(limited, world.approvals, world.allowed)
    if approved != limited:
        # Who waits for a recipient of a pack that is held now.
        approved = with_prerequisites(approved, owners, world.recorded, world.actual, waiting)
    return tuple(_with_ended(plan, jobs[plan.pack]) for plan in approved)


def _with_ended(plan: PackPlan, job: Job) -> PackPlan:
    """Objections that an entry of the pack lifted until some day say so."""
    if not job.allowances:
        return plan
    today = job.world.today
    steps = (replace(each, objections=tuple(expired(job.allowances, each.objections, today))) for each in plan.steps)
    return replace(plan, steps=tuple(steps))


def _keys_by_pack(
    desired: Desired, scope: Collection[PackId], owners: Mapping[Key, PackId], world: World
) -> dict[PackId, list[Key]]:
    """For each pack that is planned, the resources it declares and those it has on record and nobody took over."""
    on_record = _on_record(world.recorded)
    keys = {}
    for pack in sorted(scope):
        if pack in desired.broken or not (pack in desired.packs or pack in world.recorded.packs):
            continue
        declared = _declared(pack, desired)
        renamed = {old for key, each in declared.items() if (old := _followed_to(key, each, world)) is not None}
        left = [key for key in on_record.get(pack, ()) if key not in declared and key not in renamed]
        keys[pack] = [*declared, *(key for key in left if not _is_handed_over(pack, owners.get(key)))]
    return keys


def _declared(pack: PackId, desired: Desired) -> Mapping[Key, Declared]:
    return desired.packs[pack].resources if pack in desired.packs else {}


def _followed_to(key: Key, declared: Declared, world: World) -> Key | None:
    """The key it had, when its record is still found under that."""
    followed = follow(key, declared.renamed_from, world.recorded, world.actual, NOT_LOOKED_AT)
    return replace(key, name=declared.renamed_from) if followed.is_due or followed.is_done else None


def _steps(keys: Mapping[PackId, Iterable[Key]], around: Scene, kind: Kind) -> dict[PackId, list[Step]]:
    steps = {}
    for pack, its_keys in keys.items():
        declared = _declared(pack, around.desired)
        job = Job(pack, around.desired.packs.get(pack), around)
        steps[pack] = [make_step(key, declared.get(key), job) for key in its_keys if key.kind is kind]
    return steps


def keys_in_scope(desired: Desired, scope: Collection[PackId], recorded: RecordedState) -> frozenset[Key]:
    """Every resource a plan of these packs has to look at, under the names they had too."""
    declared = [item for pack in scope if pack in desired.packs for item in desired.packs[pack].resources.items()]
    former = (replace(key, name=each.renamed_from) for key, each in declared if each.renamed_from)
    owned = (key for key, row in recorded.resources.items() if row.pack in scope)
    begun = (key for key, pack in recorded.open_intents.items() if pack in scope)
    return frozenset([*(key for key, _ in declared), *former, *owned, *begun])


def _moved_readers(step: Step, world: World, moved: Moves) -> frozenset[Key]:
    names = {step.key.name, step.renamed_from or step.key.name}
    observed = (world.actual.get(replace(step.key, name=name), NOT_LOOKED_AT) for name in names)
    return moved_readers(step.key.workspace, observed, moved)


def _pack_plan(
    pack_id: PackId,
    steps: Collection[Step],
    keys: Collection[Key],
    around: Scene,
    waiting: Mapping[Key, frozenset[Key]],
) -> PackPlan:
    desired, world = around.desired, around.world
    pack, row = desired.packs.get(pack_id), world.recorded.packs.get(pack_id)
    said = _said(pack, world)
    # A row may be there before anything was: a file that was handed in, or one that never validated.
    is_new = all(isinstance(step.verdict, Create) for step in steps) and (row is None or not row.generation)
    strategy = Strategy.NEW if is_new else Strategy.UPDATE
    return PackPlan(
        pack=pack_id,
        path=pack.path if pack else row.path if row else "",
        workspace=pack.workspace if pack else row.workspace if row else "",
        strategy=strategy,
        steps=tuple(sorted(steps, key=partial(_position, waiting=waiting))),
        basis=_basis(keys, said, world),
        declared=pack,
        warnings=_warnings(pack, strategy),
        tenant=desired.tenants.by_line.get(pack_id.business_line_key),
        rows_behind=_pack_rows_behind(pack, row, said),
        generation=0 if row is None else row.generation,
        recorded_commit="" if row is None else row.commit,
        applied_commit="" if row is None else row.applied_commit,
    )


def _said(pack: SharePack | None, world: World) -> Digests:
    if pack is None:
        return _NOTHING
    return world.digests.get(pack.id) or digests(pack)


def _pack_rows_behind(pack: SharePack | None, row: RecordedPack | None, said: Digests) -> bool:
    if pack is None:
        return row is not None and not row.is_deleted
    if row is None or row.is_deleted or row.status is not PackStatus.COMPLETED:
        return True
    return (row.path, row.workspace, row.config_digest) != (pack.path, pack.workspace, said.pack)


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


def _position(step: Step, waiting: Mapping[Key, frozenset[Key]]) -> tuple[int, Kind, str]:
    """Removals that need nothing, then recipients, then the shares that grant to them, then recipients to delete. A
    share that was compared as it will be once its recipients are in order waits for them."""
    is_removal = isinstance(step.verdict, Delete | Forget | Release)
    if step.key.kind is Kind.RECIPIENT:
        phase = 3 if is_removal else 1
    elif (is_removal or only_removes_access(step.verdict)) and not waiting.get(step.key):
        phase = 0
    else:
        phase = 2
    return phase, step.key.kind, step.key.name


def _warnings(pack: SharePack | None, derived: Strategy) -> tuple[str, ...]:
    if pack is None or pack.stated_strategy in {None, derived}:
        return ()
    return (f"the file says strategy {pack.stated_strategy}; it follows from the diff and is {derived} here",)


def _basis(keys: Collection[Key], said: Digests, world: World) -> Basis:
    resources = world.recorded.resources
    return Basis(
        desired=said.resources,
        recorded=digest([[str(key), resources[key].version] for key in sorted(keys) if key in resources]),
        actual=digest([[str(key), _seen(world.actual.get(key, NOT_LOOKED_AT))] for key in sorted(keys)]),
    )


def _seen(observed: Observed) -> object:
    match observed:
        case Found(resource):
            return encode_resource(resource)
        case Absent():
            return "absent"
        case Unreadable():
            return "unreadable"
