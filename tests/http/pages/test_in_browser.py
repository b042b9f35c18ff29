"""The pages in a real browser against the running server, database, repository and sandbox: a file from the first look
to its end, by keyboard where a person would use one. Writes what it saw to `.cache/screenshots/`."""

import asyncio
from pathlib import Path

from tests.browser.fixtures import SCREENSHOTS
from tests.browser.looks import faint_texts, overflowing
from tests.browser.page import Page
from tests.http.api import Api
from tests.journeys.packs import SALES

FOCUSED = "(document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || '').trim()"
RING = "getComputedStyle(document.activeElement).outlineStyle"


async def choose(page: Page, selector: str, file: Path) -> None:
    """As the dialogue of the browser does."""
    root = (await page.call("DOM.getDocument"))["root"]["nodeId"]
    node = (await page.call("DOM.querySelector", nodeId=root, selector=selector))["nodeId"]
    await page.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])


async def tab_to(page: Page, words: str) -> list[str]:
    """What had the focus on the way, each with a ring that can be seen."""
    passed: list[str] = []
    for _ in range(40):
        await page.press("Tab")
        passed.append(await page.evaluate(FOCUSED))
        assert await page.evaluate(RING) != "none", passed
        if passed[-1] == words:
            return passed
    raise AssertionError(f"never came to {words}: {passed}")


async def signed_in(page: Page, api: Api) -> None:
    """By keyboard alone."""
    await page.open(f"{api.url}/")
    await tab_to(page, "API key")
    await page.type(await api.key())
    await page.press("Enter")
    await page.wait_for("document.querySelector('h1')?.innerText === 'Packs' && document.readyState === 'complete'")


async def test_a_file_goes_from_the_first_look_to_its_end_and_is_seen_in_what_people_read(
    page: Page, working_api: Api, tmp_path: Path
) -> None:
    (tmp_path / "sales pack.yaml").write_text(SALES)
    await page.look()
    await signed_in(page, working_api)
    passed = await tab_to(page, "Hand in a pack")
    assert passed[0] == "Skip to the content"
    await page.press("Enter")
    await page.wait_for("!!document.querySelector('#file')")
    await choose(page, "#file", tmp_path / "sales pack.yaml")
    await page.click("main button.main")
    await page.wait_for("!!document.querySelector('#dry-run .cards')")
    assert "gains 2" in await page.text("#dry-run")
    assert working_api.journey.writes() == []
    await page.picture(SCREENSHOTS / "http-journey-1-dry-run.png")
    await page.click("#dry-run button.main")
    await page.wait_for("document.querySelector('.standing')?.innerText.includes('All resources provisioned')")
    await page.picture(SCREENSHOTS / "http-journey-2-done.png")
    await page.open(f"{working_api.url}/access")
    assert "1 recipient can read 2 data objects" in await page.text("main")
    await page.look(width=390, theme="dark")
    await page.picture(SCREENSHOTS / "http-journey-3-access.png")
    assert (await overflowing(page), await faint_texts(page)) == ([], [])
    assert page.complaints == []
    # Chromium draws parts of its own fields with pictures of its own.
    assert all(each.startswith((f"{working_api.url}/", "data:")) for each in page.requests)


async def test_progress_moves_by_itself_until_the_end(page: Page, api: Api) -> None:
    """Script is allowed under the policy, and moves the page; nothing else in it does."""
    await api.let_in()
    share_pack_id = (await api.upload(SALES)).json["SharePackId"]
    await page.look(width=390)
    await signed_in(page, api)
    await page.open(f"{api.url}/packs/{share_pack_id}")
    await page.picture(SCREENSHOTS / "http-journey-4-in-progress.png", whole=False)
    stop = asyncio.Event()
    working = asyncio.create_task(api.journey.workforce().work_until(stop))
    await page.wait_for("document.querySelector('.standing')?.innerText.includes('All resources provisioned')")
    stop.set()
    await working
    assert await page.evaluate("document.querySelectorAll('[data-events]').length") == 0
    assert f"{api.url}/packs/{share_pack_id}/events" in page.requests
    assert page.complaints == []
