"""A ledger and a plain connection on one database of their own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger


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
