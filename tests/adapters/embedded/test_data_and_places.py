"""What is kept, and where a state directory may lie."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.embedded import EmbeddedPostgresError, running
from tests.adapters.embedded.conftest import by_either_account, needs_proc
from tests.adapters.embedded.processes import (
    Somebody,
    ask,
    dsn_from,
    eventually,
    execute,
    is_stopped,
    leave,
    postmaster_of,
)


@by_either_account
def test_data_are_kept_over_a_stop_and_nothing_is_printed(somebody: Somebody, fresh_state: Path) -> None:
    """Below a closed directory, in a path that is too long for a socket and has a space."""
    closed = fresh_state.parent / "closed"
    closed.mkdir(mode=0o700)
    os.chown(closed, somebody.account.uid, somebody.account.gid)
    state = closed / ("the user's «checkout» " + "x" * 120) / ".sharepack"
    for expected in (1, 2):
        user = somebody.starts(state)
        dsn = dsn_from(user)
        execute(dsn, "CREATE TABLE IF NOT EXISTS t (n int)", "INSERT INTO t VALUES (1)")
        assert ask(dsn, "SELECT count(*) FROM t") == expected
        # What the server reaches by path as well: another database, a checkpoint, a directory.
        execute(dsn, f"CREATE DATABASE another_{expected}", "CHECKPOINT")
        assert ask(dsn, "SELECT count(*) FROM pg_ls_waldir()") > 0
        leave(user)
    assert closed.stat().st_mode & 0o777 == 0o700


@needs_proc
def test_a_half_made_database_is_made_again_and_a_removed_one_ends(somebody: Somebody, fresh_state: Path) -> None:
    half = fresh_state / "postgres.new.halfmade"
    (half / "base").mkdir(parents=True)
    user = somebody.starts(fresh_state)
    dsn = dsn_from(user)
    assert ask(dsn, "SELECT 1") == 1
    assert not half.exists()
    subprocess.run(["rm", "-rf", fresh_state], check=True)
    assert eventually(lambda: is_stopped(fresh_state))
    leave(user)


def test_durable_unless_told_otherwise(state: Path) -> None:
    with running(state) as server:
        assert ask(server.dsn, "SHOW fsync") == "on"
    with running(state, durable=False) as server:
        assert ask(server.dsn, "SHOW fsync") == "off"


@by_either_account
def test_nothing_listens_on_tcp_and_the_socket_is_private(somebody: Somebody, state: Path) -> None:
    user = somebody.starts(state)
    dsn = dsn_from(user)
    assert ask(dsn, "SHOW listen_addresses") == ""
    sockets = Path(ask(dsn, "SHOW unix_socket_directories"))
    assert sockets.stat().st_mode & 0o777 == 0o700
    leave(user)
    assert not sockets.exists()


def test_a_socket_directory_of_somebody_else_is_refused(state: Path, tmp_path: Path) -> None:
    with running(state, durable=False) as server:
        sockets = Path(ask(server.dsn, "SHOW unix_socket_directories"))
    tmp_path.chmod(0o777)
    sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedPostgresError, match="belongs to somebody else"), running(state, durable=False):
            pass
    finally:
        sockets.unlink()


def test_settings_of_other_servers_in_the_environment_change_nothing(somebody: Somebody, state: Path) -> None:
    user = somebody.starts(state, PGPORT="1", PGHOST="nowhere", PGDATA="/nowhere", PGUSER="x", TMPDIR="/nowhere")
    assert ask(dsn_from(user), "SHOW port") == "5432"
    leave(user)


@needs_proc
def test_what_outlives_a_command_has_none_of_its_secrets(somebody: Somebody, state: Path) -> None:
    user = somebody.starts(state, DATABRICKS_TOKEN="dapi0123456789")
    dsn_from(user)
    assert b"dapi0123456789" in Path(f"/proc/{user.pid}/environ").read_bytes()
    for file in (state / "postgres.supervisor", state / "postgres" / "postmaster.pid"):
        pid = file.read_text().split()[0]
        assert b"dapi0123456789" not in Path(f"/proc/{pid}/environ").read_bytes()
    leave(user)


def test_values_do_not_reach_the_log(state: Path) -> None:
    with running(state, durable=False) as server:
        execute(server.dsn, "CREATE TABLE secrets (secret text PRIMARY KEY)", "INSERT INTO secrets VALUES ('hunter2')")
        with pytest.raises(Exception, match="duplicate key"):
            ask(server.dsn, "INSERT INTO secrets VALUES ('hunter2')")
        log = server.log.read_text()
    assert "duplicate key" in log
    assert "hunter2" not in log


def test_the_log_is_bounded(state: Path) -> None:
    with running(state, durable=False) as server:
        with server.log.open("a") as log:
            log.write("x" * 3_000_000)
        assert eventually(lambda: server.log.stat().st_size < 100_000)
        assert server.log.with_suffix(".log.1").stat().st_size >= 3_000_000


def test_a_place_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)file.*domain_db_connection_string"), running(file):
        pass


def test_other_files_in_the_place_of_the_data_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedPostgresError, match="no PostgreSQL data directory"), running(tmp_path):
        pass
    assert (tmp_path / "postgres" / "letter.txt").read_text() == "dear"


def test_what_postgres_says_against_a_start_is_told(state: Path) -> None:
    configuration = state / "postgres" / "postgresql.auto.conf"
    before = configuration.read_text()
    configuration.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match="no_such_setting"), running(state):
            pass
    finally:
        configuration.write_text(before)


@needs_proc
def test_a_server_started_by_other_means_is_left_alone(state: Path, tmp_path: Path) -> None:
    """Here: by us, for another state directory."""
    with running(state, durable=False) as server:
        pid = postmaster_of(state)
        (tmp_path / "postgres").symlink_to(server.data_directory)
        with pytest.raises(EmbeddedPostgresError, match="already exists"), running(tmp_path):
            pass
        assert postmaster_of(state) == pid
        assert ask(server.dsn, "SELECT 1") == 1
