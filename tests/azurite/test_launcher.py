import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.azurite import Azurite, ensure_installed, running
from tests.azurite.install import HERE

STARTS_ONE_AND_WAITS = """
import sys, time
from pathlib import Path
from tests.azurite import Azurite
server = Azurite(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


def runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs(pid)


def test_an_installation_is_found_again_at_once() -> None:
    script = ensure_installed()
    started = time.monotonic()
    assert ensure_installed() == script
    assert time.monotonic() - started < 0.5
    assert script.is_file()


def test_the_lock_file_names_versions_and_hashes_but_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text()
    assert '"integrity": "sha512-' in lock
    assert '"resolved"' not in lock


def test_a_server_keeps_its_port_and_is_gone_when_it_is_stopped(tmp_path: Path) -> None:
    server = Azurite(tmp_path / "with a space")
    server.start()
    port, pid = server.port, server.pid
    assert runs(pid)
    server.stop()
    assert gone(pid)
    server.start()
    assert server.port == port
    pid = server.pid
    server.kill()
    assert gone(pid)


def test_two_servers_run_side_by_side(tmp_path: Path) -> None:
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        assert one != two


def test_a_killed_test_run_leaves_no_server_behind(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE_AND_WAITS, str(tmp_path / "azurite")],
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert runs(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=5)
    if sys.platform.startswith("linux"):
        assert gone(pid)
    else:
        os.kill(pid, signal.SIGKILL)
