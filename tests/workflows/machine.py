"""The machine of one job: its folders, what is installed on it, and the files by which steps hand things on."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler import __version__
from tests.workflows.commands import StepLog

#: GitHub takes so much of each step.
_SUMMARY_BYTES: Final = 1024 * 1024
_FILES: Final = ("ENV", "OUTPUT", "PATH", "STEP_SUMMARY")
#: Where the commands of the system are; a Python or a sharepack of whoever runs the tests is not found there first.
_FOUND: Final = (shutil.which(name) for name in ("git", "bash"))
_SYSTEM: Final = ["/usr/local/bin", "/usr/bin", "/bin", *(str(Path(each).parent) for each in _FOUND if each)]
_BASH: Final = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]


#: As `pip install` of this project put it beside the Python of these tests.
INSTALLED: Final = Path(sysconfig.get_path("scripts")) / "sharepack"


class JobError(Exception):
    """A step did what it must not do, or what is not known here."""


@dataclass(slots=True)
class Done:
    """Of one step."""

    is_ok: bool
    outputs: Mapping[str, str]
    log: StepLog
    #: Standard output and standard error as they came, commands included.
    raw: str = ""


@dataclass(slots=True)
class Machine:
    folder: Path
    #: What installing leads to: the command itself, or one that behaves like it (`tests.forked`).
    sharepack: Path = INSTALLED
    #: What GitHub sets, for every step.
    env: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    masks: set[str] = field(default_factory=set)
    summary: str = ""

    def __post_init__(self) -> None:
        for each in (self.workspace, self.temp, self.home, self.bin):
            each.mkdir(parents=True)
        self.path.append(str(self.bin))
        self.env |= {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.temp),
            # Nothing of whoever runs the tests; as root, files of others are refused by git.
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }

    @property
    def workspace(self) -> Path:
        return self.folder / "a workspace"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def bin(self) -> Path:
        """Of the machine as it comes."""
        return self.folder / "bin"

    def command(self, folder: Path, name: str, script: str) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def install_python(self) -> None:
        """What setting up Python leads to: a Python whose pip knows one package, which is the one under test."""
        tools = self.folder / "tools"
        sharepack = shlex.quote(str(self.sharepack))
        what = f"-m pip install --quiet --disable-pip-version-check -- sharepack-reconciler=={__version__}"
        target = shlex.quote(str(tools / "sharepack"))
        script = f"""\
case "$*" in
  {shlex.quote(what)}) ln -s {sharepack} {target} ;;
  "-m pip"*) echo "this machine cannot install: $*" >&2; exit 1 ;;
  *) exec {shlex.quote(sys.executable)} "$@" ;;
esac"""
        self.command(tools, "python", script)
        self.path.insert(0, str(tools))

    def run(self, script: str, env: Mapping[str, str], *, is_strict: bool) -> Done:
        """`is_strict`: as a step that says `shell: bash`; others stop at errors too, but not within pipes."""
        files = dict(self._files())
        place = self.temp / "script.sh"
        place.write_text(script, encoding="utf-8")
        whole = self.env | dict(env) | {f"GITHUB_{name}": str(path) for name, path in files.items()}
        whole["PATH"] = os.pathsep.join([*self.path, *_SYSTEM])
        done = subprocess.run(
            [*(_BASH if is_strict else ["bash", "-e"]), str(place)],
            cwd=self.workspace,
            env=whole,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=300,
        )
        log = StepLog()
        raw = done.stdout.decode("utf-8", "replace")
        log.read(raw)
        if log.is_stopped:
            raise JobError(f"commands are still stopped at the end of a step:\n{raw}")
        self.masks |= log.masks
        outputs = self._take(files)
        return Done(done.returncode == 0, outputs, log, raw)

    def _files(self) -> Iterator[tuple[str, Path]]:
        for name in _FILES:
            path = self.temp / f"github_{name.lower()}"
            path.write_text("", encoding="utf-8")
            yield name, path

    def _take(self, files: Mapping[str, Path]) -> Mapping[str, str]:
        self.env |= _assignments(files["ENV"])
        for line in files["PATH"].read_text(encoding="utf-8").splitlines():
            self.path.insert(0, line)
        summary = files["STEP_SUMMARY"].read_text(encoding="utf-8")
        if len(summary.encode()) > _SUMMARY_BYTES:
            raise JobError("the summary is longer than GitHub takes")
        self.summary += summary
        return _assignments(files["OUTPUT"])


def _assignments(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if not equals or "<<" in name:
            raise JobError(f"not NAME=VALUE, which is all that is known here: {line}")
        found[name] = value
    return found
