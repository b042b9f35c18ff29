"""The hooks for pre-commit: run as it runs them, with the files that its patterns choose."""

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli import COMMANDS
from reconciler.packs.file_names import is_pack, is_tenants_file
from reconciler.packs.new_repository import hooks, repository_files
from tests.cli.test_fmt import TIDY, UNTIDY

REPOSITORY = Path(__file__).parents[2]
HOOKS: Mapping[str, Mapping[str, Any]] = {
    each["id"]: each for each in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}


def run(hook: str, staged: list[str]) -> "subprocess.CompletedProcess[str]":
    """`entry`, split as by a shell, then the staged files that `files` finds: that is all pre-commit does."""
    program, *arguments = shlex.split(HOOKS[hook]["entry"])
    assert program == "sharepack"
    chosen = [path for path in staged if re.search(HOOKS[hook]["files"], path)]
    command = [sys.executable, "-m", "reconciler", *arguments, *chosen]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def staged(no_settings: Path) -> list[str]:
    files = {
        "README.md": "words",
        "other/q.yaml": "not: ours",
        "sharepacks/tenants.yaml": "tenants: {l: {}}\n",
        "sharepacks/a b/untidy.yaml": UNTIDY,
        "sharepacks/a b/.hidden.yaml": "not: ours",
        "sharepacks/a b/notes.sql": "SELECT 1",
    }
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    return list(files)


def test_they_are_what_pre_commit_expects() -> None:
    assert list(HOOKS) == ["sharepack-fmt", "sharepack-validate"]
    for hook in HOOKS.values():
        assert {"id", "name", "entry", "language"} <= hook.keys()
        assert hook["language"] == "python"
        assert hook["entry"].split()[1] in COMMANDS


def test_the_formatter_changes_the_staged_packs_which_fails_the_commit_and_then_passes(staged: list[str]) -> None:
    first = run("sharepack-fmt", staged)
    assert (first.returncode, first.stderr) == (0, "")
    assert Path("sharepacks/a b/untidy.yaml").read_text(encoding="utf-8") == TIDY
    assert Path("other/q.yaml").read_text(encoding="utf-8") == "not: ours"
    assert "0 files formatted, 2 files in normal form already." in run("sharepack-fmt", staged).stdout


def test_the_check_fails_for_what_is_wrong_and_passes_for_what_is_right(staged: list[str]) -> None:
    assert run("sharepack-validate", staged).returncode == 0
    Path("sharepacks/a b/untidy.yaml").write_text(UNTIDY.replace("a@b.example", "nobody"), encoding="utf-8")
    failed = run("sharepack-validate", staged)
    assert failed.returncode == 3
    assert "[email-invalid]" in failed.stdout


@pytest.mark.parametrize(
    "path",
    [
        "sharepacks/a.yaml",
        "sharepacks/a/b/c.yml",
        "sharepacks/a/c.xlsx",
        "sharepacks/a/c.xls",
        "sharepacks/tenants.yml",
        "sharepacks/.a.yaml",
        "sharepacks/.git/a.yaml",
        "sharepacks/a/~$c.xlsx",
        "sharepacks/a.md",
        "x/sharepacks/a.yaml",
    ],
)
def test_they_choose_the_files_that_the_commands_take(path: str) -> None:
    is_ours = path.startswith("sharepacks/") and (is_pack(path) or is_tenants_file(path))
    assert bool(re.search(HOOKS["sharepack-validate"]["files"], path)) == is_ours
    assert bool(re.search(HOOKS["sharepack-fmt"]["files"], path)) == (is_ours and path.endswith(("yaml", "yml")))


def test_a_new_repository_has_the_same_hooks() -> None:
    written = yaml.safe_load(repository_files([])[".pre-commit-config.yaml"])
    (source,) = written["repos"]
    for ours, theirs in zip(hooks(), source["hooks"], strict=True):
        shared = {key: HOOKS[ours["id"]][key] for key in ("id", "name", "entry", "files")}
        assert shared == {key: theirs[key] for key in shared}
