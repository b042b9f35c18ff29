"""The workflows and actions held to actionlint, zizmor and the JSON Schemas of GitHub's files, without a network.

`python -m tests.workflows.linting` is what `make lint` runs."""

import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from reconciler.cli.terminal import write

TOP: Final = Path(__file__).parent.parent.parent
_BIN: Final = Path(sysconfig.get_path("scripts"))


def complaints(top: Path, linter: str = "") -> Sequence[str]:
    """What the linters, or the one of this name or schema, say of the workflows and actions below `top`/.github; empty
    when content."""
    workflows = sorted(str(path) for path in (top / ".github" / "workflows").glob("*.yml"))
    actions = sorted(str(path) for path in (top / ".github" / "actions").glob("*/action.yml"))
    commands = [each for each in _commands(workflows, actions) if linter in {"", *each}]
    return [each for command in commands for each in _run(command, top)]


def _commands(workflows: Sequence[str], actions: Sequence[str]) -> Iterator[Sequence[str]]:
    # shellcheck and pyflakes would be used where they happen to be installed, and not elsewhere.
    yield ["actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *workflows]
    yield ["zizmor", "--offline", "--persona=pedantic", "--no-progress", "--color=never", "--quiet", ".github"]
    schemas = {
        "vendor.github-workflows": workflows,
        "custom.github-workflows-require-timeout": workflows,
        "vendor.github-actions": actions,
    }
    for schema, files in schemas.items():
        if files:
            yield ["check-jsonschema", "--color=never", "--builtin-schema", schema, *files]


def _run(command: Sequence[str], folder: Path) -> Iterator[str]:
    done = subprocess.run(
        [str(_BIN / command[0]), *command[1:]], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode != 0:
        yield f"{command[0]} (exit code {done.returncode}):\n{done.stdout}{done.stderr}".rstrip()


def main() -> int:
    found = complaints(TOP)
    for each in found:
        write(sys.stderr, f"{each}\n\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
