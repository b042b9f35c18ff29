"""What the database says of itself."""

import asyncpg

from reconciler.adapters.postgres.migrate import newest_revision
from reconciler.ports.ledger import DatabaseFacts


async def facts(connection: asyncpg.Connection) -> DatabaseFacts:
    row = await connection.fetchrow(
        """
        SELECT current_setting('server_version') AS version, version_num AS revision, clock_timestamp() AS now
        FROM reconciler.alembic_version
        """
    )
    # Packagers add words of their own: `16.4 (Debian 16.4-1.pgdg120+1)`.
    return DatabaseFacts(row["version"].split()[0], row["revision"], newest_revision(), row["now"])
