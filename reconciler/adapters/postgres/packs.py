"""The rows of packs as history: how far a pack got, and that its file does not validate. What a pack *is* is written
by `submit`; no version changes both."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.tables import PROJECTS, SHARE_PACKS, TENANTS
from reconciler.adapters.postgres.versions import Change, Row, bounded, read_current, revised, write_versions
from reconciler.core.encoding import digest
from reconciler.core.key import PackId
from reconciler.core.pack import Strategy
from reconciler.core.recorded import PackStatus
from reconciler.core.tenant import Tenant

#: The guide's words.
PROVISIONED = "All resources provisioned successfully"


@dataclass(frozen=True, slots=True)
class Progress:
    status: PackStatus
    #: What is going on, for people.
    words: str
    error: str = ""
    #: Set when the pack was applied to the end; empty when that was from uncommitted files. None: it was not.
    applied_commit: str | None = None

    @property
    def columns(self) -> Row:
        applied = {} if self.applied_commit is None else {"applied_commit_id": self.applied_commit or None}
        return {
            "share_pack_status": self.status.value,
            "provisioning_status": self.words,
            "error_message": self.error.replace("\x00", ""),
            **applied,
        }


async def write_progress(connection: asyncpg.Connection, progress: Mapping[UUID, Progress], change: Change) -> None:
    rows = await read_current(connection, SHARE_PACKS, progress)
    revisions = [
        revised(SHARE_PACKS, entity_id, row, progress[entity_id].columns, is_deleted=bool(row["is_deleted"]))
        for entity_id, row in rows.items()
    ]
    await write_versions(connection, SHARE_PACKS, revisions, change)


async def delete_packs(connection: asyncpg.Connection, share_pack_ids: Collection[UUID], change: Change) -> None:
    """Git removed the files and everything they declared is gone."""
    rows = await read_current(connection, SHARE_PACKS, share_pack_ids)
    gone = [{**row, "is_deleted": True, "commit_id": change.commit or None} for row in rows.values()]
    await write_versions(connection, SHARE_PACKS, gone, change)


async def reject(connection: asyncpg.Connection, pack: PackId, path: str, reason: str, change: Change) -> None:
    ids = pack_ids(pack)
    progress = Progress(PackStatus.VALIDATION_FAILED, "The file has problems; nothing was changed", reason)
    row = (await read_current(connection, SHARE_PACKS, [ids.share_pack])).get(ids.share_pack)
    if row is None:
        await name_packs(connection, {pack: None}, change)
        content = _unread_content(pack, path, change, await clock(connection))
        await write_versions(
            connection,
            SHARE_PACKS,
            [revised(SHARE_PACKS, ids.share_pack, None, {**content, **progress.columns})],
            change,
        )
    else:
        await write_progress(connection, {ids.share_pack: progress}, change)


async def name_packs(connection: asyncpg.Connection, packs: Mapping[PackId, Tenant | None], change: Change) -> None:
    """Tenants and projects. A business line that no tenants file declares keeps what was recorded of it first: many
    files name it, each in its own spelling."""
    by_tenant = {pack_ids(pack).tenant: pack for pack in packs}
    tenants = await read_current(connection, TENANTS, by_tenant)
    await write_versions(
        connection,
        TENANTS,
        [
            revised(TENANTS, tenant_id, tenants.get(tenant_id), _tenant_columns(pack, packs[pack]))
            for tenant_id, pack in by_tenant.items()
            if packs[pack] is not None or tenants.get(tenant_id, {}).get("is_deleted", True)
        ],
        change,
    )
    by_project = {pack_ids(pack).project: pack for pack in packs}
    projects = await read_current(connection, PROJECTS, by_project)
    await write_versions(
        connection,
        PROJECTS,
        [
            revised(PROJECTS, project_id, projects.get(project_id), _project_columns(pack))
            for project_id, pack in by_project.items()
        ],
        change,
    )


async def clock(connection: asyncpg.Connection) -> datetime:
    """The database's, in UTC."""
    now: datetime = await connection.fetchval("SELECT statement_timestamp()")
    return now


def pack_name(requestor: str, submitted: datetime) -> str:
    """The guide's form; it names the first submission and never changes."""
    return f"SharePack_{requestor}_{submitted:%Y%m%d_%H%M%S}"


def _tenant_columns(pack: PackId, tenant: Tenant | None) -> Row:
    key: Row = {"business_line_key": pack.business_line_key}
    if tenant is None:
        return {"business_line": pack.business_line, **key}
    catalogs = None if tenant.catalogs is None else sorted(tenant.catalogs)
    declared = {
        "owner": tenant.owner or None,
        "contact": tenant.contact or None,
        "catalogs": catalogs,
        "lends_recipients_to": sorted(tenant.lends_to) or None,
        "drift": tenant.drift,
    }
    return {"business_line": tenant.business_line, **key, **declared}


def _project_columns(pack: PackId) -> Row:
    return {
        "tenant_id": pack_ids(pack).tenant,
        "project_name": pack.project_name,
        "project_key": pack.project_key,
    }


def _unread_content(pack: PackId, path: str, change: Change, now: datetime) -> Row:
    """All that is known of a pack whose file never validated."""
    ids = pack_ids(pack)
    return {
        "share_pack_name": pack_name(bounded(change.actor, 255), now),
        "tenant_id": ids.tenant,
        "project_id": ids.project,
        "requested_by": change.actor,
        "strategy": Strategy.NEW.value,
        "file_path": path,
        "file_format": "",
        "workspace_url": "",
        "region": "",
        "config": None,
        "config_digest": digest(None),
        "commit_id": change.commit or None,
    }
