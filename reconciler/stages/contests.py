"""Contested fields by the pack that has the resource, for whoever shows packs. Places and lifts none."""

from collections.abc import Mapping

from reconciler.core.holds import Contest, Holds
from reconciler.core.key import Key, PackId
from reconciler.ports.ledger import Ledger


async def contests_by_pack(ledger: Ledger, holds: Holds) -> Mapping[PackId, Mapping[Key, tuple[Contest, ...]]]:
    if not holds.contests:
        return {}
    rows = (await ledger.recorded(list(holds.contests), [])).resources
    found: dict[PackId, dict[Key, tuple[Contest, ...]]] = {}
    for key, contests in holds.contests.items():
        if key in rows:
            found.setdefault(rows[key].pack, {})[key] = contests
    return found
