"""The main job over the command line: Azurite as the queue, an applier that waits for nobody, workers in processes of
their own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from reconciler.sandbox import ControlClient
from tests.azurite import running
from tests.forked import Forking
from tests.journeys.journey import git
from tests.journeys.packs import FINANCE, SALES

PATIENCE = 90.0


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path / "azurite") as connection_string:
        yield connection_string


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "packs"
    (folder / "sharepacks").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "sharepacks" / "sales.yaml").write_text(SALES)
    (folder / "sharepacks" / "finance.yaml").write_text(FINANCE)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Packs")
    return folder


@pytest.fixture
def environment(workspace: str, fresh_database_url: str, queue: str) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "domain_db_connection_string": fresh_database_url,
        "azure_queue_connection_string": queue,
        "databricks_host": workspace,
        "databricks_token": "dapi-sandbox-admin",
        "NO_COLOR": "1",
    }


class Shell:
    """`sharepack` in a folder, with the settings in its environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str], forking: Forking) -> None:
        self._where: dict[str, Any] = {"cwd": folder, "env": dict(environment), "text": True}
        self._forked = forking.sharepack

    def run(self, *arguments: str, code: int = 0, is_forked: bool = True) -> str:
        process = self.start(*arguments, stderr=subprocess.PIPE, is_forked=is_forked)
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, f"{process.returncode}\n{output}\n{errors}"
        return output

    def start(
        self, *arguments: str, stderr: int = subprocess.STDOUT, is_forked: bool = True
    ) -> "subprocess.Popen[str]":
        command = [self._forked] if is_forked else [sys.executable, "-m", "reconciler"]
        return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=stderr, **self._where)

    def wait_until_completed(self, packs: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.run("status").count("COMPLETED ") < packs:
            assert time.monotonic() < deadline, self.run("status")
            time.sleep(0.5)


@pytest.fixture
def shell(repository: Path, environment: Mapping[str, str], forking: Forking) -> Shell:
    return Shell(repository, environment, forking)


def test_a_worker_elsewhere_does_what_was_submitted(shell: Shell, workspace: str, sdk: Any) -> None:
    worker = shell.start("worker", is_forked=False)
    try:
        shell.run("apply", "--auto-approve", "--no-wait", is_forked=False)
        shell.wait_until_completed(2)
    finally:
        worker.send_signal(signal.SIGTERM)
        output, _ = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0, output
    assert {item.name for item in sdk.shares.list_shares()} == {"finance_q1_share", "audit_log_share", "sales_q1_share"}
    assert "Nothing was changed" in shell.run("plan", "--detailed-exitcode")
    writes = [entry for entry in ControlClient(workspace).log(writes_only=True) if entry["status"] == 200]
    assert len(writes) == 4 + 2 + 3 * 2


def test_a_killed_worker_is_followed_by_the_next(
    shell: Shell, environment: Mapping[str, str], workspace: str, sdk: Any
) -> None:
    control = ControlClient(workspace)
    control.latency(400)
    shell.run("apply", "--auto-approve", "--no-wait")
    worker = shell.start("worker")
    deadline = time.monotonic() + PATIENCE
    while not control.log(writes_only=True):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    worker.kill()
    worker.communicate(timeout=PATIENCE)
    control.latency(0)
    # The dead worker's leases run out; until then its packs are nobody else's.
    assert "COMPLETED" not in shell.run("status")
    shell.run("worker", "--once")
    expire = "UPDATE reconciler.leases SET expires_at = now() - interval '1 second' WHERE holder <> ''"
    asyncio.run(_execute(environment["domain_db_connection_string"], expire))
    shell.run("worker", "--once")
    shell.wait_until_completed(2)
    assert len(list(sdk.recipients.list())) == 3
    assert "Nothing was changed" in shell.run("plan", "--detailed-exitcode")


async def _execute(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(statement)
    await connection.close()
