"""The page as people get it: in a real browser, light and dark, on a desk and on a phone. Writes what it saw to
`.cache/screenshots/`."""

from pathlib import Path

import pytest

from reconciler.core.plan import Plan
from reconciler.render.html import plan_page
from tests.browser.fixtures import SCREENSHOTS
from tests.browser.looks import faint_texts, overflowing, smallest_drawn_text
from tests.browser.page import Page, Theme
from tests.render.html.pages import hostile, many, ordinary, wide
from tests.render.scenes import scenes

SCENES = scenes()
LOOKED_AT: dict[str, Plan] = {
    "ordinary": ordinary(),
    "wide": wide(),
    "hostile": hostile(),
    **{
        name: SCENES[name] for name in ("changed", "drifted", "objected", "every_change", "degraded", "names_and_kinds")
    },
}
PAGE = "a plan.html"
#: A desk, a phone, and the narrowest that WCAG 2.2 (1.4.10) asks for.
LOOKS: tuple[tuple[int, Theme], ...] = (
    (1280, "light"),
    (1280, "dark"),
    (390, "dark"),
    (390, "light"),
    (320, "light"),
)
PICTURED = {(1280, "light"), (390, "dark")}
VISIBLE = "[...document.querySelectorAll('.scroll .node')].filter(e => getComputedStyle(e).visibility === 'visible')"


async def opened(page: Page, folder: Path, plan: Plan) -> None:
    (folder / PAGE).write_text(plan_page(plan), encoding="utf-8")
    await page.look()
    await page.open((folder / PAGE).as_uri())


async def shown(page: Page) -> set[str]:
    """The recipients, shares and objects that a person sees in the picture."""
    return set(await page.evaluate(f"{VISIBLE}.map(e => e.querySelector('text').textContent)"))


async def lines(page: Page) -> int:
    return int(
        await page.evaluate(
            "[...document.querySelectorAll('.scroll .wire')]"
            ".filter(e => getComputedStyle(e).visibility === 'visible').length"
        )
    )


@pytest.mark.parametrize("name", LOOKED_AT)
async def test_a_page_fits_is_legible_and_complains_of_nothing(page: Page, tmp_path: Path, name: str) -> None:
    await opened(page, tmp_path, LOOKED_AT[name])
    for width, theme in LOOKS:
        await page.look(width=width, theme=theme)
        if (width, theme) in PICTURED:
            await page.picture(SCREENSHOTS / f"plan-{name}-{width}-{theme}.png")
        await page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        assert await overflowing(page) == [], (width, theme)
        assert await faint_texts(page) == [], (width, theme)
        assert await smallest_drawn_text(page) >= 10, (width, theme)
    assert page.complaints == []
    assert page.requests == [(tmp_path / PAGE).as_uri()]


async def test_the_picture_shows_before_after_and_what_changes(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, LOOKED_AT["ordinary"])
    stays = {"sales-analyst", "audit_share", "sales_share", "journal", "ledger", "customers", "orders"}
    assert await shown(page) == stays | {"auditor", "emea-lake", "postings", "refunds", "returns"}
    assert await lines(page) == 12
    await page.click("label[for=view-before]")
    assert await shown(page) == stays | {"auditor", "postings", "refunds"}
    assert await lines(page) == 8
    await page.picture(SCREENSHOTS / "plan-ordinary-before.png")
    await page.click("label[for=view-after]")
    assert await shown(page) == stays | {"emea-lake", "returns"}
    assert await lines(page) == 9
    await page.picture(SCREENSHOTS / "plan-ordinary-after.png")
    await page.click("label[for=view-change]")
    assert await lines(page) == 12


async def test_the_views_and_the_packs_are_reached_and_turned_by_keyboard(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, LOOKED_AT["ordinary"])
    for _ in range(20):
        await page.press("Tab")
        if await page.evaluate("document.activeElement.id") == "view-change":
            break
    ring = "getComputedStyle(document.activeElement.labels?.[0] ?? document.activeElement).outlineStyle"
    assert await page.evaluate(ring) == "solid"
    await page.press("ArrowRight")
    assert await page.evaluate("document.activeElement.id") == "view-before"
    assert "returns" not in await shown(page)
    await page.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "scroll"
    await page.press("Tab")
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
    await page.press("Enter")
    assert await page.evaluate("document.querySelector('.pack').open") is False


async def test_a_link_of_the_contents_leads_to_its_part(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, LOOKED_AT["objected"])
    await page.click("nav a[href='#held']")
    await page.wait_for("document.querySelector('#held').getBoundingClientRect().top < innerHeight")
    assert page.complaints == []


async def test_nothing_of_a_hostile_pack_runs_or_is_loaded(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, LOOKED_AT["hostile"])
    assert await page.evaluate("document.querySelectorAll('script,img,iframe,object,link,form,b,i').length") == 0
    assert await page.evaluate("document.styleSheets.length") == 1
    links = await page.evaluate("[...document.querySelectorAll('a')].map(e => e.getAttribute('href'))")
    assert all(link.startswith("#") for link in links)
    assert "<script>alert(1)</script>" in await page.text()


async def test_the_policy_stops_what_would_be_loaded_all_the_same(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, LOOKED_AT["ordinary"])
    loaded = await page.evaluate(
        "new Promise(done => { const e = new Image(); e.onload = () => done(true); e.onerror = () => done(false);"
        "e.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='; })"
    )
    assert loaded is False
    assert any("Content Security Policy" in each for each in page.complaints)


async def test_on_paper_everything_is_unfolded_and_nothing_can_be_switched(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, LOOKED_AT["changed"])
    await page.evaluate("document.querySelectorAll('details').forEach(e => e.open = false)")
    folded = "document.querySelector('.pack .step').checkVisibility({contentVisibilityAuto: true})"
    assert await page.evaluate(folded) is False
    await page.media(kind="print")
    assert await page.wait_for(folded)
    assert await page.evaluate("document.querySelector('.views').checkVisibility()") is False
    await page.picture(SCREENSHOTS / "plan-changed-print.png")


async def test_the_page_of_300_packs_opens_and_turns_at_once(page: Page, tmp_path: Path) -> None:
    await opened(page, tmp_path, many())
    await page.picture(SCREENSHOTS / "plan-many-top.png", whole=False)
    assert await overflowing(page) == []
    took = await page.evaluate(
        "(() => { const since = performance.now(); document.querySelector('#view-before').click();"
        "document.body.offsetHeight; return performance.now() - since; })()"
    )
    assert took < 10_000
    await page.evaluate("document.querySelector('#graph').scrollIntoView({behavior: 'instant'})")
    await page.picture(SCREENSHOTS / "plan-many-before.png", whole=False)
    assert page.complaints == []
