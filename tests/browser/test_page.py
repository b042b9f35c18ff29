"""The browser of the tests does what it is told, hears what a page complains of, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.azurite.test_launcher import gone, runs
from tests.browser.chromium import HERE, NoChromiumError, ensure_installed
from tests.browser.devtools import DevToolsError
from tests.browser.looks import faint_texts, overflowing, smallest_drawn_text
from tests.browser.page import Page

STARTS_ONE_AND_WAITS = """
import os, sys, time
from pathlib import Path
from tests.browser.chromium import ensure_installed
from tests.browser.server import running
with running(ensure_installed(), Path(sys.argv[1])):
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    print(*children, flush=True)
    time.sleep(60)
"""
FORM = """
<!doctype html><title>A form</title><style>input,button{font-size:16px}</style>
<input id=name autofocus><button onclick="document.title = document.querySelector('#name').value">Go</button>
"""


async def show(page: Page, folder: Path, html: str) -> None:
    path = folder / "a page.html"
    path.write_text(html, encoding="utf-8")
    await page.open(path.as_uri())


async def test_a_page_is_driven_as_a_person_would(page: Page, tmp_path: Path) -> None:
    await show(page, tmp_path, FORM)
    await page.click("#name")
    await page.type("żółw")
    await page.press("Tab")
    await page.press("Enter")
    assert await page.wait_for("document.title === 'żółw'")
    assert await page.text("button") == "Go"
    assert page.complaints == []


async def test_every_complaint_of_a_page_is_heard(page: Page, tmp_path: Path) -> None:
    await show(page, tmp_path, "<script>console.error('bad', 7); console.log('fine'); later()</script>")
    await page.wait_for("true")
    assert page.complaints[0] == "bad 7"
    assert "later is not defined" in page.complaints[1]
    assert len(page.complaints) == 2


async def test_what_is_wrong_in_a_test_is_told(page: Page, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nothing is not defined"):
        await page.evaluate("nothing")
    with pytest.raises(AssertionError, match="there is no #button"):
        await page.click("#button")
    with pytest.raises(AssertionError, match="ERR_FILE_NOT_FOUND"):
        await page.open((tmp_path / "missing.html").as_uri())
    with pytest.raises(DevToolsError, match="wasn't found"):
        await page.call("Page.noSuchCommand")


async def test_nothing_outside_this_machine_is_reached(page: Page, tmp_path: Path) -> None:
    await show(page, tmp_path, "<img src='http://example.com/x.png'>")
    assert "http://example.com/x.png" in page.requests
    assert await page.wait_for("document.images[0].complete")
    assert any("ERR_NAME_NOT_RESOLVED" in each for each in page.complaints)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_colours_and_the_width_are_as_asked(page: Page, tmp_path: Path, theme: str) -> None:
    await show(page, tmp_path, "<p>text")
    await page.look(width=390, theme="dark" if theme == "dark" else "light")
    assert await page.evaluate(f"matchMedia('(prefers-color-scheme: {theme})').matches") is True
    assert await page.evaluate("innerWidth") >= 390
    picture = tmp_path / "picture.png"
    await page.picture(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


async def test_faint_text_is_found_also_in_drawings(page: Page, tmp_path: Path) -> None:
    await show(
        page,
        tmp_path,
        "<p style='color:#999'>faint<p>clear<p style='visibility:hidden;color:#eee'>unseen"
        "<div style='background:#222'><b style='color:#333'>on dark</b></div>"
        "<svg><g><rect width=50 height=50 fill='#000'></rect><text y=20 fill='#222' font-size=8>drawn</text></g></svg>",
    )
    assert [each["text"].strip() for each in await faint_texts(page)] == ["faint", "on dark", "drawn"]
    assert await smallest_drawn_text(page) == 8


async def test_what_is_wider_than_the_window_is_found_unless_it_rolls(page: Page, tmp_path: Path) -> None:
    await page.look(width=800)
    await show(page, tmp_path, "<div style='overflow:auto'><p style='width:2000px'>rolls</div>")
    assert await overflowing(page) == []
    await show(page, tmp_path, "<p style='width:2000px'>wide</p>")
    assert [each[:2] for each in await overflowing(page)] == ["<p"]


def test_a_killed_test_run_leaves_no_browser_behind(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux ends a child with its parent")
    try:
        ensure_installed()
    except NoChromiumError as error:
        pytest.skip(str(error))
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE_AND_WAITS, str(tmp_path / "profile")],
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        children = [int(each) for each in parent.stdout.readline().split()]
    assert children
    assert all(map(runs, children))
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=5)
    assert all(map(gone, children))
    deadline = time.monotonic() + 10
    while _is_left(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_left(tmp_path)


def _is_left(folder: Path) -> bool:
    """Whether any process still runs on a profile in that folder."""
    needle = str(folder).encode()
    return any(needle in _command(each) for each in Path("/proc").iterdir() if each.name.isdigit())


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_the_lock_file_names_versions_and_hashes_but_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text()
    assert '"integrity": "sha512-' in lock
    assert '"resolved"' not in lock
