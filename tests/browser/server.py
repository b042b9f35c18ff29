"""One headless Chromium as a child process that does not outlive the test run. It reaches nothing but this machine."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.azurite.server import die_with_parent
from tests.browser.chromium import Chromium

START_TIMEOUT: Final = 60.0
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-port=0",
)


@contextmanager
def running(chromium: Chromium, profile: Path) -> Iterator[str]:
    """The address of its DevTools WebSocket; `profile` is an empty folder."""
    profile.mkdir(parents=True)
    log = profile / "chromium.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(chromium.program), *_FLAGS, *chromium.flags, f"--user-data-dir={profile}", "about:blank"],
            env={**os.environ, **chromium.environ},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, nothing that needs a lock
        )
    try:
        yield _address(process, profile / "DevToolsActivePort", log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def _address(process: subprocess.Popen[bytes], told: Path, log: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        if told.exists() and len(lines := told.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.02)
    raise RuntimeError(f"Chromium did not start:\n{log.read_text(errors='replace')[-4000:]}")
