"""`sharepack completion`: the scripts that shells get, and what these are answered, in a real shell too."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from reconciler.cli import COMMANDS, cli
from reconciler.cli.completion import VARIABLE
from reconciler.cli.exits import Exit
from tests.cli.test_start import HEAVY, OURS

PACK = """\
metadata: {requestor: a@b.example, project_name: p, business_line: l}
recipient:
  - {name: partner-x, type: D2O, email: a@b.example}
share:
  - {name: orders, recipients: [partner-x]}
"""


@pytest.fixture
def packs(no_settings: Path) -> Path:
    folder = no_settings / "sharepacks"
    (folder / "sales").mkdir(parents=True)
    (folder / "tenants.yaml").write_text("tenants: {l: {}}\n", encoding="utf-8")
    (folder / "sales/q1.yaml").write_text(PACK, encoding="utf-8")
    (folder / "sales/broken.yaml").write_text("share: [{name: whole}\n- [", encoding="utf-8")
    (folder / "sales/book.xlsx").write_bytes(b"never opened")
    return folder


def completions(*words: str) -> list[str]:
    *before, incomplete = words
    asked = ShellComplete(cli, {}, "sharepack", VARIABLE)
    return [each.value for each in asked.get_completions(before, incomplete)]


def test_commands_come_with_what_they_do() -> None:
    found = ShellComplete(cli, {}, "sharepack", VARIABLE).get_completions([], "")
    assert {each.value: each.help for each in found} == {name: words for name, (_, words) in COMMANDS.items()}
    assert completions("va") == ["validate"]
    assert "--packs-dir" in completions("--p")


def test_options_and_their_words_are_completed() -> None:
    assert completions("plan", "--form") == ["--format"]
    assert "json" in completions("history", "share/x", "--format", "")


@pytest.mark.usefixtures("packs")
def test_paths_names_and_keys_come_from_the_files() -> None:
    paths = ["sharepacks/sales/book.xlsx", "sharepacks/sales/broken.yaml", "sharepacks/sales/q1.yaml"]
    for command in ("validate", "plan", "apply", "fmt", "suspend", "resume", "status", "convert"):
        assert completions(command, "sharepacks/s") == paths
    assert completions("history", "") == ["recipient/partner-x", "share/orders", "share/whole"]
    assert completions("activation", "p") == ["partner-x"]
    assert completions("rotate", "x") == []
    assert completions("import", "--share", "o") == ["orders"]
    assert completions("--packs-dir", "nowhere", "history", "") == []


@pytest.mark.usefixtures("packs")
def test_other_paths_are_left_to_the_shell() -> None:
    (found,) = ShellComplete(cli, {}, "sharepack", VARIABLE).get_completions(["plan"], "elsewhere/")
    assert (found.type, found.value) == ("file", "elsewhere/")


def test_completing_a_command_imports_none_of_them() -> None:
    program = (
        "import sys; from reconciler.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules)"
    )
    asked = {**os.environ, VARIABLE: "bash_complete", "COMP_WORDS": "sharepack hist", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=asked, capture_output=True, text=True, check=True, timeout=60
    )
    first, *modules = done.stdout.split()
    assert first == "plain,history"
    assert set(modules) & {*HEAVY, *OURS, *(module for module, _ in COMMANDS.values())} == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell], prog_name="sharepack")
    assert result.exit_code == Exit.DONE
    assert f"{VARIABLE}={shell}_complete" in result.stdout
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n", "/dev/stdin"], input=result.stdout, text=True, check=True, timeout=60)


def test_another_shell_is_wrong_usage() -> None:
    result = CliRunner().invoke(cli, ["completion", "tcsh"], prog_name="sharepack")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in result.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_it(packs: Path, tmp_path: Path) -> None:
    """As when Tab is pressed behind `sharepack history re`."""
    program = tmp_path / "bin/sharepack"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = (
        'eval "$(sharepack completion bash)"\n'
        "COMP_WORDS=(sharepack history re); COMP_CWORD=2\n"
        '_sharepack_completion sharepack; echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "recipient/partner-x\n"
