"""Packs that are handed in, as rows: kept from when they are accepted until they are submitted. What they do to the
rows of their pack stands in `inbox_rows`; what may be handed in is decided elsewhere.

Who handed it in stands in the audit trail (entity `upload`, a row for each status) and as `created_by` on every row
that it brings about.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.inbox_rows import enter, leave
from reconciler.adapters.postgres.portal_pool import PortalPool, storable
from reconciler.adapters.postgres.versions import bounded
from reconciler.core.key import PackId
from reconciler.ports.inbox import Entered, Upload, UploadStatus

#: Who hands in the same pack at once is let in one after the other. "upld" in ASCII; a lock of two numbers is never one
#: of a single number.
_LOCK: Final = 0x75706C64

_WITHOUT_CONTENT: Final = """
    upload_id, share_pack_id, business_line, project_name, path, former_path, NULL::bytea AS content, digest,
    workspace_url, requestor, caller, status, commit_id, pull_request, reason, pack_version, received_at
"""

_INSERT: Final = """
    INSERT INTO reconciler.uploads (
        upload_id, share_pack_id, business_line, project_name, path, former_path, content, digest, workspace_url,
        requestor, caller, status, reason
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING *
"""

_AUDIT: Final = """
    INSERT INTO deltashare.audit_trail (
        entity_type, entity_id, entity_version, operation, new_values, actor, change_reason, commit_id
    )
    SELECT 'upload', $1, versions + 1, CASE versions WHEN 0 THEN 'CREATE' ELSE 'UPDATE' END, $2, $3, $4, $5
    FROM (
        SELECT count(*)::int AS versions FROM deltashare.audit_trail WHERE entity_type = 'upload' AND entity_id = $1
    ) AS past
"""


class PostgresInbox:
    """Implements `ports.inbox.Inbox`."""

    def __init__(self, connections: PortalPool) -> None:
        self._connections = connections

    async def receive(self, upload: Upload, *, anew: bool = False) -> Upload:
        return await self._connections.run(_receive, upload, anew=anew)

    async def reject(self, upload: Upload) -> None:
        await self._connections.run(_reject, upload)

    async def committed(self, upload: Upload, commit: str, *, strategy: str, share_pack_name: str) -> Entered:
        return await self._connections.run(_committed, upload, commit, strategy, share_pack_name)

    async def proposed(self, upload: Upload, commit: str, pull_request: int) -> None:
        await self._connections.run(_proposed, upload, commit, pull_request)

    async def end(self, upload_id: UUID, status: UploadStatus, reason: str = "") -> None:
        if status not in {UploadStatus.SUBMITTED, UploadStatus.FAILED}:
            raise ValueError(f"an upload ends as submitted or failed, not as {status}")
        await self._connections.run(_end, upload_id, status, reason)

    async def unfinished(self, older_than: float) -> Sequence[Upload]:
        return await self._connections.run(_unfinished, older_than)

    async def find(self, upload_id: UUID) -> Upload | None:
        return await self._connections.run(_find, upload_id)

    async def uploads(self, pack: PackId, limit: int = 20) -> Sequence[Upload]:
        return await self._connections.run(_uploads, pack, limit)


async def _receive(connection: asyncpg.Connection, upload: Upload, *, anew: bool) -> Upload:
    share_pack_id = pack_ids(upload.pack).share_pack
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _LOCK, str(share_pack_id))
    newest = await connection.fetchrow(
        "SELECT * FROM reconciler.uploads WHERE share_pack_id = $1 ORDER BY number DESC LIMIT 1", share_pack_id
    )
    if newest is not None and newest["digest"] == upload.digest and _counts(newest, anew=anew):
        # The same digest is the same content, kept or not.
        return replace(_upload(newest), content=upload.content)
    return _upload(await _insert(connection, upload, UploadStatus.RECEIVED))


def _counts(row: asyncpg.Record, *, anew: bool) -> bool:
    status = UploadStatus(row["status"])
    return not status.is_final or (status is UploadStatus.SUBMITTED and not anew)


async def _reject(connection: asyncpg.Connection, upload: Upload) -> None:
    """What was rejected may say anything."""
    pack = PackId.of(storable(upload.pack.business_line), storable(upload.pack.project_name))
    told = replace(
        upload,
        pack=pack,
        path=storable(upload.path),
        workspace=storable(upload.workspace),
        requestor=storable(upload.requestor),
        caller=storable(upload.caller),
    )
    await _insert(connection, told, UploadStatus.REJECTED)


async def _insert(connection: asyncpg.Connection, upload: Upload, status: UploadStatus) -> asyncpg.Record:
    row = await connection.fetchrow(
        _INSERT,
        upload.id,
        pack_ids(upload.pack).share_pack,
        upload.pack.business_line,
        upload.pack.project_name,
        upload.path,
        upload.former_path,
        upload.content if status is UploadStatus.RECEIVED else None,
        upload.digest,
        upload.workspace,
        upload.requestor,
        upload.caller,
        status.value,
        storable(upload.reason),
    )
    await _audit(connection, row)
    return row


async def _committed(
    connection: asyncpg.Connection, upload: Upload, commit: str, strategy: str, share_pack_name: str
) -> Entered:
    """Asked again, also for an upload that has ended since, it answers the same and writes nothing."""
    held = await _hold(connection, upload.id)
    if held["pack_version"] is None and not UploadStatus(held["status"]).is_final:
        version = await enter(connection, upload, commit, strategy=strategy, share_pack_name=share_pack_name)
        row = await connection.fetchrow(
            """
            UPDATE reconciler.uploads
            SET status = 'committed', commit_id = $2, pack_version = $3, changed_at = statement_timestamp()
            WHERE upload_id = $1 RETURNING *
            """,
            upload.id,
            commit or None,
            version,
        )
        await _audit(connection, row)
    name = await connection.fetchval(
        "SELECT share_pack_name FROM deltashare.share_packs WHERE share_pack_id = $1 AND is_current",
        held["share_pack_id"],
    )
    return Entered(held["share_pack_id"], share_pack_name if name is None else name)


async def _proposed(connection: asyncpg.Connection, upload: Upload, commit: str, pull_request: int) -> None:
    held = await _hold(connection, upload.id)
    if UploadStatus(held["status"]).is_final or held["pull_request"] == pull_request:
        return
    row = await connection.fetchrow(
        """
        UPDATE reconciler.uploads
        SET status = 'committed', commit_id = $2, pull_request = $3, changed_at = statement_timestamp()
        WHERE upload_id = $1 RETURNING *
        """,
        upload.id,
        commit or None,
        pull_request,
    )
    await _audit(connection, row)


async def _end(connection: asyncpg.Connection, upload_id: UUID, status: UploadStatus, reason: str) -> None:
    """One that has ended stays as it ended."""
    held = await _hold(connection, upload_id)
    if UploadStatus(held["status"]).is_final:
        return
    row = await connection.fetchrow(
        """
        UPDATE reconciler.uploads
        SET status = $2, reason = $3, content = NULL, changed_at = statement_timestamp()
        WHERE upload_id = $1 RETURNING *
        """,
        upload_id,
        status.value,
        storable(reason),
    )
    await _audit(connection, row)
    if row["pack_version"] is not None:
        await leave(connection, _upload(row), row["pack_version"])


async def _hold(connection: asyncpg.Connection, upload_id: UUID) -> asyncpg.Record:
    """Raises ValueError for one that was never received."""
    row = await connection.fetchrow("SELECT * FROM reconciler.uploads WHERE upload_id = $1 FOR UPDATE", upload_id)
    if row is None:
        raise ValueError(f"no upload {upload_id}; receive it first")
    return row


async def _audit(connection: asyncpg.Connection, row: asyncpg.Record) -> None:
    """What of it counts, without its content; `row` is as it is now."""
    names = ("status", "path", "digest", "workspace_url", "requestor", "pull_request", "business_line", "project_name")
    told = {name: row[name] for name in names if row[name] is not None}
    await connection.execute(
        _AUDIT,
        row["upload_id"],
        json.dumps(told),
        bounded(row["caller"], 255),
        bounded(f"upload {row['status']}", 500),
        row["commit_id"],
    )


async def _unfinished(connection: asyncpg.Connection, older_than: float) -> Sequence[Upload]:
    rows = await connection.fetch(
        """
        SELECT * FROM reconciler.uploads
        WHERE status IN ('received', 'committed') AND changed_at <= statement_timestamp() - make_interval(secs => $1)
        ORDER BY number
        """,
        older_than,
    )
    return [_upload(row) for row in rows]


async def _find(connection: asyncpg.Connection, upload_id: UUID) -> Upload | None:
    row = await connection.fetchrow(
        f"SELECT {_WITHOUT_CONTENT} FROM reconciler.uploads WHERE upload_id = $1",  # noqa: S608 - names of columns
        upload_id,
    )
    return None if row is None else _upload(row)


async def _uploads(connection: asyncpg.Connection, pack: PackId, limit: int) -> Sequence[Upload]:
    rows = await connection.fetch(
        f"""
        SELECT {_WITHOUT_CONTENT} FROM reconciler.uploads WHERE share_pack_id = $1 ORDER BY number DESC LIMIT $2
        """,  # noqa: S608 - as above
        pack_ids(pack).share_pack,
        limit,
    )
    return [_upload(row) for row in rows]


def _upload(row: asyncpg.Record) -> Upload:
    return Upload(
        id=row["upload_id"],
        pack=PackId.of(row["business_line"], row["project_name"]),
        path=row["path"],
        former_path=row["former_path"],
        content=row["content"] or b"",
        digest=row["digest"],
        workspace=row["workspace_url"],
        requestor=row["requestor"],
        caller=row["caller"],
        status=UploadStatus(row["status"]),
        commit=row["commit_id"] or "",
        pull_request=row["pull_request"],
        reason=row["reason"],
        received_at=row["received_at"],
        share_pack_id=None if row["pack_version"] is None else row["share_pack_id"],
    )
