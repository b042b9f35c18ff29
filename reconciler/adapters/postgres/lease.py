"""The right to work on a pack. It runs out by the database's clock alone, and its fence rises with every new holder, so
that a worker that stalled and woke up writes nothing."""

from typing import Final
from uuid import UUID

import asyncpg

from reconciler.ports.ledger import Claim, FenceLostError

#: The pack of a claim, by work id, fence and worker. The lease stays locked until the transaction ends.
HELD: Final = """
    SELECT share_pack_id FROM reconciler.leases
    WHERE work_id = $1 AND fence = $2 AND holder = $3 AND expires_at > clock_timestamp()
    FOR UPDATE
"""

#: The same of several claims, each looked up by itself, whatever the planner takes the table for.
ALL_HELD: Final = """
    SELECT claimed.work_id, claimed.fence, share_pack_id
    FROM jsonb_to_recordset($1::jsonb) AS claimed (work_id uuid, fence bigint, holder text) CROSS JOIN LATERAL (
        SELECT share_pack_id FROM reconciler.leases
        WHERE leases.work_id = claimed.work_id AND leases.fence = claimed.fence AND leases.holder = claimed.holder
          AND expires_at > clock_timestamp()
        LIMIT 1 FOR UPDATE
    ) AS lease
"""


async def hold(connection: asyncpg.Connection, claim: Claim) -> UUID:
    """The id of the claim's pack, whose lease stays locked until the transaction ends. Raises FenceLostError."""
    share_pack_id: UUID | None = await connection.fetchval(HELD, claim.work_id, claim.fence, claim.worker)
    if share_pack_id is None:
        raise lost(claim)
    return share_pack_id


def lost(claim: Claim) -> FenceLostError:
    return FenceLostError(f"{claim.worker} no longer holds {claim.order.pack} (fence {claim.fence})")


async def renew(connection: asyncpg.Connection, claim: Claim, lease: float) -> None:
    await connection.execute(
        """
        UPDATE reconciler.leases SET expires_at = clock_timestamp() + make_interval(secs => $2)
        WHERE share_pack_id = $1
        """,
        await hold(connection, claim),
        lease,
    )


async def give_back(connection: asyncpg.Connection, share_pack_id: UUID) -> None:
    await connection.execute(
        "UPDATE reconciler.leases SET expires_at = '-infinity', holder = '' WHERE share_pack_id = $1", share_pack_id
    )
