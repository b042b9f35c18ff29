"""Fixtures for tests in a browser; a conftest imports those it needs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.browser.chromium import NoChromiumError, ensure_installed
from tests.browser.page import Page, opened, reopened, tab
from tests.browser.server import running

#: What tests saw, for people to look at. Not in Git.
SCREENSHOTS: Final = Path(__file__).parents[2] / ".cache" / "screenshots"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the DevTools of a headless Chromium, one for each test process."""
    try:
        chromium = ensure_installed()
    except NoChromiumError as error:
        pytest.skip(f"there is no Chromium and none could be installed: {error}")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running(chromium, tmp_path_factory.mktemp("chromium") / "profile") as address:
        yield address


@pytest_asyncio.fixture
async def page(browser: str) -> AsyncIterator[Page]:
    """A blank page of its own."""
    async with opened(browser) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def one_tab(browser: str) -> str:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(tab(browser))


@pytest_asyncio.fixture
async def page_in_one_tab(browser: str, one_tab: str) -> AsyncIterator[Page]:
    """For files that keep nothing: making a page of one's own takes longer than most of what is done there."""
    async with reopened(browser, one_tab) as page:
        yield page
