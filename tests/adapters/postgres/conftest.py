"""A ledger and a plain connection on one database of their own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger


@pytest.fixture
def migrated_database_url(migrated_database_url: str) -> str:
    """Statements are planned as they are wherever the program runs."""
    return f"{migrated_database_url}&plan_cache_mode=auto"


@pytest.fixture
async def ledger(migrated_database_url: str) -> AsyncIterator[PostgresLedger]:
    opened = await PostgresLedger.open(migrated_database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def connection(migrated_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(migrated_database_url)
    yield opened
    await opened.close()
