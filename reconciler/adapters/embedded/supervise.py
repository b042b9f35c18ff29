"""The process that is the parent of the embedded PostgreSQL: starts it, and stops it when nobody uses it any more.

It holds the supervisor lock (inherited from the user process that started it) as long as it lives, so there is one at
a time. Killed, it takes the server with it and frees the lock; any user then starts the next one. It restarts
nothing itself: when the server ends, so does it.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from reconciler.adapters.embedded.cluster import Cluster, cluster_in
from reconciler.adapters.embedded.errors import USE_YOUR_OWN, EmbeddedPostgresError
from reconciler.adapters.embedded.locks import Lock
from reconciler.adapters.embedded.server import start, stop

_LOG_LIMIT = 2 * 1024 * 1024  # bytes; one older piece of about the same size is kept
_LOOK_EVERY = 0.25  # seconds: how long a server outlives users that were all killed
_ASKED_TO_END = {signal.SIGTERM, signal.SIGINT}


def main(arguments: list[str]) -> int:
    """Silent once the server is ready and the pid stands in the lock; before that, stdout takes the reason why not."""
    state, supervisor, durable = Path(arguments[0]), Lock(int(arguments[1])), arguments[2] == "durable"
    if os.fork():
        os._exit(0)  # the user process waits for this one only, and never has a child to look after
    signals = _signal_pipe()
    try:
        cluster = cluster_in(state)
        server = start(cluster, durable=durable)
    except EmbeddedPostgresError as error:
        sys.stdout.write(str(error))
        return 1
    except OSError as error:
        sys.stdout.write(f"PostgreSQL could not be started in {state}: {error}. Mend that, or {USE_YOUR_OWN}.")
        return 1
    supervisor.write_pid()
    _close_stdout()
    with closing(Lock.open(cluster.users_lock)) as users:
        _wait(cluster, server, users, signals)
        supervisor.erase_pid()
        stop(cluster, server)
    return 0


def _signal_pipe() -> int:
    """A descriptor that becomes readable when the server ends or a last user asks for the end (SIGTERM)."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    for number in (signal.SIGCHLD, *_ASKED_TO_END):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing)
    return reading


def _close_stdout() -> None:
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def _wait(cluster: Cluster, server: subprocess.Popen[bytes], users: Lock, signals: int) -> None:
    """Returns with new users kept waiting, unless the server ended, its data were removed, or it was asked to end (by
    a last user, which keeps the others waiting itself).
    """
    while server.poll() is None and cluster.data.exists():
        if select.select([signals], [], [], _LOOK_EVERY)[0]:
            if _ASKED_TO_END & set(os.read(signals, 100)):
                return
        elif users.take():
            return
        if cluster.log.exists() and cluster.log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(cluster.log, cluster.log.with_suffix(".log.1"))
            os.truncate(cluster.log, 0)  # the server appends


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
