"""Daemons that were heard of. A daemon that restarts has a new name, so whoever was silent for a day is forgotten."""

from collections.abc import Sequence

import asyncpg

from reconciler.ports.ledger import Daemon


async def heard_of(connection: asyncpg.Connection, daemon: Daemon) -> None:
    """A full pass that is on record stays when `daemon` knows of none or only of an earlier one."""
    await connection.execute(
        """
        WITH forgotten AS (
            DELETE FROM reconciler.daemons
            WHERE seen_at <= statement_timestamp() - interval '1 day' AND name <> $1
        )
        INSERT INTO reconciler.daemons AS old (name, leads, full_pass_at, commit_id, source_failure)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO UPDATE SET
            leads = excluded.leads,
            seen_at = excluded.seen_at,
            full_pass_at = greatest(old.full_pass_at, excluded.full_pass_at),
            commit_id = excluded.commit_id,
            source_failure = excluded.source_failure
        """,
        daemon.name,
        daemon.leads,
        daemon.full_pass_at,
        daemon.commit,
        daemon.source_failure.replace("\x00", ""),
    )


async def daemons(connection: asyncpg.Connection) -> Sequence[Daemon]:
    rows = await connection.fetch(
        """
        SELECT name, leads, seen_at, full_pass_at, commit_id, source_failure FROM reconciler.daemons
        WHERE seen_at > statement_timestamp() - interval '1 day' ORDER BY seen_at DESC, name
        """
    )
    return [Daemon(*row) for row in rows]
