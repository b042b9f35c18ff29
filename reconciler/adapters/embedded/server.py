"""Makes the database files once, starts PostgreSQL on them and stops it. Who may do so, and when, is not decided here:
the caller is the supervisor and holds its lock.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.adapters.embedded.account import Account, make_private
from reconciler.adapters.embedded.binaries import Programs, find_programs
from reconciler.adapters.embedded.cluster import Cluster
from reconciler.adapters.embedded.errors import USE_YOUR_OWN, EmbeddedPostgresError

#: Without the caller's environment: PGPORT and the like would change the server, and it needs no secrets of ours.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
_SETTINGS = (
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=64MB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "jit=off",
    # The log must stay small and must not hold values: neither statements nor the DETAIL of a violated constraint.
    "log_checkpoints=off",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
)
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
#: What a start says of its shared memory while the last processes of a killed server are still going.
_STILL_GOING = "still in use"


def start(cluster: Cluster, *, durable: bool) -> subprocess.Popen[bytes]:
    """Returns when the server accepts connections. It ends when the calling process does (Linux)."""
    programs = find_programs(cluster.data, cluster.account)
    _make_data(cluster, programs, durable=durable)
    _end_orphan(cluster)
    shutil.rmtree(cluster.sockets, ignore_errors=True)  # a socket lock file with a reused pid would stop the start
    make_private(cluster.sockets, cluster.account)
    give_up_at = time.monotonic() + 10
    while True:
        log_starts_at = cluster.log.stat().st_size
        server = _launch(cluster, programs, durable=durable)
        if _becomes_ready(cluster, server):
            return server
        said = _read_from(cluster.log, log_starts_at)
        if time.monotonic() > give_up_at or _STILL_GOING not in said:
            shutil.rmtree(cluster.sockets, ignore_errors=True)
            raise EmbeddedPostgresError(
                f"PostgreSQL did not start on {cluster.data}. It said:\n{said[-2000:].strip()}\n"
                f"Mend that, or {USE_YOUR_OWN}."
            )
        time.sleep(0.25)


def stop(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    for how, patience in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, None)):
        server.send_signal(how)
        try:
            server.wait(patience)
            break
        except subprocess.TimeoutExpired:
            continue
    shutil.rmtree(cluster.sockets, ignore_errors=True)


def _make_data(cluster: Cluster, programs: Programs, *, durable: bool) -> None:
    """Beside its place and renamed when whole: a database directory is either complete or not there."""
    for unfinished in cluster.state.glob("postgres.new.*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    if (cluster.data / "PG_VERSION").exists():
        return
    if cluster.data.exists() and any(cluster.data.iterdir()):
        raise EmbeddedPostgresError(f"{cluster.data} is no PostgreSQL data directory. Move it away.")
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new.", dir=cluster.state))
    if cluster.account.switch:
        os.chown(fresh, cluster.account.uid, cluster.account.gid)
    options = ["--auth=trust", "--username=postgres", "--locale=C", "--encoding=UTF8", "--no-instructions"]
    with _reachable_by(cluster.account, fresh) as (path, descriptors):
        made = subprocess.run(
            [programs.initdb, "-D", path, *options, *([] if durable else ["--no-sync"])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=descriptors,
            preexec_fn=_ending_with_parent(),
            check=False,
            **cluster.account.switch,
        )
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EmbeddedPostgresError(
            f"initdb could not make a database in {cluster.state}. It said:\n{made.stdout[-2000:].strip()}\n"
            f"Mend that, or {USE_YOUR_OWN}."
        )
    fresh.rename(cluster.data)
    state = os.open(cluster.state, os.O_RDONLY)
    os.fsync(state)
    os.close(state)


@contextmanager
def _reachable_by(account: Account, directory: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """`directory` as an argument, and the descriptors to pass on.

    Another account may be kept out by a closed directory further up, such as the home of root. It is then handed the
    open directory itself: Linux does not look at the directories above /proc/self/fd/N. All processes of the server
    inherit the descriptor.
    """
    if not account.switch or not sys.platform.startswith("linux"):
        yield os.fspath(directory), ()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def _launch(cluster: Cluster, programs: Programs, *, durable: bool) -> subprocess.Popen[bytes]:
    settings = [f"unix_socket_directories={cluster.sockets}", *_SETTINGS, *(() if durable else _NOT_DURABLE)]
    with _reachable_by(cluster.account, cluster.data) as (path, descriptors), cluster.log.open("ab") as log:
        return subprocess.Popen(
            [programs.postgres, "-D", path, *(part for setting in settings for part in ("-c", setting))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_ENVIRONMENT,
            cwd="/",
            pass_fds=descriptors,
            preexec_fn=_ending_with_parent(),  # noqa: PLW1509 - this process has one thread
            **cluster.account.switch,
        )


def _ending_with_parent() -> Callable[[], None] | None:
    """Linux sends the child SIGINT (to PostgreSQL: stop now, cleanly) when the thread that started it ends.

    Set after the change of account, which would clear it. Elsewhere `_end_orphan` does what is left to do.
    """
    if not sys.platform.startswith("linux"):
        return None
    set_process_option = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def in_child() -> None:
        set_process_option(1, signal.SIGINT)  # 1: PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return in_child


def _becomes_ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> bool:
    """False when the server ends instead. Recovery after a crash may take long; the server's end is the only limit."""
    while server.poll() is None:
        lines = _pid_file_lines(cluster)
        if len(lines) >= 8 and lines[0] == str(server.pid) and lines[7] == "ready":
            return True
        time.sleep(0.005)
    return False


def _pid_file_lines(cluster: Cluster) -> list[str]:
    """Line 1 is the pid of the postmaster, line 8 its status (src/include/utils/pidfile.h)."""
    try:
        return [line.strip() for line in (cluster.data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _end_orphan(cluster: Cluster) -> None:
    """Stops a server whose supervisor was killed, and removes the pid file of one that is gone.

    PostgreSQL itself takes any live process with that pid for a server: one that reused it, and a zombie too.
    """
    lines = _pid_file_lines(cluster)
    if lines and lines[0].isdigit():
        pid = int(lines[0])
        give_up_at = time.monotonic() + 60
        while _is_server(cluster, pid):
            if time.monotonic() > give_up_at:
                raise EmbeddedPostgresError(f"A PostgreSQL (process {pid}) on {cluster.data} does not stop. End it.")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            time.sleep(0.05)
        if _works_in(cluster.data, pid):
            return  # a server that somebody started by hand; PostgreSQL will say so
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def _is_server(cluster: Cluster, pid: int) -> bool:
    """Its command line names our socket directory; that of a zombie is empty."""
    if not Path("/proc/self/cmdline").exists():
        return cluster.is_reachable
    try:
        return os.fsencode(cluster.sockets) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _works_in(directory: Path, pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(directory)
    except OSError:
        return False


def _read_from(log: Path, position: int) -> str:
    with log.open("rb") as file:
        file.seek(position)
        return file.read().decode(errors="replace")
