"""The pages as people get them, in a real browser: on a desk and on a phone, light and dark, by keyboard. Writes what
it saw to `.cache/screenshots/`."""

from dataclasses import replace

from reconciler.http.pages.access import MATRIX, Asked, access_page
from reconciler.http.pages.assets import ICON, SCRIPT, STYLE
from reconciler.http.pages.pack import pack_page
from reconciler.http.pages.packs import packs_page
from reconciler.http.pages.sign_in import sign_in_page
from reconciler.http.pages.upload import upload_page
from tests.browser.fixtures import SCREENSHOTS
from tests.browser.looks import faint_texts, overflowing
from tests.browser.page import Page, Theme
from tests.http.pages.served import served
from tests.http.pages.views import (
    ANN,
    NOBODY,
    PROBLEMS,
    access_view,
    hostile_access_view,
    hostile_pack_view,
    hostile_state,
    hostile_upload_view,
    many_reads,
    pack_view,
    packs_view,
    upload_view,
)
from tests.render.html.pages import HOSTILE

#: A desk, a phone, and the narrowest that WCAG 2.2 (1.4.10) asks for.
LOOKS: tuple[tuple[int, Theme], ...] = ((1280, "light"), (390, "dark"), (320, "light"))
PICTURED = {(1280, "light"), (390, "dark")}
EVIL = "".join(HOSTILE)

#: What reaches beyond the column of text that the page is.
BROADER = """
(() => { const edge = document.querySelector('main').getBoundingClientRect().right + 1;
  return [...document.querySelectorAll('main > *, main section > *')]
    .filter(e => e.getBoundingClientRect().right > edge).map(e => e.outerHTML.slice(0, 80)); })()
"""

PAGES = {
    "/packs": packs_page(packs_view(), ANN),
    "/pack": pack_page(pack_view(), ANN),
    "/list": access_page(access_view(), ANN),
    "/matrix": access_page(access_view(Asked(view=MATRIX)), ANN),
    "/many": access_page(access_view(Asked(view=MATRIX), many_reads()), ANN),
    "/upload": upload_page(upload_view(), ANN),
    "/problems": upload_page(upload_view(problems=PROBLEMS), ANN),
    "/dry-run": upload_page(upload_view(with_plan=True), ANN),
    "/sign-in": sign_in_page(NOBODY, "/access", "This key is not known here, or has ended."),
    "/evil-packs": packs_page(packs_view([hostile_state(EVIL)]), replace(ANN, name=EVIL)),
    "/evil-pack": pack_page(hostile_pack_view(EVIL), ANN),
    "/evil-matrix": access_page(hostile_access_view(EVIL, MATRIX), ANN),
    "/evil-upload": upload_page(hostile_upload_view(EVIL), ANN),
}


async def test_pages_fit_are_legible_and_complain_of_nothing(page: Page) -> None:
    with served(PAGES) as address:
        for path in PAGES:
            await page.look()
            await page.open(f"{address}{path}")
            for width, theme in LOOKS:
                await page.look(width=width, theme=theme)
                if (width, theme) in PICTURED and "evil" not in path:
                    await page.picture(SCREENSHOTS / f"http{path.replace('/', '-')}-{width}-{theme}.png")
                assert await overflowing(page) == [], (path, width)
                assert await faint_texts(page) == [], (path, width, theme)
                assert await page.evaluate(BROADER) == [], (path, width)
            ran = "document.querySelectorAll('script:not([src^=\"/script.js\"]),img,iframe,object,b i').length"
            assert await page.evaluate(ran) == 0, path
        assert page.complaints == []
        # Chromium draws parts of its own fields with pictures of its own.
        asked = {each for each in page.requests if not each.startswith("data:")}
        ours = {*PAGES, STYLE.address, SCRIPT.address, ICON.path}
        assert asked == {f"{address}{path}" for path in ours}
