"""A ledger and a plain connection on one database of their own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from tests.lent import Lender

#: Ask how statements are planned or what they cost.
_OF_PLANS = {"test_access_history", "test_growth", "test_guide_queries", "test_many_resources", "test_statements"}

#: Ask what becomes of connections.
_OF_CONNECTIONS = {"test_connection", "test_leadership", "test_stalled"}


@pytest.fixture
def migrated_database_url(migrated_database_url: str, request: pytest.FixtureRequest) -> str:
    """Where plans matter, statements are planned as they are wherever the program runs."""
    return f"{migrated_database_url}&plan_cache_mode=auto" if request.path.stem in _OF_PLANS else migrated_database_url


@pytest.fixture
async def ledger(
    migrated_database_url: str, lender: Lender, request: pytest.FixtureRequest
) -> AsyncIterator[PostgresLedger]:
    is_new = request.path.stem in _OF_CONNECTIONS | _OF_PLANS
    opened = await PostgresLedger.open(migrated_database_url) if is_new else lender.ledger()
    yield opened
    await opened.close()


@pytest.fixture
async def connection(
    migrated_database_url: str, lender: Lender, request: pytest.FixtureRequest
) -> AsyncIterator[asyncpg.Connection]:
    if request.path.stem in _OF_CONNECTIONS | _OF_PLANS:
        opened = await asyncpg.connect(migrated_database_url)
        yield opened
        await opened.close()
        return
    async with lender.connection() as lent:
        yield lent
