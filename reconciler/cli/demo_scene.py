"""The scene of the demo: a throw-away repository with the packs, a state folder in it, a sandbox. Nothing of the user's
settings reaches it, so that no demo can ever write to a real workspace or database."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import reconciler
from reconciler.cli.sandbox import SEED, TOKEN
from reconciler.cli.terminal import Failure
from reconciler.sandbox import Sandbox, Seed
from reconciler.settings import Settings

_API: Final = "/api/2.1/unity-catalog"
_IDENTITY: Final = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True, slots=True)
class Scene:
    repository: Path
    #: Of the sandbox.
    url: str
    #: Whether the packs are those of the checkout's last commit, with its history.
    is_clone: bool

    def by_hand(self, method: str, path: str, body: dict[str, Any]) -> str:
        """Change the workspace behind the program's back; answers what was sent."""
        request = Request(  # noqa: S310 - the sandbox's own address
            f"{self.url}{_API}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
            method=method,
        )
        with urlopen(request, timeout=10):  # noqa: S310
            return f"{method} {_API}{path} {json.dumps(body)}"

    def commit(self, message: str) -> None:
        _git(self.repository, *_IDENTITY, "commit", "--quiet", "--all", "--message", message)


@contextmanager
def scene() -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="sharepack-demo-", ignore_cleanup_errors=True) as folder:
        # The database's own account has to get through when the demo runs as root; there is nothing private in here.
        Path(folder).chmod(0o755)
        repository = Path(folder, "repository")
        is_clone = _fill(repository)
        with Sandbox(Seed.from_yaml(SEED.read_text(encoding="utf-8"))).serving() as url, _apart(repository, url):
            yield Scene(repository, url, is_clone)


def _fill(repository: Path) -> bool:
    checkout = Path(reconciler.__file__).parent.parent
    if not (checkout / "sharepacks").is_dir():
        raise Failure("the demo plays on the packs of the repository: run it in a checkout, with make demo")
    cloned = subprocess.run(["git", "clone", "--quiet", checkout, repository], capture_output=True, check=False)
    if cloned.returncode == 0 and (repository / "sharepacks").is_dir():
        return True
    shutil.rmtree(repository, ignore_errors=True)
    shutil.copytree(checkout / "sharepacks", repository / "sharepacks")
    (repository / ".gitignore").write_text(".sharepack/\n", encoding="utf-8")
    _git(repository, "init", "--quiet", "--initial-branch", "main")
    _git(repository, "add", ".")
    _git(repository, *_IDENTITY, "commit", "--quiet", "--message", "The share packs")
    return False


def _git(folder: Path, *arguments: str) -> None:
    try:
        subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Failure("git is needed and was not found on PATH") from error
    except subprocess.CalledProcessError as error:
        raise Failure(f"git {arguments[-1]} failed: {error.stderr.strip()}") from error


@contextmanager
def _apart(repository: Path, url: str) -> Iterator[None]:
    """In the repository, with settings of the demo's own and none of the user's."""
    before, home = dict(os.environ), Path.cwd()
    names = {name for name in before if name.lower() in Settings.model_fields or _is_credential(name)}
    try:
        for name in names:
            del os.environ[name]
        os.environ |= {"DATABRICKS_HOST": url, "DATABRICKS_TOKEN": TOKEN}
        os.chdir(repository)
        yield
    finally:
        os.chdir(home)
        os.environ.clear()
        os.environ.update(before)


def _is_credential(name: str) -> bool:
    return name.upper().startswith(("DATABRICKS_", "ARM_"))
