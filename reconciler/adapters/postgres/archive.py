"""The record as people ask for it, on PostgreSQL. The statements stand in the modules `archive_*` beside this one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from reconciler.adapters.postgres import archive_access, archive_happenings, archive_packs, archive_versions
from reconciler.adapters.postgres.portal_pool import PortalPool
from reconciler.core.key import Key, PackId
from reconciler.core.reads import ShareVersion
from reconciler.core.recipient import Recipient
from reconciler.ports.archive import Filter, Happening, Page, RowVersion, Tenancy
from reconciler.ports.ledger import PackState


class PostgresArchive:
    """Implements `ports.archive.Archive`."""

    def __init__(self, connections: PortalPool) -> None:
        self._connections = connections

    async def packs(self, narrowed: Filter, after: str = "", limit: int = 50) -> Page:
        return await self._connections.run(archive_packs.page, narrowed, archive_packs.place(after), limit)

    async def pack(self, share_pack_id: UUID) -> PackState | None:
        return await self._connections.run(archive_packs.pack, share_pack_id)

    async def pack_versions(self, share_pack_id: UUID) -> Sequence[RowVersion]:
        return await self._connections.run(archive_versions.pack_versions, share_pack_id)

    async def pack_keys(self, pack: PackId) -> Sequence[Key]:
        return await self._connections.run(archive_versions.pack_keys, pack)

    async def tenants(self, lines: frozenset[str] | None) -> Sequence[Tenancy]:
        return await self._connections.run(archive_versions.tenants, lines)

    async def projects(self, lines: frozenset[str] | None, business_line: str = "") -> Sequence[Tenancy]:
        return await self._connections.run(archive_versions.projects, lines, business_line)

    async def tenancy_versions(self, tenancy_id: UUID) -> Sequence[RowVersion]:
        return await self._connections.run(archive_versions.tenancy_versions, tenancy_id)

    async def happenings(self, after: int, lines: frozenset[str] | None, limit: int = 100) -> Sequence[Happening]:
        return await self._connections.run(archive_happenings.happenings, after, lines, limit)

    async def newest_happening(self) -> int:
        return await self._connections.run(archive_happenings.newest)

    async def tables(self) -> int:
        return await self._connections.run(archive_versions.tables)

    async def share_versions(
        self,
        at: datetime | None,
        *,
        recipient: str = "",
        object_name: str = "",
        lines: frozenset[str] | None = None,
    ) -> Sequence[ShareVersion]:
        return await self._connections.run(archive_access.share_versions, at, recipient, object_name, lines)

    async def recipients_at(self, names: Collection[str], at: datetime | None) -> Mapping[Key, Recipient]:
        return await self._connections.run(archive_access.recipients_at, names, at)

    async def begins_at(self, lines: frozenset[str] | None = None) -> datetime | None:
        return await self._connections.run(archive_access.begins_at, lines)
