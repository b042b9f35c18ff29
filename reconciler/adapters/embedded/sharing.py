"""Decides who starts and who stops the server of a state directory, by locks the operating system releases itself.

Two lock files (flock):

* `postgres.users`: every user process holds it shared. Whoever gets it exclusively knows that nobody uses the server,
  and keeps newcomers waiting while the server stops.
* `postgres.supervisor`: held by the supervisor as long as it lives. A user that gets it starts the supervisor and
  hands the lock over, so there is no moment in which two could start. It holds the pid once the server is ready.

Every user looks twice a second whether a supervisor is there, so the server comes back when it or its supervisor was
killed. Open connections are lost then, committed data are not; the address stays the same.
"""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from reconciler.adapters.embedded.cluster import Cluster, cluster_in
from reconciler.adapters.embedded.errors import USE_YOUR_OWN, EmbeddedPostgresError
from reconciler.adapters.embedded.supervise import READY

_PATIENCE = 300  # seconds for another process to finish starting or stopping the server
_LOOK_EVERY = 0.5  # seconds


@contextmanager
def in_use(state: Path, *, durable: bool) -> Iterator[Cluster]:
    try:
        state.mkdir(parents=True, exist_ok=True)
        use = _Lock(state / "postgres.users")
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The state directory {state} cannot be used: {error.strerror}. Give one you may write to, run as the "
            f"account it belongs to, or {USE_YOUR_OWN}."
        ) from error
    with closing(use):
        use.share()
        cluster = _ensure_running(state, durable=durable)
        leaving = threading.Event()
        watch = threading.Thread(target=_keep_running, args=(state, leaving), kwargs={"durable": durable}, daemon=True)
        watch.start()
        try:
            yield cluster
        finally:
            leaving.set()
            watch.join()
            if use.take():
                _stop(state)
            use.release()


class _Lock:
    """An open lock file. Given up when every process that has it open has closed it or ended."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def share(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def take(self) -> bool:
        """Gives up a share in any case, and returns whether it now holds the lock alone."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """For children forked meanwhile as well, which `close` alone would leave holding it."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def pid(self) -> int | None:
        written = os.pread(self.descriptor, 20, 0)
        return int(written) if written else None

    def close(self) -> None:
        os.close(self.descriptor)


def _ensure_running(state: Path, *, durable: bool) -> Cluster:
    give_up_at = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up_at:
        cluster = _start_or_attach(state, durable=durable)
        if cluster is not None:
            return cluster
        time.sleep(0.02)
    raise EmbeddedPostgresError(
        f"Another process has been starting PostgreSQL in {state} for {_PATIENCE} seconds, or runs it where its "
        f"socket cannot be seen from here (another container). See {state / 'postgres.log'}, or {USE_YOUR_OWN}."
    )


def _start_or_attach(state: Path, *, durable: bool) -> Cluster | None:
    """None while another process is starting or stopping the server."""
    with closing(_Lock(state / "postgres.supervisor")) as supervisor:
        if supervisor.take():
            os.ftruncate(supervisor.descriptor, 0)
            _start_supervisor(state, supervisor.descriptor, durable=durable)
        cluster = cluster_in(state)
        return cluster if supervisor.pid() and cluster.is_reachable else None


def _start_supervisor(state: Path, lock: int, *, durable: bool) -> None:
    """Returns when the server is ready. The supervisor outlives this process, so it gets none of its environment."""
    environment = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-P", "-m", "reconciler.adapters.embedded.supervise"]
    arguments = [os.fspath(state), os.fspath(state / "postgres.users"), str(lock), "durable" if durable else "fast"]
    with (state / "postgres.log").open("ab") as log:
        said = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd="/",
            pass_fds=(lock,),
            start_new_session=True,
            check=False,
        ).stdout
    if said != READY:
        raise EmbeddedPostgresError(said or f"PostgreSQL could not be started; {state / 'postgres.log'} says why.")


def _keep_running(state: Path, leaving: threading.Event, *, durable: bool) -> None:
    while not leaving.wait(_LOOK_EVERY):
        with suppress(EmbeddedPostgresError, OSError):  # what cannot be mended now is tried again
            _start_or_attach(state, durable=durable)


def _stop(state: Path) -> None:
    """Called with all users locked out; returns when the server has stopped."""
    give_up_at = time.monotonic() + _PATIENCE
    is_asked = False
    with closing(_Lock(state / "postgres.supervisor")) as supervisor:
        while not supervisor.take() and time.monotonic() < give_up_at:
            pid = supervisor.pid()
            if pid and not is_asked:
                is_asked = True
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGTERM)
            time.sleep(0.005)
