"""Which work has to be done before which: from packs to work rows, without circles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class Unfinished:
    work_id: UUID
    share_pack_id: UUID
    needs: tuple[UUID, ...]


async def unfinished_work(connection: asyncpg.Connection) -> Sequence[Unfinished]:
    """Oldest first."""
    rows = await connection.fetch(
        """
        SELECT work_id, share_pack_id, needs FROM reconciler.work
        WHERE status IN ('waiting', 'running') ORDER BY number
        """
    )
    return [Unfinished(row["work_id"], row["share_pack_id"], tuple(row["needs"])) for row in rows]


def resolve_needs(
    new: Mapping[UUID, UUID], needed: Mapping[UUID, frozenset[UUID]], unfinished: Sequence[Unfinished]
) -> Mapping[UUID, frozenset[UUID]]:
    """`new`: pack by work id. `needed`: packs by work id. A pack means its work in this plan, or else what is still
    unfinished of an older one; a pack with neither is done.

    Older work is left out when that would close a circle: it may wait for the very pack that is submitted anew.
    Raises ValueError when the new work alone is a circle.
    """
    by_pack = {pack: work_id for work_id, pack in new.items()}
    older = {item.share_pack_id: item.work_id for item in unfinished}
    within = {work_id: _found(packs, by_pack) for work_id, packs in needed.items()}
    if not _is_orderly(within):
        raise ValueError("these packs need each other in a circle: their work could never start")
    across = {work_id: within[work_id] | _found(packs, {**older, **by_pack}) for work_id, packs in needed.items()}
    replaced = {item.work_id: by_pack[item.share_pack_id] for item in unfinished if item.share_pack_id in by_pack}
    waiting = {
        item.work_id: frozenset(replaced.get(need, need) for need in item.needs)
        for item in unfinished
        if item.work_id not in replaced
    }
    return across if _is_orderly({**waiting, **across}) else within


def _found(packs: frozenset[UUID], works: Mapping[UUID, UUID]) -> frozenset[UUID]:
    return frozenset(works[pack] for pack in packs if pack in works)


def _is_orderly(graph: Mapping[UUID, frozenset[UUID]]) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return False
    return True
