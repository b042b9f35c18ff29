"""The workspaces of an estate behind the Platform port, so that the real stages can be run on them. Answers at once;
what a call costs is the business of `tests.scale.api`. Only what planning packs by name and working on them asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reconciler.core.actual import Actual
from reconciler.core.calls import Call
from reconciler.core.key import Key, Kind
from reconciler.core.resolve import Catalog, Sought
from reconciler.core.rights import Caller
from reconciler.ports.platform import CallReceipt
from tests.core.worlds import ROBOT, GenerousCatalog
from tests.scale.packs import Estate

_ALL = frozenset({"CREATE_SHARE", "CREATE_RECIPIENT", "USE_SHARE", "SET_SHARE_PERMISSION", "USE_RECIPIENT"})


@dataclass(slots=True)
class ModelPlatform:
    estate: Estate
    calls: int = 0

    async def observe(self, keys: Collection[Key]) -> Actual:
        return self.estate.observe(keys, 0.0)

    async def look_up(self, workspace: str, sought: Collection[Sought]) -> Catalog:
        catalog = GenerousCatalog()
        return {each: catalog[each] for each in sought}

    async def caller(self, workspace: str) -> Caller:
        return Caller(ROBOT, is_metastore_admin=True, privileges=_ALL)

    async def names(self, workspace: str, kind: Kind) -> frozenset[str]:
        return frozenset(key.name for key in self.estate.workspaces[workspace].resources if key.kind is kind)

    async def recipient_of(self, workspace: str, metastore_id: str) -> str | None:
        return None

    async def perform(self, call: Call) -> CallReceipt:
        self.calls += 1
        self.estate.workspaces[call.key.workspace].perform(call)
        return CallReceipt(request_id=f"0{self.calls:07x}-2f1e-4c1b-9a3d-000000000000")

    async def activation_link(self, key: Key) -> str | None:
        return None

    @property
    def outcomes(self) -> Mapping[str, int]:
        return {"done": self.calls}

    async def close(self) -> None:
        pass
