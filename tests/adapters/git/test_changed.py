"""Waking up: what wakes, how soon, how often at most, and what is no reason to fail."""

import asyncio
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.adapters.git import pack_source
from reconciler.ports.pack_source import PackSource
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, serve

#: Events take 0.1 to 0.3 s on an idle machine; without one, it looks every 5 s.
SOON = 4.0


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return serve(tmp_path)


async def woken_by(source: PackSource, act: Callable[[], object]) -> float:
    """Seconds from the act to waking."""
    assert not await source.changed(0.1)
    waiting = asyncio.create_task(source.changed(20))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    await asyncio.to_thread(act)
    assert await waiting
    return time.monotonic() - started


async def test_nothing_happens_for_as_long_as_one_waits(clone: Clone) -> None:
    source = pack_source(clone.packs)
    started = time.monotonic()
    assert not await source.changed(0.6)
    assert 0.6 <= time.monotonic() - started < SOON


@pytest.mark.parametrize(
    "act",
    [
        lambda clone: clone.commit("Empty"),
        lambda clone: clone.write(PACK, "edited"),
        lambda clone: clone.write("sharepacks/new/folder/new.yaml"),
        lambda clone: (clone.root / PACK).unlink(),
        lambda clone: clone.git("checkout", "--quiet", "--detach"),
        lambda clone: clone.git("update-ref", "refs/remotes/origin/team/one", "HEAD"),
        lambda clone: clone.git("pack-refs", "--all"),
    ],
    ids=["commit", "edit", "new", "deleted", "checkout", "fetched", "packed"],
)
async def test_commits_and_files_wake(clone: Clone, act: Callable[[Clone], object]) -> None:
    assert await woken_by(pack_source(clone.packs), lambda: act(clone)) < SOON


async def test_a_worktree_is_woken_by_a_commit_and_by_a_fetch_elsewhere(server: Server) -> None:
    mine = server.clone("mine")
    tree = Clone(mine.root.parent / "a tree")
    mine.git("worktree", "add", "--quiet", "-b", "side", str(tree.root))
    source = pack_source(tree.packs)
    assert await woken_by(source, lambda: tree.commit("Here")) < SOON
    server.push("second")
    assert await woken_by(source, lambda: mine.git("fetch", "--quiet")) < SOON


async def test_a_bare_repository_is_woken_by_a_push(server: Server) -> None:
    assert await woken_by(pack_source(server.bare.packs), lambda: server.push("second")) < SOON


async def test_a_plain_folder_is_woken_by_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "plain packs"
    folder.mkdir()
    source = pack_source(folder)
    assert await woken_by(source, lambda: (folder / "q1.yaml").write_text("one")) < SOON
    assert not await source.changed(0.3)


async def test_a_change_while_nobody_waited_is_told_at_once(clone: Clone) -> None:
    source = pack_source(clone.packs)
    await source.newest()
    clone.commit()
    started = time.monotonic()
    assert await source.changed(30)
    assert time.monotonic() - started < SOON
    assert not await source.changed(0.1)


async def test_a_fetch_that_brings_nothing_wakes_nobody(server: Server) -> None:
    source = pack_source(server.clone("mine").packs)
    assert not await source.changed(0.1)
    waiting = asyncio.create_task(source.changed(1.5))
    await source.fetch()
    await source.committed(await source.newest())
    assert not await waiting


async def test_noise_in_the_repository_wakes_nobody(clone: Clone) -> None:
    source = pack_source(clone.packs)
    assert not await source.changed(0.1)
    waiting = asyncio.create_task(source.changed(1.5))
    for _ in range(10):
        clone.write(".git/index.lock")
        clone.write(".git/refs/heads/main.lock")
        await asyncio.sleep(0.05)
        (clone.root / ".git/index.lock").unlink()
        (clone.root / ".git/refs/heads/main.lock").unlink()
    clone.git("status")
    assert not await waiting


async def test_files_that_are_written_all_the_time_wake_at_most_five_times_a_second(tmp_path: Path) -> None:
    source = pack_source(tmp_path)
    assert not await source.changed(0.1)
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.wait(0.005):
            (tmp_path / "q1.yaml").write_text(str(number := number + 1))

    writing = asyncio.create_task(asyncio.to_thread(write))
    moments = []
    started = time.monotonic()
    while time.monotonic() - started < 2:
        if await source.changed(1):
            moments.append(time.monotonic())
    done.set()
    await writing
    assert len(moments) >= 2
    assert all(later - earlier > 0.19 for earlier, later in pairwise(moments))


async def test_a_folder_deleted_and_made_again_goes_on_waking(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    folder.mkdir()
    (folder / "q1.yaml").write_text("one")
    source = pack_source(folder)
    assert await woken_by(source, lambda: shutil.rmtree(folder)) < SOON
    assert not await source.changed(0.3)
    folder.mkdir()
    (folder / "q1.yaml").write_text("two")
    assert await source.changed(10)
    assert await woken_by(source, lambda: (folder / "q1.yaml").write_text("three")) < SOON


async def test_a_repository_deleted_and_cloned_again_goes_on_waking(server: Server) -> None:
    mine = server.clone("mine")
    source = pack_source(mine.packs)
    assert await woken_by(source, lambda: shutil.rmtree(mine.root)) < SOON
    assert not await source.changed(0.3)
    again = server.clone("mine")
    assert await source.changed(10)
    assert await woken_by(source, lambda: again.commit("More")) < SOON


WITHOUT_WATCHERS = """
import asyncio, os, resource, sys, time
from pathlib import Path
from watchfiles import watch
from reconciler.adapters.git import pack_source

async def main(folder):
    source = pack_source(folder)
    assert not await source.changed(0.5)
    # The thread of that watcher closes its files a little later.
    await asyncio.sleep(1)
    # Room for one file at a time, which reading a folder takes, and none for watching.
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        os.close(held.pop())
    try:
        next(watch(folder, rust_timeout=1, yield_on_timeout=True))
        raise AssertionError("it can be watched")
    except RuntimeError:
        pass
    started = time.monotonic()
    assert not await source.changed(0.5)
    assert 0.5 <= time.monotonic() - started < 4, time.monotonic() - started
    (folder / "q1.yaml").write_text("one")
    assert await source.changed(10)
    waiting = asyncio.create_task(source.changed(20))
    await asyncio.sleep(0.5)
    (folder / "q1.yaml").write_text("two two")
    assert await waiting
    for number in held:
        os.close(number)

asyncio.run(main(Path(sys.argv[1])))
print("waited")
"""

CANCELLED = """
import asyncio, sys, threading
from pathlib import Path
from reconciler.adapters.git import pack_source

async def main(folder):
    source = pack_source(folder)
    for wait in (0.05, 0.3, 0.7):
        waiting = asyncio.create_task(source.changed(3600))
        await asyncio.sleep(wait)
        waiting.cancel()
        try:
            await waiting
        except asyncio.CancelledError:
            continue
        raise AssertionError("was not cancelled")
    return asyncio.create_task(source.changed(3600))

asyncio.run(main(Path(sys.argv[1])))
# Python waits for each of these before it lets the process end.
for thread in threading.enumerate():
    if thread is not threading.main_thread() and not thread.daemon:
        thread.join(5)
        assert not thread.is_alive(), thread.name
print("ended")
"""


def _run(program: str, folder: Path) -> tuple[str, float]:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(folder)],
        check=False, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip(), time.monotonic() - started


def test_where_nothing_can_be_watched_it_waits_and_looks(tmp_path: Path) -> None:
    assert _run(WITHOUT_WATCHERS, tmp_path)[0] == "waited"


def test_cancelled_it_holds_up_neither_the_caller_nor_the_end_of_the_process(tmp_path: Path) -> None:
    said, took = _run(CANCELLED, tmp_path)
    assert said == "ended"
    assert took < 15
