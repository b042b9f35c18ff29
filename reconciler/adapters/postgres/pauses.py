"""Workspaces that have asked everybody to wait, for how much longer by the database's clock."""

from collections.abc import Mapping

import asyncpg


async def pause(connection: asyncpg.Connection, workspace: str, seconds: float, reason: str) -> None:
    await connection.execute(
        """
        INSERT INTO reconciler.pauses (workspace_url, until, reason)
        VALUES ($1, clock_timestamp() + make_interval(secs => $2), $3)
        ON CONFLICT (workspace_url) DO UPDATE SET until = excluded.until, reason = excluded.reason
        WHERE pauses.until < excluded.until
        """,
        workspace,
        seconds,
        reason.replace("\x00", ""),
    )


async def pauses(connection: asyncpg.Connection) -> Mapping[str, float]:
    rows = await connection.fetch(
        """
        SELECT workspace_url, extract(epoch FROM until - clock_timestamp()) AS seconds FROM reconciler.pauses
        WHERE until > clock_timestamp()
        """
    )
    return {row["workspace_url"]: max(float(row["seconds"]), 0.0) for row in rows}
