"""How work stands, for those who ask from outside: items with whoever is at them, and the newest of each pack."""

import json
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.orders import pack_from_json
from reconciler.core.key import PackId
from reconciler.core.policy import Standing
from reconciler.core.retry import Failure
from reconciler.ports.ledger import Holder, Work, WorkStatus


async def work_items(connection: asyncpg.Connection, ids: Collection[UUID]) -> Sequence[Work]:
    rows = await connection.fetch(
        """
        SELECT work.work_id, pack_order -> 'pack' AS pack, status, attempts, reason,
               live.holder, coalesce(live.acquired_at, clock_timestamp()) AS since, live.expires_at AS until
        FROM reconciler.work
        LEFT JOIN reconciler.leases AS live
            ON live.share_pack_id = work.share_pack_id AND live.expires_at > clock_timestamp()
            AND work.status IN ('waiting', 'running')
        WHERE work.work_id = ANY ($1::uuid[]) ORDER BY number
        """,
        list(ids),
    )
    return [_work(row) for row in rows]


async def standings(connection: asyncpg.Connection, packs: Collection[PackId]) -> Mapping[PackId, Standing]:
    by_id = {pack_ids(pack).share_pack: pack for pack in packs}
    rows = await connection.fetch(
        """
        SELECT newest.* FROM unnest($1::uuid[]) AS asked (share_pack_id)
        CROSS JOIN LATERAL (
            SELECT share_pack_id, status, fingerprint, basis, failure,
                   extract(epoch FROM clock_timestamp() - finished_at) AS age
            FROM reconciler.work WHERE work.share_pack_id = asked.share_pack_id ORDER BY number DESC LIMIT 1
        ) AS newest
        """,
        list(by_id),
    )
    return {by_id[row["share_pack_id"]]: _standing(row) for row in rows}


def _work(row: asyncpg.Record) -> Work:
    return Work(
        id=row["work_id"],
        pack=pack_from_json(json.loads(row["pack"])),
        status=WorkStatus(row["status"]),
        attempts=row["attempts"],
        reason=row["reason"],
        held_by=None if row["holder"] is None else Holder(row["holder"], row["since"], row["until"]),
    )


def _standing(row: asyncpg.Record) -> Standing:
    status = WorkStatus(row["status"])
    return Standing(
        is_finished=status.is_final,
        fingerprint=row["fingerprint"],
        basis=row["basis"],
        failure=Failure(row["failure"]),
        needs_attention=status is WorkStatus.NEEDS_ATTENTION,
        # A clock that was set back makes nothing end in the future.
        age=0.0 if row["age"] is None else max(float(row["age"]), 0.0),
    )
