"""What is kept, and where a state directory may lie."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.embedded import EmbeddedPostgresError, running
from tests.adapters.embedded.conftest import by_either_account, needs_proc
from tests.adapters.embedded.processes import Somebody, ask, dsn_from, eventually, is_stopped, leave, postmaster_of


@by_either_account
def test_data_are_kept_over_a_stop_and_nothing_is_printed(somebody: Somebody, fresh_state: Path) -> None:
    for expected in (1, 2):
        user = somebody.starts(fresh_state)
        dsn = dsn_from(user)
        ask(dsn, "CREATE TABLE IF NOT EXISTS t (n int)")
        ask(dsn, "INSERT INTO t VALUES (1)")
        assert ask(dsn, "SELECT count(*) FROM t") == expected
        leave(user)


@pytest.mark.parametrize("name", ["with a space", "x" * 180, "ünïcode, 'quoted'"])
def test_any_path_will_do(somebody: Somebody, state: Path, name: str) -> None:
    moved = state.rename(state.parent / name)
    user = somebody.starts(moved)
    assert ask(dsn_from(user), "SELECT 1") == 1
    leave(user)


@by_either_account
def test_a_state_directory_below_a_closed_one(somebody: Somebody, fresh_state: Path) -> None:
    closed = fresh_state.parent / "closed"
    closed.mkdir(mode=0o700)
    os.chown(closed, somebody.account.uid, somebody.account.gid)
    user = somebody.starts(closed / "project" / ".sharepack")
    dsn = dsn_from(user)
    # What the server reaches by path as well as what it opens itself: new files, another database, a checkpoint.
    ask(dsn, "CREATE DATABASE another")
    ask(dsn, "CHECKPOINT")
    assert ask(dsn, "SELECT count(*) FROM pg_ls_waldir()") > 0
    leave(user)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_half_made_database_is_made_again(somebody: Somebody, fresh_state: Path) -> None:
    half = fresh_state / "postgres.new.halfmade"
    (half / "base").mkdir(parents=True)
    for path in (fresh_state, half, half / "base"):
        os.chown(path, somebody.account.uid, somebody.account.gid)
    user = somebody.starts(fresh_state)
    assert ask(dsn_from(user), "SELECT 1") == 1
    leave(user)
    assert not half.exists()


@needs_proc
def test_the_server_ends_when_its_state_directory_is_removed(somebody: Somebody, state: Path) -> None:
    user = somebody.starts(state)
    dsn_from(user)
    subprocess.run(["rm", "-rf", state], check=True)
    assert eventually(lambda: is_stopped(state))
    leave(user)


def test_durable_unless_told_otherwise(tmp_path: Path) -> None:
    with running(tmp_path / "state") as server:
        assert ask(server.dsn, "SHOW fsync") == "on"
    with running(tmp_path / "state", durable=False) as server:
        assert ask(server.dsn, "SHOW fsync") == "off"


def test_nothing_listens_on_tcp_and_the_socket_is_private(somebody: Somebody, state: Path) -> None:
    user = somebody.starts(state)
    dsn = dsn_from(user)
    assert ask(dsn, "SHOW listen_addresses") == ""
    sockets = Path(ask(dsn, "SHOW unix_socket_directories"))
    assert sockets.stat().st_mode & 0o777 == 0o700
    leave(user)
    assert not sockets.exists()


def test_a_socket_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "state", durable=False) as server:
        sockets = Path(ask(server.dsn, "SHOW unix_socket_directories"))
    decoy = tmp_path / "decoy"
    decoy.mkdir(mode=0o777)
    sockets.symlink_to(decoy)
    try:
        with pytest.raises(EmbeddedPostgresError, match="belongs to somebody else"), running(tmp_path / "state"):
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
    for line in (state / "postgres.supervisor", state / "postgres" / "postmaster.pid"):
        pid = line.read_text().split()[0]
        assert b"dapi0123456789" not in Path(f"/proc/{pid}/environ").read_bytes()
    leave(user)


def test_values_do_not_reach_the_log(tmp_path: Path) -> None:
    with running(tmp_path / "state", durable=False) as server:
        ask(server.dsn, "CREATE TABLE t (secret text PRIMARY KEY)")
        ask(server.dsn, "INSERT INTO t VALUES ('hunter2')")
        with pytest.raises(Exception, match="duplicate key"):
            ask(server.dsn, "INSERT INTO t VALUES ('hunter2')")
        log = server.log.read_text()
    assert "duplicate key" in log
    assert "hunter2" not in log


def test_the_log_is_bounded(tmp_path: Path) -> None:
    with running(tmp_path / "state", durable=False) as server:
        with server.log.open("a") as log:
            log.write("x" * 3_000_000)
        assert eventually(lambda: server.log.stat().st_size < 100_000)
        assert server.log.with_suffix(".log.1").stat().st_size >= 3_000_000


def test_a_place_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EmbeddedPostgresError, match=r"(?s)file.*domain_db_connection_string"),
        running(tmp_path / "file"),
    ):
        pass


def test_other_files_in_the_place_of_the_data_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedPostgresError, match="no PostgreSQL data directory"), running(tmp_path):
        pass
    assert (tmp_path / "postgres" / "letter.txt").read_text() == "dear"


def test_what_postgres_says_against_a_start_is_told(tmp_path: Path) -> None:
    with running(tmp_path, durable=False) as server:
        configuration = server.data_directory / "postgresql.conf"
    with configuration.open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"), running(tmp_path):
        pass


@needs_proc
def test_a_server_started_by_hand_is_left_alone(tmp_path: Path) -> None:
    """Here: by us, with its state directory moved below it, so that it is known under another name."""
    with running(tmp_path / "state", durable=False) as server:
        pid = postmaster_of(tmp_path / "state")
        other = tmp_path / "other"
        other.mkdir()
        (other / "postgres").symlink_to(server.data_directory)
        with pytest.raises(EmbeddedPostgresError, match=r"already exists"), running(other):
            pass
        assert postmaster_of(tmp_path / "state") == pid
        assert ask(server.dsn, "SELECT 1") == 1
