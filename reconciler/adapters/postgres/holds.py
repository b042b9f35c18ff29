"""Suspended packs and contested fields: which are in force, how a suspension comes to be, how either ends. When a field
is contested is decided by `corrections`."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.versions import bounded
from reconciler.core.holds import Contest, Holds, Suspension
from reconciler.core.key import Key, Kind, PackId
from reconciler.ports.ledger import LedgerError

#: A condition on rows of reconciler.holds.
IN_FORCE: Final = "ended_at IS NULL AND until > statement_timestamp()"
#: Who is said to have ended a hold that ran out.
ITS_END: Final = "its end"
#: Holds are placed and ended one at a time; it happens a few times a day. "sharhold" in ASCII.
_LOCK: Final = 0x73686172686F6C64


async def holds(connection: asyncpg.Connection) -> Holds:
    rows = await connection.fetch(
        f"""
        SELECT holds.*, business_line, project_name
        FROM reconciler.holds JOIN reconciler.pack_names USING (share_pack_id)
        WHERE {IN_FORCE} ORDER BY field
        """  # noqa: S608 - a constant
    )
    return _holds(rows)


async def suspend(connection: asyncpg.Connection, pack: PackId, suspension: Suspension) -> None:
    """Raises LedgerError when no such pack is on record, or when the end has passed already."""
    share_pack_id = pack_ids(pack).share_pack
    await lock_holds(connection)
    if not await _is_on_record(connection, share_pack_id):
        raise LedgerError(f"no pack on record is {pack}; `sharepack status` lists those there are")
    by = bounded(suspension.by, 255)
    await end(connection, await _suspension_of(connection, share_pack_id), by)
    try:
        placed = await connection.fetch(
            """
            INSERT INTO reconciler.holds AS placed (share_pack_id, hold, placed_by, reason, until, revocations_too)
            VALUES ($1, 'suspended', $2, $3, $4, $5)
            RETURNING placed.*, to_jsonb(placed) AS whole
            """,
            share_pack_id,
            by,
            suspension.reason.replace("\x00", ""),
            suspension.until,
            suspension.revocations_too,
        )
    except asyncpg.CheckViolationError as error:
        raise LedgerError(
            f"{pack} cannot be suspended until {suspension.until:%Y-%m-%d %H:%M %Z}: that has passed; give a later time"
        ) from error
    await audit_placed(connection, placed)


async def resume(connection: asyncpg.Connection, pack: PackId, by: str) -> Holds:
    await lock_holds(connection)
    ended = await end(connection, await _all_of(connection, pack_ids(pack).share_pack), bounded(by, 255))
    return _holds([row for row in ended if row["ended_at"] < row["until"]])


async def lock_holds(connection: asyncpg.Connection) -> None:
    """Taken after the lease, by who needs both."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def end(connection: asyncpg.Connection, hold_ids: Sequence[UUID], by: str) -> Sequence[asyncpg.Record]:
    """The rows as they are then. What has run out ended by itself. A contest takes the corrections of its field with
    it, so that counting starts anew."""
    if not hold_ids:
        return []
    ended: Sequence[asyncpg.Record] = await connection.fetch(
        """
        WITH ended AS (
            UPDATE reconciler.holds SET
                ended_at = least(until, statement_timestamp()),
                ended_by = CASE WHEN until <= statement_timestamp() THEN $3 ELSE $2 END
            WHERE hold_id = ANY ($1::uuid[]) RETURNING *
        ), forgotten AS (
            DELETE FROM reconciler.corrections AS old USING ended
            WHERE (old.workspace_url, old.kind, old.name, old.field)
                = (ended.workspace_url, ended.kind, ended.name, ended.field)
        )
        SELECT ended.*, to_jsonb(ended) AS whole, business_line, project_name
        FROM ended JOIN reconciler.pack_names USING (share_pack_id) ORDER BY field
        """,
        hold_ids,
        by,
        ITS_END,
    )
    removed = [(row["hold_id"], _told(row), row["ended_by"], bounded(row["reason"], 500)) for row in ended]
    await connection.executemany(
        """
        INSERT INTO deltashare.audit_trail (
            entity_type, entity_id, entity_version, operation, old_values, actor, change_reason
        ) VALUES ('hold', $1, 2, 'DELETE', $2, $3, $4)
        """,
        removed,
    )
    return ended


async def audit_placed(connection: asyncpg.Connection, placed: Sequence[asyncpg.Record]) -> None:
    """`placed`: new rows, each with itself as `whole`."""
    await connection.executemany(
        """
        INSERT INTO deltashare.audit_trail (
            entity_type, entity_id, entity_version, operation, new_values, actor, change_reason
        ) VALUES ('hold', $1, 1, 'CREATE', $2, $3, $4)
        """,
        [(row["hold_id"], _told(row), row["placed_by"], bounded(row["reason"], 500)) for row in placed],
    )


def _told(row: asyncpg.Record) -> str:
    """What the hold is, without how it ended: the audit row itself says that."""
    whole = json.loads(row["whole"])
    beside = {"hold_id", "ended_at", "ended_by"}
    return json.dumps({name: value for name, value in whole.items() if name not in beside and value is not None})


async def _is_on_record(connection: asyncpg.Connection, share_pack_id: UUID) -> bool:
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM deltashare.share_packs WHERE share_pack_id = $1 AND is_current AND NOT is_deleted
        )
        """,
        share_pack_id,
    )
    return found


async def _suspension_of(connection: asyncpg.Connection, share_pack_id: UUID) -> list[UUID]:
    rows = await connection.fetch(
        "SELECT hold_id FROM reconciler.holds WHERE share_pack_id = $1 AND hold = 'suspended' AND ended_at IS NULL",
        share_pack_id,
    )
    return [row["hold_id"] for row in rows]


async def _all_of(connection: asyncpg.Connection, share_pack_id: UUID) -> list[UUID]:
    """Also the contests of what has come to the pack from another one since."""
    rows = await connection.fetch(
        """
        SELECT hold_id FROM reconciler.holds
        WHERE ended_at IS NULL AND (share_pack_id = $1 OR (workspace_url, kind, name) IN (
            SELECT workspace_url, 'share', lower(share_name) FROM deltashare.shares
            WHERE is_current AND NOT is_deleted AND shares.share_pack_id = $1
            UNION ALL
            SELECT workspace_url, 'recipient', lower(recipient_name) FROM deltashare.recipients
            WHERE is_current AND NOT is_deleted AND recipients.share_pack_id = $1
        ))
        """,
        share_pack_id,
    )
    return [row["hold_id"] for row in rows]


def _holds(rows: Sequence[asyncpg.Record]) -> Holds:
    suspensions: dict[PackId, Suspension] = {}
    contests: dict[Key, tuple[Contest, ...]] = defaultdict(tuple)
    for row in rows:
        if row["hold"] == "suspended":
            suspensions[PackId.of(row["business_line"], row["project_name"])] = Suspension(
                row["placed_by"], row["reason"], row["since"], row["until"], row["revocations_too"]
            )
        else:
            contests[Key(Kind(row["kind"]), row["name"], row["workspace_url"])] += (
                Contest(row["field"], row["actor"], row["since"], row["until"], row["declared"]),
            )
    return Holds(suspensions, dict(contests))
