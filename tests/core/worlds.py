"""Small worlds for the core's tests: packs, rows, a catalog that knows a few objects, and the plan of them all."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.actual import Absent, Actual, Found, Observed, Token
from reconciler.core.desired import Desired, Revision
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, PackId
from reconciler.core.limits import Limits
from reconciler.core.lowering import managed_like
from reconciler.core.managed import UNMANAGED
from reconciler.core.objects import pair
from reconciler.core.pack import Declared, SharePack
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.planning import World, keys_in_scope, make_plan
from reconciler.core.problem import Where
from reconciler.core.recipient import OidcSharing, Recipient, TokenSharing
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.resolve import CatalogObject, Sought
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import TABLE_LIKE, ObjectType, Share, SharedObject
from tests.core.model import DAY, NOW, ROBOT, TOKEN_LIFE, ModelWorkspace
from tests.core.model_objects import RefusedByModelError, as_found

__all__ = ["DAY", "NOW", "ROBOT", "ModelWorkspace", "RefusedByModelError"]

WORKSPACE = "https://adb-1.example"
COMMIT = "c" * 40
SALES_Q1 = PackId.of("Sales", "Q1")
SALES_Q2 = PackId.of("Sales", "Q2")
LEGAL = PackId.of("Legal", "Holds")
NO_LIMITS = Limits(10**6, 10**6, 100, 100)


@dataclass(frozen=True)
class KnownCatalog(Mapping[Sought, CatalogObject | None]):
    """Answers for anybody who asks. A name may belong to a table-like object and to something else besides."""

    objects: Mapping[str, tuple[CatalogObject, ...]]

    def __getitem__(self, sought: Sought) -> CatalogObject | None:
        held = self.objects.get(sought.name, ())
        like = [entry for entry in held if sought.type in {UNMANAGED, entry.type}]
        table_like = [entry for entry in held if entry.type in TABLE_LIKE]
        if sought.type is UNMANAGED or (not like and sought.type in TABLE_LIKE):
            like = table_like or list(held)
        return like[0] if like else None

    def __iter__(self) -> Iterator[Sought]:
        raise NotImplementedError("it knows no end")

    def __len__(self) -> int:
        return len(self.objects)


@dataclass(frozen=True)
class GenerousCatalog(KnownCatalog):
    """Has whatever is looked for, of the type it is said to be; tables are partitioned by region and org."""

    objects: Mapping[str, tuple[CatalogObject, ...]] = field(default_factory=dict)

    def __getitem__(self, sought: Sought) -> CatalogObject | None:
        kind = ObjectType.TABLE if sought.type is UNMANAGED else sought.type
        columns = frozenset({"region", "org"}) if kind is ObjectType.TABLE else frozenset[str]()
        return CatalogObject(kind, ROBOT, columns)


def catalog_of(**kinds: ObjectType) -> KnownCatalog:
    """`main.sales.NAME`, each of its type; tables are partitioned by region and org."""
    columns = frozenset({"region", "org"})
    return KnownCatalog(
        {
            f"main.sales.{name}": (CatalogObject(kind, ROBOT, columns if kind is ObjectType.TABLE else frozenset()),)
            for name, kind in kinds.items()
        }
    )


def a_pack(pack: PackId, *resources: Resource, adopt: bool = False, path: str = "") -> SharePack:
    path = path or f"sharepacks/{pack.business_line_key}/{pack.project_key}.yaml"
    declared = {key_of(item, WORKSPACE): Declared(item, Where(path, 1, 1), adopt) for item in resources}
    return SharePack(pack, path, "someone@example.com", WORKSPACE, declared)


def renamed(pack: SharePack, key: Key, old_name: str) -> SharePack:
    declared = replace(pack.resources[key], renamed_from=old_name)
    return replace(pack, resources={**pack.resources, key: declared})


def desired_of(*packs: SharePack, commit: str = COMMIT, is_committed: bool = True) -> Desired:
    return Desired(Revision(commit, is_committed), {pack.id: pack for pack in packs})


def recorded_of(
    rows: Mapping[Key, tuple[Resource, PackId]], intents: Iterable[Key] = (), commit: str = COMMIT
) -> RecordedState:
    packs = {pack for _, pack in rows.values()}
    return RecordedState(
        {key: Recorded(resource, pack, 1, commit) for key, (resource, pack) in rows.items()},
        dict.fromkeys(intents, SALES_Q1),
        {pack: RecordedPack(pack, "id", "", WORKSPACE, PackStatus.COMPLETED, commit) for pack in packs},
    )


def as_actual(resource: Resource) -> Resource:
    """As Databricks would tell it: every field has a value."""
    if isinstance(resource, Recipient):
        is_token = isinstance(resource.authentication, TokenSharing)
        is_oidc = isinstance(resource.authentication, OidcSharing)
        return Recipient(
            resource.name,
            resource.authentication,
            allowed_ips=frozenset() if resource.allowed_ips is UNMANAGED else resource.allowed_ips,
            comment="" if resource.comment is UNMANAGED else resource.comment,
            owner=ROBOT if resource.owner is UNMANAGED else resource.owner,
            properties=frozenset() if resource.properties is UNMANAGED else resource.properties,
            expires_at=(NOW + TOKEN_LIFE if resource.expires_at is UNMANAGED else resource.expires_at)
            if is_token
            else UNMANAGED,
            policies=(frozenset() if resource.policies is UNMANAGED else resource.policies) if is_oidc else UNMANAGED,
        )
    return Share(
        resource.name,
        "" if resource.comment is UNMANAGED else resource.comment,
        frozenset() if resource.objects is UNMANAGED else frozenset(map(as_found, resource.objects)),
        frozenset() if resource.recipients is UNMANAGED else resource.recipients,
        ROBOT if resource.owner is UNMANAGED else resource.owner,
        "" if resource.storage_root is UNMANAGED else resource.storage_root,
    )


def a_token(resource: Resource, age: int = DAY) -> tuple[Token, ...]:
    """Its one token, made `age` milliseconds ago."""
    if not isinstance(resource, Recipient) or not isinstance(resource.authentication, TokenSharing):
        return ()
    ends = NOW + TOKEN_LIFE if resource.expires_at is UNMANAGED else resource.expires_at
    return (Token(f"{resource.name}-0", NOW - age, ends),)


def workspace_of(*resources: Resource) -> ModelWorkspace:
    workspace = ModelWorkspace()
    for item in resources:
        key, actual = key_of(item, WORKSPACE), as_actual(item)
        workspace.resources[key] = actual
        if tokens := a_token(actual):
            workspace.tokens[key] = list(tokens)
        if isinstance(item, Share) and item.objects is not UNMANAGED:
            workspace.contents |= contents_of(key, item.objects)
    return workspace


def contents_of(key: Key, objects: Iterable[SharedObject]) -> dict[tuple[Key, str], str]:
    return {(key, item.name): item.content.digest for item in objects if item.content is not UNMANAGED}


def found(*resources: Resource) -> dict[Key, Observed]:
    workspace = workspace_of(*resources)
    return dict(workspace.observe(workspace.resources))


def planned(
    desired: Desired,
    recorded: RecordedState | None = None,
    actual: Actual | None = None,
    scope: Collection[PackId] | None = None,
    **world: object,
) -> Plan:
    """What `actual` leaves out is absent, Git objects to nothing, nothing is limited, and the catalog has it all."""
    rows = recorded or RecordedState()
    chosen = scope if scope is not None else frozenset(desired.packs) | frozenset(rows.packs)
    seen = dict.fromkeys(keys_in_scope(desired, chosen, rows), Absent()) | dict(actual or {})
    defaults: dict[str, object] = {
        "now": NOW,
        "attestations": dict.fromkeys(chosen, Attestation()),
        "limits": NO_LIMITS,
        "catalogs": {WORKSPACE: GenerousCatalog()},
    }
    return make_plan(desired, chosen, World(rows, seen, **(defaults | world)))  # type: ignore[arg-type]


def step_of(plan: Plan, key: Key) -> Step:
    return next(item for item in plan.steps if item.key == key)


def only(plan: Plan) -> PackPlan:
    assert len(plan.packs) == 1
    return plan.packs[0]


def rules(step: Step) -> list[str]:
    return [objection.rule for objection in step.objections]


def found_with(resource: Resource, **more: object) -> Found:
    return replace(Found(as_actual(resource), owner=ROBOT), **more)  # type: ignore[arg-type]


def read_back(desired: Resource, told: Resource) -> Resource:
    """What is there of what is desired. With its history an object shares its change feed, and does not say so."""
    if isinstance(desired, Share) and isinstance(told, Share) and isinstance(told.objects, frozenset):
        wanted = frozenset() if desired.objects is UNMANAGED else desired.objects
        feeds = {found for item, found in pair(wanted, told.objects).same if item.cdf is True}
        objects = frozenset(
            replace(item, cdf=True) if item.history is True and item in feeds else item for item in told.objects
        )
        return managed_like(desired, replace(told, objects=objects))
    return managed_like(desired, told)


def without_contents(resource: Resource) -> Resource:
    """What nobody gives back, a notebook's content, is not compared."""
    if not isinstance(resource, Share) or not isinstance(resource.objects, frozenset):
        return resource
    return replace(resource, objects=frozenset(replace(item, content=UNMANAGED) for item in resource.objects))
