"""Databases as older versions of this program left them."""

import asyncpg

from reconciler.adapters.postgres.alembic_sql import migration_sql
from reconciler.adapters.postgres.migrate import migrations_folder


async def migrate_to(dsn: str, revision: str) -> None:
    """An empty database becomes what `revision` made of it."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE SCHEMA reconciler")
    await connection.execute(_only_up_to(migration_sql(migrations_folder(), None), revision))
    await connection.close()


def _only_up_to(sql: str, revision: str) -> str:
    """Alembic notes each revision in the version table right after its SQL."""
    marks = (f"VALUES ('{revision}')", f"SET version_num='{revision}'")
    start = max(sql.find(mark) for mark in marks)
    return sql[: sql.index(";", start) + 1]
