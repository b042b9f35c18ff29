"""Workspaces whose `updated_at` was seen not to tell that a share had changed."""

import asyncpg


async def distrust(connection: asyncpg.Connection, workspace: str, share: str) -> None:
    await connection.execute(
        """
        INSERT INTO reconciler.distrusts (workspace_url, share_name) VALUES ($1, $2)
        ON CONFLICT (workspace_url) DO NOTHING
        """,
        workspace,
        share,
    )


async def distrusted(connection: asyncpg.Connection) -> frozenset[str]:
    rows = await connection.fetch("SELECT workspace_url FROM reconciler.distrusts")
    return frozenset(row["workspace_url"] for row in rows)
