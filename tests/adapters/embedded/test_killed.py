"""Nothing committed is lost and nothing is left running, whichever process is killed."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.adapters.embedded.account import account_for
from tests.adapters.embedded.conftest import by_either_account, needs_proc
from tests.adapters.embedded.processes import (
    Somebody,
    ask,
    dsn_from,
    eventually,
    execute,
    is_answering,
    is_stopped,
    kill,
    leave,
    postmaster_of,
    server_processes,
    supervisor_of,
)

pytestmark = needs_proc

A_THOUSAND_ROWS = ("DROP TABLE IF EXISTS t", "CREATE TABLE t AS SELECT generate_series(1, 1000)")


@pytest.fixture
def user(somebody: Somebody, state: Path) -> Iterator[subprocess.Popen[str]]:
    user = somebody.starts(state, "durable")
    yield user
    user.kill()
    user.communicate()


@by_either_account
def test_a_killed_user_does_not_hold_the_server(user: subprocess.Popen[str], somebody: Somebody, state: Path) -> None:
    execute(dsn_from(user), *A_THOUSAND_ROWS)
    kill(user.pid)
    assert eventually(lambda: is_stopped(state), within=5)
    later = somebody.starts(state)
    assert ask(dsn_from(later), "SELECT count(*) FROM t") == 1000
    leave(later)


def test_a_killed_starter_does_not_take_the_server_from_others(
    user: subprocess.Popen[str], somebody: Somebody, state: Path
) -> None:
    dsn = dsn_from(user)
    other = somebody.starts(state)
    dsn_from(other)
    pid = postmaster_of(state)
    kill(user.pid)
    assert not eventually(lambda: is_stopped(state), within=1)
    assert is_answering(dsn)
    assert postmaster_of(state) == pid
    leave(other)
    assert eventually(lambda: is_stopped(state), within=2)


@by_either_account
@pytest.mark.parametrize("victim", [postmaster_of, supervisor_of])
def test_a_killed_server_or_supervisor_comes_back_under_the_same_address(
    user: subprocess.Popen[str], somebody: Somebody, state: Path, victim: Callable[[Path], int]
) -> None:
    dsn = dsn_from(user)
    execute(dsn, *A_THOUSAND_ROWS)
    before = postmaster_of(state)
    kill(victim(state))
    assert eventually(lambda: is_answering(dsn) and postmaster_of(state) != before)
    assert ask(dsn, "SELECT count(*) FROM t") == 1000
    leave(user)
    assert eventually(lambda: is_stopped(state), within=2)


@pytest.mark.parametrize("victim", [postmaster_of, supervisor_of])
def test_a_start_right_after_a_kill_succeeds(
    user: subprocess.Popen[str], somebody: Somebody, state: Path, victim: Callable[[Path], int]
) -> None:
    dsn = dsn_from(user)
    kill(user.pid)
    kill(victim(state))
    later = somebody.starts(state)
    assert dsn_from(later) == dsn
    assert ask(dsn, "SELECT 1") == 1
    leave(later)


def test_everything_killed_at_once(user: subprocess.Popen[str], somebody: Somebody, state: Path) -> None:
    execute(dsn_from(user), *A_THOUSAND_ROWS)
    for pid in (user.pid, supervisor_of(state), postmaster_of(state)):
        kill(pid)
    later = somebody.starts(state)
    assert ask(dsn_from(later), "SELECT count(*) FROM t") == 1000
    leave(later)
    assert eventually(lambda: is_stopped(state), within=2)


@by_either_account
def test_a_pid_file_whose_pid_another_process_has_now(
    user: subprocess.Popen[str], somebody: Somebody, state: Path
) -> None:
    """After a restart of the machine or container. PostgreSQL alone refuses to start as long as that process lives."""
    sockets = Path(ask(dsn_from(user), "SHOW unix_socket_directories"))
    kept = {}
    for path in (state / "postgres" / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        kept[path] = path.read_text().splitlines()[1:]
    leave(user)
    runs_as = account_for(state / "postgres")
    with subprocess.Popen(["sleep", "60"], **runs_as.switch) as bystander:
        sockets.mkdir(mode=0o700)
        for path, lines in kept.items():
            path.write_text("\n".join([str(bystander.pid), *lines]) + "\n")
            path.chmod(0o600)
        for path in (sockets, *kept):
            os.chown(path, runs_as.uid, runs_as.gid)
        later = somebody.starts(state)
        assert is_answering(dsn_from(later))
        leave(later)
        assert bystander.poll() is None
        bystander.kill()


def test_a_supervisor_killed_while_the_database_is_made(somebody: Somebody, fresh_state: Path) -> None:
    user = somebody.starts(fresh_state)
    assert eventually(lambda: any(fresh_state.glob("postgres.new.*/*")))
    for pid in server_processes(fresh_state):
        kill(pid)
    _, complaint = user.communicate(timeout=30)
    assert user.returncode == 1
    assert "EmbeddedPostgresError: PostgreSQL could not be started" in complaint
    for _ in range(2):  # the first start may come so early that initdb is still at it
        later = somebody.starts(fresh_state)
        assert is_answering(dsn_from(later))
        leave(later)
    assert not list(fresh_state.glob("postgres.new.*"))
    assert eventually(lambda: is_stopped(fresh_state), within=2)
