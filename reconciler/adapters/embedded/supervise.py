"""The process that is the parent of the embedded PostgreSQL: starts it, and stops it when nobody uses it any more.

It holds the supervisor lock (a descriptor inherited from the user process that started it) as long as it lives, so
there is one at a time. Killed, it takes the server with it and frees the lock; any user then starts the next one.
It restarts nothing itself: when the server dies, so does it.
"""

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from reconciler.adapters.embedded.cluster import Cluster, cluster_in, start, stop
from reconciler.adapters.embedded.errors import EmbeddedPostgresError

READY = "ready"
_LOG_LIMIT = 2 * 1024 * 1024  # bytes; one older piece of about the same size is kept
_LOOK_EVERY = 0.25  # seconds: how long a server outlives users that were all killed


def main(arguments: list[str]) -> int:
    state, users, lock, durable = Path(arguments[0]), Path(arguments[1]), int(arguments[2]), arguments[3] == "durable"
    if os.fork():
        os._exit(0)  # the user process waits for this one only, and never has a child to look after
    signals = _signal_pipe()
    try:
        cluster = cluster_in(state)
        server = start(cluster, durable=durable)
    except EmbeddedPostgresError as error:
        _answer(str(error))
        return 1
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    _answer(READY)
    with users.open("rb") as use:
        _wait(cluster, server, use.fileno(), signals)
        os.ftruncate(lock, 0)
        if server.poll() is None:
            stop(cluster, server)
    return 0


def _signal_pipe() -> int:
    """A descriptor that becomes readable when the server ends or a last user asks for the end (SIGTERM)."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing)
    return reading


def _answer(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def _wait(cluster: Cluster, server: subprocess.Popen[bytes], use: int, signals: int) -> None:
    """Returns with the users locked out, unless the server ended or a user that locks the others out asked for it."""
    while server.poll() is None:
        if select.select([signals], [], [], _LOOK_EVERY)[0]:
            if {signal.SIGTERM, signal.SIGINT} & set(os.read(signals, 100)):
                return
        elif _nobody_uses(use):
            return
        if cluster.log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(cluster.log, cluster.log.with_suffix(".log.1"))
            os.truncate(cluster.log, 0)  # the server appends


def _nobody_uses(use: int) -> bool:
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
