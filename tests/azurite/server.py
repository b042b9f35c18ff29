"""One Azurite queue server as a child process that does not outlive the test run."""

import ctypes
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.azurite.install import ensure_installed, node

#: The account and key of every Azurite, published in its documentation.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

START_TIMEOUT = 60.0
_LISTENING = re.compile(r"successfully listens on http://127\.0\.0\.1:(\d+)")
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Azurite:
    """A server over one directory. It keeps its port over stop and start, so that clients find it again.

    It writes a line for each request to `azurite.log` in that directory, anew with each start.
    """

    directory: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def connection_string(self) -> str:
        endpoint = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};QueueEndpoint={endpoint};"

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Returns when it accepts requests; a port of 0 becomes the one the system gave."""
        # The version check stays on: it holds our client to an API version that servers know.
        script = ensure_installed()
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "azurite.log"
        options = ["--disableTelemetry", "--queueHost", "127.0.0.1", "--queuePort", str(self.port)]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [str(node()), str(script), *options, "--location", str(self.directory)],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl call, nothing that needs a lock
            )
        self.port = self._wait_until_listening(log)

    def stop(self) -> None:
        """Ends it in an orderly way: what it holds is on disk afterwards."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once; what it received in the last seconds may be lost."""
        self._end(signal.SIGKILL)

    def _wait_until_listening(self, log: Path) -> int:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if found := _LISTENING.search(log.read_text(errors="replace")):
                return int(found[1])
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"Azurite did not start:\n{log.read_text(errors='replace')[-4000:]}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """A connection string for a queue server over `directory`; it is gone when the context ends."""
    server = Azurite(directory)
    server.start()
    try:
        yield server.connection_string
    finally:
        server.kill()


def die_with_parent() -> Callable[[], None] | None:
    """Linux ends the child with the thread that started it, so a killed test run leaves nothing behind."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
