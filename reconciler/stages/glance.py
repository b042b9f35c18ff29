"""A quiet look: asks lists, and who may read what, to find the packs that are as they were when they were read in full.
Whatever is left is to be read and planned (`stages.reconcile`); nothing is concluded from a list but that."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.glance import (
    FULL_EVERY,
    GrantsBy,
    Lists,
    Memory,
    ReadInFull,
    betrayed,
    candidates,
    grants_by,
    learned,
    looked,
    pays,
    plausible,
    readers_by_share,
    unchanged,
    uses_policies,
)
from reconciler.core.key import Key, Kind, PackId
from reconciler.packs.collecting import keeping_all
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import Ledger
from reconciler.ports.platform import Listed, Platform, RefusedError, UnavailableError

_FAILURES: Final = (UnavailableError, RefusedError)


@dataclass(frozen=True, slots=True)
class Glanced:
    unchanged: frozenset[PackId]
    memory: Memory


async def glance(
    memory: Memory, scope: Collection[PackId], ledger: Ledger, platform: Platform, clock: Clock
) -> Glanced:
    """Which packs of `scope` are as they were. Raises LedgerError; where Databricks does not answer, nothing is."""
    asked = [pack for pack in scope if pack in memory.packs]
    if not asked:
        return Glanced(frozenset(), memory)
    rows = await ledger.pack_rows(asked)
    now = round(clock.now().timestamp() * 1000)
    packs = candidates(memory, asked, rows, now)
    by_workspace: dict[str, set[PackId]] = {}
    for pack in packs:
        by_workspace.setdefault(memory.packs[pack].row.workspace, set()).add(pack)
    looks = [_Look(workspace, its_packs, memory, platform) for workspace, its_packs in sorted(by_workspace.items())]
    with keeping_all():
        found = await asyncio.gather(*(look.unchanged() for look in looks))
    same = frozenset[PackId]().union(*found)
    pages = {look.workspace: look.pages for look in looks if look.pages}
    silent = {look.workspace for look in looks if look.is_tight_lipped}
    memory = replace(memory, pages={**memory.pages, **pages}, tight_lipped=memory.tight_lipped | silent)
    return Glanced(same, looked(memory, same))


async def learn(
    memory: Memory,
    read: ReadInFull,
    ledger: Ledger,
    spread: Callable[[], float],
    full_every: int = FULL_EVERY,
) -> Memory:
    """After packs were read in full. A workspace whose `updated_at` cannot be relied on is put on record."""
    found = {key.workspace: key for key in betrayed(memory, read.actual) if key.workspace not in memory.distrusted}
    for workspace, key in found.items():
        await ledger.distrust(workspace, str(key))
    memory = replace(memory, distrusted=memory.distrusted | found.keys())
    return learned(memory, read, full_every, spread)


@dataclass(slots=True)
class _Look:
    """At some packs of one workspace."""

    workspace: str
    packs: Collection[PackId]
    memory: Memory
    platform: Platform
    #: That the lists had; 0 before they were asked for.
    pages: int = 0
    #: A recipient was asked which shares it may read, and that was not told.
    is_tight_lipped: bool = False

    async def unchanged(self) -> frozenset[PackId]:
        if not pays(_keys(self.packs, self.memory), self.memory.pages.get(self.workspace, 0)):
            return frozenset()
        try:
            recipients, shares = await asyncio.gather(
                self.platform.listed(self.workspace, Kind.RECIPIENT), self.platform.listed(self.workspace, Kind.SHARE)
            )
        except _FAILURES:
            return frozenset()
        self.pages = recipients.pages + shares.pages
        listed = {**recipients.resources, **shares.resources}
        packs = plausible(self.memory, self.packs, listed)
        keys = _keys(packs, self.memory)
        readers, policies = await asyncio.gather(
            self._readers([key for key in keys if key.kind is Kind.SHARE], recipients),
            self.platform.policies([key for key in keys if uses_policies(self.memory.resources[key])]),
        )
        return unchanged(self.memory, packs, Lists(listed, readers, policies))

    async def _readers(self, shares: Collection[Key], recipients: Listed) -> Mapping[Key, frozenset[str] | None]:
        if await self._grants_by(len(shares), len(recipients.resources)) is GrantsBy.RECIPIENT:
            read_by = await self.platform.grants(recipients.resources)
            told = {recipient: names for recipient, names in read_by.items() if names is not None}
            if told.keys() == read_by.keys():
                return readers_by_share(shares, told)
            self.is_tight_lipped = True
        return await self.platform.grants(shares)

    async def _grants_by(self, shares: int, recipients: int) -> GrantsBy:
        is_silent = self.workspace in self.memory.tight_lipped
        if is_silent or grants_by(shares, recipients, sees_all=None) is GrantsBy.SHARE:
            return GrantsBy.SHARE
        try:
            caller = await self.platform.caller(self.workspace)
        except _FAILURES:
            return GrantsBy.SHARE
        return grants_by(shares, recipients, sees_all=caller.is_metastore_admin)


def _keys(packs: Iterable[PackId], memory: Memory) -> frozenset[Key]:
    return frozenset[Key]().union(*(memory.packs[pack].keys for pack in packs))
