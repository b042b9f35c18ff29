"""Opens a database for looking at it, without bringing it up to date."""

from reconciler.adapters.postgres.connection import failures, open_pool, place
from reconciler.adapters.postgres.ledger import PostgresLedger


async def open_as_it_is(dsn: str) -> PostgresLedger | None:
    """None when this program has never used the database. Ask `facts` before anything else: other methods know only the
    newest schema. Raises LedgerError."""
    where = place(dsn)
    with failures(where):
        pool = await open_pool(dsn, min_size=1, max_size=4)
        try:
            is_used = await pool.fetchval("SELECT to_regclass('reconciler.alembic_version') IS NOT NULL")
        except BaseException:
            pool.terminate()
            raise
        if is_used:
            return PostgresLedger(pool, where)
        await pool.close()
        return None
