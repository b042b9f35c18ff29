"""What `sharepack --help` costs: it imports no command and nothing heavy."""

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from reconciler.cli import COMMANDS, planning
from reconciler.cli.exits import Exit
from tests.cli.conftest import Bench

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


#: What takes long to import, and only a command that is at work needs.
AT_WORK = {
    "alembic",
    "asyncpg",
    "azure",
    "cryptography",
    "databricks",
    "fastapi",
    "git",
    "github",
    "openpyxl",
    "requests",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}


def test_no_help_of_a_command_imports_what_only_its_work_needs() -> None:
    """All in one process: what none of them imports, none imports alone."""
    program = (
        "import contextlib, io, sys; from reconciler.cli import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "        main([name, '--help'])\n"
        "print('modules:', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    modules = set(done.stdout.rpartition("modules: ")[2].split())
    assert {module for module, _ in COMMANDS.values()} <= modules
    assert modules & AT_WORK == set()


@pytest.mark.parametrize("arguments", [["validate"], ["fmt", "--check"], ["completion", "bash"], ["schema"]])
def test_what_only_reads_files_imports_no_database_and_no_sdk(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "sharepacks").mkdir()
    (tmp_path / "sharepacks" / "q1.yaml").write_text("metadata: {}\n", encoding="utf-8")
    modules = imported_by("--packs-dir", str(tmp_path / "sharepacks"), *arguments)
    assert COMMANDS[arguments[0]][0] in modules
    assert modules & AT_WORK == set()


def test_what_completes_a_word_imports_neither() -> None:
    program = "import sys; from reconciler.cli import main\n"
    program += "try:\n    main([])\nfinally:\n    print('modules:', *sys.modules)"
    words = {"_SHAREPACK_COMPLETE": "bash_complete", "COMP_WORDS": "sharepack plan --si", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **words},
    )
    assert "--since" in done.stdout
    assert set(done.stdout.rpartition("modules: ")[2].split()) & AT_WORK == set()


def test_a_plan_imports_neither_what_works_off_nor_other_ways_to_show_it() -> None:
    modules = imported_by("plan", "--help")
    assert "reconciler.stages.plan" in modules
    assert modules & {"reconciler.render.markdown", "reconciler.render.plan_json", "reconciler.stages.workers"} == set()


def test_what_is_imported_ahead_is_left_where_it_is_once_it_is_not_wanted() -> None:
    program = (
        "import sys; from reconciler.wiring import import_platform\n"
        "import_platform(lambda: 'requests' not in sys.modules); print('modules:', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    modules = set(done.stdout.rpartition("modules: ")[2].split())
    assert "requests" in modules
    assert "databricks.sdk.service.catalog" not in modules


@pytest.mark.parametrize(("since", "ending"), [("main", Exit.DONE), ("nowhere", Exit.ERROR)])
def test_nothing_more_is_imported_for_a_branch_that_changes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, since: str, ending: Exit
) -> None:
    told: list[bool] = []

    def ahead(is_wanted: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 30
        while is_wanted() and time.monotonic() < give_up_at:
            time.sleep(0.001)
        told.append(not is_wanted())

    monkeypatch.setattr(planning, "import_platform", ahead)
    assert bench.run("plan", "--since", since).exit_code == ending
    assert told == [True]


#: What other commands need, and a plan of what a branch changes does not.
NOT_PLANNING = {
    "alembic",
    "azure",
    "cryptography",
    "databricks.sdk.service.jobs",
    "dotenv",
    "fastapi",
    "github",
    "loguru",
    "openpyxl",
    "pydantic_settings",
    "reconciler.adapters.postgres.claiming",
    "reconciler.adapters.postgres.portal",
    "reconciler.adapters.postgres.submit",
    "reconciler.ports.pull_requests",
    "reconciler.ports.records",
    "reconciler.ports.work",
    "rich",
    "sqlalchemy",
}


def test_a_plan_of_a_branch_imports_what_it_needs_and_no_more(bench: Bench) -> None:
    bench.git("checkout", "--quiet", "-b", "change")
    bench.pack.write_text(bench.pack.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    bench.commit()
    modules = imported_by("plan", "--since", "main", "--commit", "change")
    assert {"databricks.sdk.service.sharing", "asyncpg", "reconciler.render.plan_text"} <= modules
    assert modules & NOT_PLANNING == set()
    assert len(modules) < 800


@pytest.mark.parametrize("hidden", ["", "databricks.sdk"])
def test_what_asks_databricks_can_be_imported_ahead_or_tells_later_that_it_cannot(hidden: str) -> None:
    program = (
        "import sys; from reconciler.wiring import import_platform\n"
        "sys.modules.update({name: None for name in sys.argv[1:] if name})\n"
        "import_platform(); print('modules:', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, hidden], capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(done.stdout.rpartition("modules: ")[2].split())
    assert ("reconciler.adapters.databricks.workspace" in modules) is (not hidden)
    assert "databricks.sdk.service.jobs" not in modules


def test_nothing_is_looked_through_for_garbage_as_a_command_ends() -> None:
    program = (
        "import atexit, gc, sys; from reconciler.cli import main\n"
        "atexit.register(lambda: print('left alone:', gc.get_freeze_count(), len(gc.get_objects())))\n"
        "main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    left_alone, others = map(int, done.stdout.rpartition("left alone: ")[2].split())
    assert left_alone > 5000 > others


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
