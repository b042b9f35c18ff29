"""Decides who starts and who stops the server of a state directory, by locks the operating system releases itself.

Two locks:

* `postgres.users`: every user process shares it. Whoever gets it alone knows that nobody uses the server, and keeps
  newcomers waiting while the server stops.
* `postgres.supervisor`: held by the supervisor as long as it lives. A user that gets it starts the supervisor and
  hands the lock over, so there is no moment in which two could start. It holds the pid once the server is ready.

Every user looks twice a second whether a supervisor is there, so the server comes back when it or its supervisor was
killed. Open connections are lost then, committed data are not; the address stays the same.
"""

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
from reconciler.adapters.embedded.locks import Lock

_PATIENCE = 300  # seconds for another process to finish starting or stopping the server
_LOOK_EVERY = 0.5  # seconds


@contextmanager
def in_use(state: Path, *, durable: bool) -> Iterator[Cluster]:
    with _explained(state):
        state.mkdir(parents=True, exist_ok=True)
        users = Lock.open(cluster_in(state).users_lock)
    with closing(users):
        users.share()
        try:
            with _explained(state):
                cluster = _ensure_running(state, durable=durable)
            with _kept_running(state, durable=durable):
                yield cluster
        finally:
            if users.take():
                _stop(state)
            users.release()


@contextmanager
def _explained(state: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The state directory {state} cannot be used: {error.strerror} ({error.filename}). Give one you may write "
            f"to, run as the account it belongs to, or {USE_YOUR_OWN}."
        ) from error


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
    with closing(Lock.open(cluster_in(state).supervisor_lock)) as supervisor:
        if supervisor.take():
            _start_supervisor(state, supervisor, durable=durable)
        cluster = cluster_in(state)
        return cluster if supervisor.pid() and cluster.is_reachable else None


def _start_supervisor(state: Path, supervisor: Lock, *, durable: bool) -> None:
    """Returns when the server is ready. The supervisor outlives this process, so it gets none of its environment."""
    supervisor.erase_pid()
    environment = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-P", "-m", "reconciler.adapters.embedded.supervise"]
    log_path = cluster_in(state).log
    with log_path.open("ab") as log:
        why_not = subprocess.run(
            [*command, os.fspath(state), str(supervisor.descriptor), "durable" if durable else "fast"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd="/",
            pass_fds=(supervisor.descriptor,),
            start_new_session=True,
            check=False,
        ).stdout
    if supervisor.pid() is None:
        raise EmbeddedPostgresError(why_not or f"PostgreSQL could not be started; the end of {log_path} says why.")


@contextmanager
def _kept_running(state: Path, *, durable: bool) -> Iterator[None]:
    leaving = threading.Event()

    def keep_running() -> None:
        while not leaving.wait(_LOOK_EVERY):
            with suppress(EmbeddedPostgresError, OSError):  # what cannot be mended now is tried again
                _start_or_attach(state, durable=durable)

    watch = threading.Thread(target=keep_running, name="embedded-postgres", daemon=True)
    watch.start()
    try:
        yield
    finally:
        leaving.set()
        watch.join()


def _stop(state: Path) -> None:
    """Called with all users kept waiting; returns when the server has stopped."""
    give_up_at = time.monotonic() + _PATIENCE
    is_asked = False
    # Without a state directory the supervisor has noticed itself; one of another account notices that nobody is left.
    with suppress(FileNotFoundError, PermissionError), closing(Lock.open(cluster_in(state).supervisor_lock)) as lock:
        while not lock.take() and time.monotonic() < give_up_at:
            pid = lock.pid()
            if pid and not is_asked:
                is_asked = True
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            time.sleep(0.005)
