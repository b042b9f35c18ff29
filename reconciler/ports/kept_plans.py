"""Plans as they were submitted, pack by pack."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from reconciler.core.key import PackId


@dataclass(frozen=True, slots=True)
class KeptPlan:
    plan_id: UUID
    #: Full id; empty when the packs were not committed.
    commit: str
    actor: str
    made_at: datetime
    #: The pack's part of the document (`render.plan_json`), without what it says of other packs.
    pack: Mapping[str, object]


class KeptPlans(Protocol):
    """Every method raises LedgerError."""

    async def newest(self, pack: PackId) -> KeptPlan | None:
        """The plan that the newest work of the pack is from; None: it never had any."""
