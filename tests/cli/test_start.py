"""What `sharepack --help` costs: it imports no command and nothing heavy."""

import importlib
import subprocess
import sys

import click
import pytest

from reconciler.cli import COMMANDS

HEAVY = [
    "aiohttp",
    "alembic",
    "asyncpg",
    "azure",
    "databricks",
    "git",
    "loguru",
    "openpyxl",
    "pydantic",
    "rich",
    "yaml",
]
OURS = ["reconciler.adapters", "reconciler.core", "reconciler.packs", "reconciler.render", "reconciler.stages"]


def imported_by(*arguments: str) -> set[str]:
    program = (
        "import sys; from reconciler.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('modules:', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.rpartition("modules: ")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_the_help_imports_no_command_and_nothing_heavy(arguments: list[str]) -> None:
    modules = imported_by(*arguments)
    assert "click" in modules
    assert modules & {*HEAVY, *OURS, *(module for module, _ in COMMANDS.values())} == set()


def test_the_help_of_a_command_that_only_reads_files_imports_no_database_and_no_sdk() -> None:
    modules = imported_by("validate", "--help")
    assert "reconciler.packs.reading" in modules
    assert modules & {"aiohttp", "alembic", "asyncpg", "azure", "databricks", "git", "openpyxl"} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name: str) -> None:
    module, words = COMMANDS[name]
    assert isinstance(importlib.import_module(module).command, click.Command)
    assert words.endswith(".")


def test_python_m_reconciler_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("Usage: sharepack ")
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
