"""Real Git repositories in a folder with a space, with no configuration but their own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.repositories import begin

PACK = "sharepacks/sales/q1.yaml"


@dataclass(frozen=True)
class Clone:
    """A working tree to change as a person would."""

    root: Path

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def write(self, path: str, content: str | bytes = "metadata: {}\n") -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, message: str = "Change packs") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, name: str, *options: str) -> "Clone":
        """Another clone of this repository, beside it, as one of a server would be."""
        other = self.root.parent / name
        self.git("clone", "--quiet", *options, self.root.as_uri(), str(other))
        return Clone(other)

    def damage(self, name: str, content: bytes | None = b"garbage") -> None:
        """Overwrite the loose object of this name, or take it away."""
        oid = self.git("rev-parse", name)
        place = self.root / ".git" / "objects" / oid[:2] / oid[2:]
        place.unlink()
        if content is not None:
            place.write_bytes(content)

    @property
    def packs(self) -> Path:
        return self.root / "sharepacks"


@pytest.fixture(autouse=True)
def _own_git_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    configuration = tmp_path_factory.mktemp("git") / "config"
    configuration.write_text(
        "[user]\n  name = Ada Lovelace\n  email = ada@example.org\n[init]\n  defaultBranch = main\n"
        '[protocol "file"]\n  allow = always\n[uploadpack]\n  allowFilter = true\n  allowAnySHA1InWant = true\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def empty(tmp_path: Path) -> Clone:
    """A repository without a commit."""
    clone = Clone(tmp_path / "my packs")
    clone.root.mkdir()
    clone.git("init", "--quiet")
    return clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A repository with one pack and a file outside the packs folder, all committed."""
    begin(tmp_path, ["my packs"], "one pack", lambda: with_one_pack(tmp_path))
    return Clone(tmp_path / "my packs")


def with_one_pack(folder: Path) -> Clone:
    clone = Clone(folder / "my packs")
    clone.root.mkdir()
    clone.git("init", "--quiet")
    clone.write(PACK)
    clone.write("README.md", "not a pack\n")
    clone.commit()
    return clone
