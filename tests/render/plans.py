"""Plans made by the planner itself from small worlds, for the rendering tests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.desired import Desired, Revision
from reconciler.core.guard import Attestation
from reconciler.core.holds import Holds
from reconciler.core.key import Key, PackId, recipient_key
from reconciler.core.limits import Limits
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import Declared, DriftPolicy, SharePack, Strategy
from reconciler.core.plan import Plan
from reconciler.core.planning import World, make_plan
from reconciler.core.problem import Problem, Where
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.resolve import CatalogObject, Sought, to_look_up
from reconciler.core.resource import Resource, key_of
from reconciler.core.rights import Caller
from reconciler.core.share import ObjectType, Share, SharedObject

K = TypeVar("K")
T = TypeVar("T")

WORKSPACE = "https://adb-1112223334445556.7.azuredatabricks.net"
#: 2026-11-22 09:30:00 UTC.
NOW = 1_795_339_800_000
COMMIT = Revision("1f2e3d4c5b6a798897a6b5c4d3e2f10123456789", True, "main", "Ann <ann@example.com>", "c0ffee")
UNCOMMITTED = Revision("1f2e3d4c5b6a798897a6b5c4d3e2f10123456789", False, "main", "", "c0ffee")

PARTNER = Recipient(
    "sales-analyst", TokenSharing(), "analyst@partner.com", frozenset({"192.168.1.0/24"}), "Analysts at the partner"
)
METASTORE = Recipient("emea-lake", DatabricksSharing("azure:westeurope:19a84bee-54bc-43a2-87de-023d0ec16016"))


def table(name: str, kind: ObjectType = ObjectType.TABLE) -> SharedObject:
    return SharedObject(name, kind)


SALES = Share(
    "sales_q1_share",
    "Q1 sales data",
    frozenset({table("prod_catalog.sales.transactions"), table("prod_catalog.sales.customers")}),
    frozenset({"sales-analyst"}),
)


@dataclass
class Scene:
    """A pack, what is recorded of it, and what the workspace holds."""

    declared: list[Resource] = field(default_factory=list)
    recorded: list[Resource] = field(default_factory=list)
    actual: list[Resource] = field(default_factory=list)
    unreadable: list[Resource] = field(default_factory=list)
    revision: Revision = COMMIT
    adopt: frozenset[str] = frozenset()
    attestation: Attestation | None = None
    stated: Strategy | None = None
    path: str = "sharepacks/sales/q1.yaml"
    project: str = "Sales Data Q1 2024"
    region: Managed[str] = UNMANAGED
    sheets: bool = False
    is_removed: bool = False
    drift: Managed[DriftPolicy] = UNMANAGED
    allowed: frozenset[str] = frozenset()
    renamed_from: Mapping[str, str] = field(default_factory=dict)
    released: frozenset[Key] = frozenset()
    #: By name, what Databricks tells of a resource besides what it is.
    told: Mapping[str, Found] = field(default_factory=dict)
    holds: Holds = field(default_factory=Holds)

    @property
    def pack(self) -> PackId:
        return PackId.of("Sales Operations", self.project)

    def share_pack(self) -> SharePack:
        resources = {
            key_of(each, WORKSPACE): Declared(
                each, self._where(index), each.name in self.adopt, self.renamed_from.get(each.name, "")
            )
            for index, each in enumerate(self.declared)
        }
        known = {key.name for key in resources}
        granted = {
            name
            for each in self.declared
            if isinstance(each, Share) and each.recipients is not UNMANAGED
            for name in each.recipients
        }
        borrowed = frozenset(recipient_key(name, WORKSPACE) for name in granted - known)
        return SharePack(
            id=self.pack,
            path=self.path,
            requestor="john.doe@jll.com",
            workspace=WORKSPACE,
            resources=resources,
            region=self.region,
            stated_strategy=self.stated,
            borrowed=borrowed,
            drift=self.drift,
            released=self.released,
        )

    def _where(self, index: int) -> Where:
        if self.sheets:
            return Where(self.path, sheet="Shares", cell=f"A{index + 2}")
        return Where(self.path, 7 + 7 * index, 5)

    def rows(self) -> dict[Key, Recorded]:
        return {key_of(each, WORKSPACE): Recorded(each, self.pack, 1, "0" * 40) for each in self.recorded}

    def attested(self) -> Attestation:
        if self.attestation is not None:
            return self.attestation
        left = self.rows().keys() - self.share_pack().resources.keys()
        return Attestation(removed=frozenset(left))

    def seen(self) -> dict[Key, Observed]:
        keys = self.rows().keys() | self.share_pack().resources.keys()
        return {
            **{key: Absent() for key in keys},
            **{key_of(each, WORKSPACE): self._found(each) for each in self.actual},
            **{key_of(each, WORKSPACE): Unreadable("PERMISSION_DENIED: no USE_SHARE") for each in self.unreadable},
        }

    def _found(self, resource: Resource) -> Found:
        told = self.told.get(resource.name)
        return Found(resource, owner="ops@example.com") if told is None else replace(told, resource=resource)

    def catalog(self) -> dict[Sought, CatalogObject | None]:
        """Everything there is and as the packs say."""
        seen = self.seen()
        shares = [each for each in self.declared if isinstance(each, Share)]
        looked_up = [sought for each in shares for sought in to_look_up(each, seen[key_of(each, WORKSPACE)])]
        return {
            sought: CatalogObject(
                ObjectType.TABLE if sought.type is UNMANAGED else sought.type,
                partition_columns=frozenset({"region", "org"}),
            )
            for sought in looked_up
        }


def plan_of(*scenes: Scene, problems: tuple[Problem, ...] = ()) -> Plan:
    desired = Desired(
        revision=scenes[0].revision,
        packs={scene.pack: scene.share_pack() for scene in scenes if not scene.is_removed},
        problems=problems,
    )
    rows = _merged([scene.rows() for scene in scenes])
    packs = {
        scene.pack: RecordedPack(scene.pack, "id", scene.path, WORKSPACE, PackStatus.COMPLETED, "0" * 40)
        for scene in scenes
        if scene.recorded
    }
    world = World(
        RecordedState(rows, packs=packs),
        _merged([scene.seen() for scene in scenes]),
        NOW,
        {WORKSPACE: _merged([scene.catalog() for scene in scenes])},
        {scene.pack: scene.attested() for scene in scenes},
        callers={WORKSPACE: Caller("ops@example.com", frozenset({"data-owners"}), is_metastore_admin=True)},
        limits=Limits(10_000, 10_000, 100, 100),
        allowed=frozenset().union(*(scene.allowed for scene in scenes)),
        holds=Holds(
            _merged([scene.holds.suspensions for scene in scenes]), _merged([scene.holds.contests for scene in scenes])
        ),
    )
    return make_plan(desired, [scene.pack for scene in scenes], world)


def _merged(parts: Iterable[Mapping[K, T]]) -> dict[K, T]:
    return {key: value for part in parts for key, value in part.items()}
