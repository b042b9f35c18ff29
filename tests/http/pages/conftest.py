from collections.abc import AsyncIterator

import pytest_asyncio

from tests.browser.fixtures import browser, page
from tests.http.api import Api
from tests.http.pages.person import Person, somebody

__all__ = ["browser", "page"]


@pytest_asyncio.fixture
async def person(api: Api) -> AsyncIterator[Person]:
    """At the server of `api`."""
    async with somebody(api.url) as found:
        yield found


@pytest_asyncio.fixture
async def worker_person(working_api: Api) -> AsyncIterator[Person]:
    """At the server of `working_api`."""
    async with somebody(working_api.url) as found:
        yield found
