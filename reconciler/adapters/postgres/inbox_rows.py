"""What an upload does to the rows of its pack: they say IN_PROGRESS from when it is in Git, before anything is planned.

Only how far the pack got is written. What it *is*, and from which commit, is written by `submit` alone: what may be
removed is judged from the commit on record, so a file that nobody planned yet must not move it. A pack that is new gets
a row without either.
"""

from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import PackIds, pack_ids
from reconciler.adapters.postgres.migrate import require_known
from reconciler.adapters.postgres.packs import Progress, name_packs, write_progress
from reconciler.adapters.postgres.tables import REQUESTS, SHARE_PACKS
from reconciler.adapters.postgres.versions import Change, Row, bounded, read_current, revised, write_versions
from reconciler.core.encoding import digest
from reconciler.core.recorded import PackStatus
from reconciler.ports.inbox import Upload, UploadStatus

_IN_GIT: Final = Progress(PackStatus.IN_PROGRESS, "In Git; waiting to be planned")
#: Why the versions that say so were written; they are told from others by it.
_HANDED_IN: Final = "handed in"
_PROGRESS: Final = ("share_pack_status", "provisioning_status", "error_message")
#: A request is over when the plan's own request takes its place.
_REQUEST_ENDS: Final = {UploadStatus.SUBMITTED: "SUPERSEDED", UploadStatus.FAILED: "FAILED"}


async def enter(
    connection: asyncpg.Connection, upload: Upload, commit: str, *, strategy: str, share_pack_name: str
) -> int:
    """The version of the pack's row that says so. Raises TooNewError."""
    require_known(await connection.fetchval("SELECT version_num FROM reconciler.alembic_version"))
    ids = pack_ids(upload.pack)
    change = Change(upload.caller, _HANDED_IN, commit=commit)
    row = (await read_current(connection, SHARE_PACKS, [ids.share_pack])).get(ids.share_pack)
    if row is None or row["is_deleted"]:
        await name_packs(connection, {upload.pack: None}, change)
        content = _unplanned(upload, ids, strategy=strategy, share_pack_name=share_pack_name, row=row)
        await write_versions(connection, SHARE_PACKS, [revised(SHARE_PACKS, ids.share_pack, row, content)], change)
    await write_progress(connection, {ids.share_pack: _IN_GIT}, change)
    request = {
        "tenant_id": ids.tenant,
        "project_id": ids.project,
        "share_pack_id": ids.share_pack,
        "requested_by": upload.requestor,
        "request_status": "SUBMITTED",
        "error_message": "",
        "pull_requests": "",
        "approved_by": "",
    }
    await write_versions(connection, REQUESTS, [revised(REQUESTS, upload.id, None, request)], change)
    [current] = (await read_current(connection, SHARE_PACKS, [ids.share_pack])).values()
    return _version(current)


async def leave(connection: asyncpg.Connection, upload: Upload, version: int) -> None:
    """The upload is over. When nothing came of it, which `version` shows that is still current, the pack's row says
    again what it said before; one that said nothing before says why."""
    change = Change(upload.caller, f"upload {upload.status}", commit=upload.commit)
    ids = pack_ids(upload.pack)
    row = (await read_current(connection, SHARE_PACKS, [ids.share_pack]))[ids.share_pack]
    if _version(row) == version and not await _is_waited_for(connection, ids.share_pack, version):
        columns = await _progress_before(connection, ids.share_pack, version) or _nothing(upload)
        again = revised(SHARE_PACKS, ids.share_pack, row, columns)
        await write_versions(connection, SHARE_PACKS, [again], change)
    requests = await read_current(connection, REQUESTS, [upload.id])
    ended = {"request_status": _REQUEST_ENDS[upload.status], "error_message": upload.reason}
    await write_versions(
        connection, REQUESTS, [revised(REQUESTS, upload.id, request, ended) for request in requests.values()], change
    )


async def _is_waited_for(connection: asyncpg.Connection, share_pack_id: UUID, version: int) -> bool:
    """The same row speaks for a later upload too."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM reconciler.uploads
            WHERE share_pack_id = $1 AND status = 'committed' AND pack_version = $2
        )
        """,
        share_pack_id,
        version,
    )
    return found


async def _progress_before(connection: asyncpg.Connection, share_pack_id: UUID, version: int) -> Row | None:
    """None: it had none; there was no row, or that of a pack that had been removed."""
    row = await connection.fetchrow(
        """
        SELECT is_deleted, share_pack_status, provisioning_status, error_message FROM deltashare.share_packs
        WHERE share_pack_id = $1 AND version < $2 AND change_reason <> $3 ORDER BY version DESC LIMIT 1
        """,
        share_pack_id,
        version,
        _HANDED_IN,
    )
    return None if row is None or row["is_deleted"] else {name: row[name] for name in _PROGRESS}


def _nothing(upload: Upload) -> Row:
    words = upload.reason or "no plan was submitted for it; see its plan for what stands against it"
    return Progress(PackStatus.FAILED, "Nothing was submitted", words).columns


def _unplanned(upload: Upload, ids: PackIds, *, strategy: str, share_pack_name: str, row: Row | None) -> Row:
    """A pack that was removed keeps its name, and what it said last until it is planned anew."""
    told: Row = {"requested_by": upload.requestor, "file_path": upload.path, "workspace_url": upload.workspace}
    if row is not None:
        return told
    return {
        **told,
        **_IN_GIT.columns,
        "share_pack_name": bounded(share_pack_name, 500),
        "tenant_id": ids.tenant,
        "project_id": ids.project,
        "strategy": strategy,
        "file_format": "",
        "region": "",
        "config": None,
        "config_digest": digest(None),
        "commit_id": None,
        "applied_commit_id": None,
    }


def _version(row: Row) -> int:
    return int(str(row["version"]))
