"""Ids that follow from names, so that two processes that record the same thing for the first time agree on its id."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

from reconciler.core.key import Key, PackId

#: A fixed random number; every id of every database hangs on it.
_ROOT: Final = UUID("6b2f4a0e-5c1d-4c57-9a3e-0f7d8b1c2e94")


@dataclass(frozen=True, slots=True)
class PackIds:
    tenant: UUID
    project: UUID
    share_pack: UUID


@lru_cache(maxsize=16_384)
def pack_ids(pack: PackId) -> PackIds:
    tenant = uuid5(_ROOT, f"tenant\n{pack.business_line_key}")
    project = uuid5(tenant, f"project\n{pack.project_key}")
    return PackIds(tenant, project, uuid5(project, "share_pack"))


def tenant_region_id(pack: PackId, region: str) -> UUID:
    return uuid5(pack_ids(pack).tenant, f"region\n{region}")


def work_id(plan_id: UUID, pack: PackId) -> UUID:
    """Also the id of the request. One per plan and pack: submitting a plan again finds what is there."""
    return uuid5(plan_id, str(pack_ids(pack).share_pack))


def resource_id(key: Key, bearers: int = 0) -> UUID:
    """For a name that nobody bears; one that is recorded keeps the id it has. `bearers`: how many have borne the name
    and been renamed since, so that none of their ids is given twice."""
    first = uuid5(_ROOT, f"{key.kind}\n{key.workspace}\n{key.name}")
    return uuid5(first, f"{bearers}") if bearers else first
