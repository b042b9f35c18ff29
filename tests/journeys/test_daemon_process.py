"""`sharepack daemon` and `sharepack worker` as processes: what they say over HTTP and in their logs, how they end."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from reconciler.sandbox import ControlClient
from tests.forked import Forking
from tests.github.stand_in import standing_in
from tests.journeys.journey import git
from tests.journeys.packs import SALES

PATIENCE = 90.0
API = "/api/2.1/unity-catalog"


class Process:
    """`sharepack` in a folder; its log is read as it comes."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *command: str) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.lines.extend(iter(self._process.stdout.readline, ""))

    def _read_lines(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str) -> str:
        """The first group of the first line that matches."""
        found: list[str] = []

        def is_there() -> bool:
            match = re.search(pattern, self._read_lines())
            found[:] = [match.group(1) if match.groups() else match.group()] if match else []
            return bool(found)

        until(is_there, f"{pattern!r} in\n{self._read_lines()}")
        return found[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code and seconds it took."""
        started = time.monotonic()
        self._process.send_signal(number)
        code = self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=5)
        return code, time.monotonic() - started

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=5)
        if self._process.stdout is not None:
            self._process.stdout.close()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


@pytest.fixture
def environment(workspace: str, fresh_database_url: str) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "domain_db_connection_string": fresh_database_url,
        "databricks_host": workspace,
        "databricks_token": "dapi-sandbox-admin",
        "fetch_interval_seconds": "1",
        "drift_interval_seconds": "10",
        "log_format": "json",
        "health_port": "0",
    }


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """A repository with a pack, pushed to a bare remote that `clone` follows."""
    folder = tmp_path / "author"
    (folder / "sharepacks").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "sharepacks" / "sales.yaml").write_text(SALES)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Packs")
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), str(tmp_path / "origin.git"))
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    return folder


@pytest.fixture
def clone(author: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(tmp_path / "origin.git"), str(tmp_path / "the daemon's clone"))
    return tmp_path / "the daemon's clone"


@pytest.fixture
def started(clone: Path, environment: Mapping[str, str], forking: Forking) -> Iterator[Callable[..., Process]]:
    processes: list[Process] = []

    def start(*arguments: str, is_forked: bool = True) -> Process:
        command = [forking.sharepack] if is_forked else [sys.executable, "-m", "reconciler"]
        processes.append(Process(clone, environment, *command, *arguments))
        return processes[-1]

    yield start
    for process in processes:
        process.end()


def ask(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_daemon_applies_what_is_pushed_tells_how_it_is_and_ends_in_order(
    started: Callable[..., Process], author: Path, sdk: Any
) -> None:
    daemon = started("daemon", is_forked=False)
    address = daemon.wait_for(r"says how it is at (http://127\.0\.0\.1:\d+)")
    daemon.wait_for(r"work ended done")
    assert ask(f"{address}/livez") == (200, "ok\n")
    until(lambda: json.loads(ask(f"{address}/readyz")[1])["status"] == "ok", "the daemon to be ready")
    until(lambda: "sharepack_seconds_since_full_pass +Inf" not in ask(f"{address}/metrics")[1], "a full pass")
    metrics = ask(f"{address}/metrics")[1]
    assert 'sharepack_work_ended_total{status="done"} 1.0' in metrics
    assert "sharepack_unknown_outcomes 0.0" in metrics
    (author / "sharepacks" / "sales.yaml").write_text(SALES.replace("Q1 sales data", "Q1 sales, final"))
    git(author, "commit", "--quiet", "--all", "--message", "Say it better")
    git(author, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    until(lambda: sdk.shares.get("sales_q1_share").comment == "Q1 sales, final", "the pushed commit")
    code, seconds = daemon.stop()
    assert (code, seconds < 25) == (0, True), daemon.lines
    told = [json.loads(line) for line in daemon.lines if line.startswith("{")]
    (begun, *_) = [each for each in told if each["message"] == "work begun"]
    calls = [each for each in told if each["message"] == "call done" and each["work_id"] == begun["work_id"]]
    assert [each["call"] for each in calls] == ["CreateRecipient", "CreateShare", "UpdateShare", "ChangeGrants"]
    assert all(each["request_id"] and each["plan_id"] == begun["plan_id"] for each in calls)
    assert "dapi" not in "".join(daemon.lines)


def test_told_to_stop_in_the_middle_of_a_call_a_worker_frees_its_pack_in_time(
    started: Callable[..., Process], workspace: str
) -> None:
    control = ControlClient(workspace)
    control.fault(f"POST {API}/shares", times=1, delay_ms=4000, status=503, error_code="TEMPORARILY_UNAVAILABLE")
    worker = started("worker")
    worker.wait_for("Waiting for work")
    applier = started("apply", "--auto-approve", "--no-wait")
    applier.wait_for("Submitted 1 pack")
    until(lambda: any(each["path"] == f"{API}/recipients" for each in control.log(writes_only=True)), "the first call")
    time.sleep(0.5)
    code, seconds = worker.stop()
    assert (code, seconds < 25) == (0, True), worker.lines
    # Another one needs to wait for nobody's lease.
    second = started("worker", "--once")
    second.wait_for("")
    control.clear_faults()
    until(lambda: "done" in "".join(second.lines) or not _is_running(second), "the second worker")
    again = started("apply", "--auto-approve")
    again.wait_for(r"A second plan is empty|Nothing to do")


def _is_running(process: Process) -> bool:
    return process._process.poll() is None


def test_a_port_in_use_is_told_in_one_line(started: Callable[..., Process]) -> None:
    first = started("daemon", "--workers", "0")
    port = first.wait_for(r"says how it is at http://127\.0\.0\.1:(\d+)")
    second = started("daemon", "--health-port", port)
    second.wait_for("another process uses it; stop that one or give another port")
    until(lambda: not _is_running(second), "the second daemon to end")


def test_a_daemon_shows_open_pull_requests_their_plans(
    tmp_path: Path, environment: Mapping[str, str], forking: Forking, sdk: Any
) -> None:
    """As a process, with a token from the environment: what is open is shown, what is merged is applied."""
    with standing_in(tmp_path / "github") as github:
        github.user("ada", role="write")
        github.commit("main", {"sharepacks/README.md": "Packs.\n"}, "Begin")
        git(tmp_path, "clone", "--quiet", github.clone_url, str(tmp_path / "clone"))
        github.commit("begin", {"sharepacks/sales.yaml": SALES}, "Sales")
        number = github.open_pull("begin", "Sales", by="ada")
        rights = {"pull-requests": "write", "statuses": "write", "issues": "write", "contents": "read"}
        host = {"GITHUB_TOKEN": github.workflow_token(rights), "GITHUB_API_URL": github.api_url}
        daemon = Process(
            tmp_path / "clone", {**environment, **host, "github_interval_seconds": "1"},
            forking.sharepack, "daemon", "--github", github.repository,
        )  # fmt: skip
        try:
            until(lambda: bool(github.comments(number)), "the plan to be shown")
            assert "sales-analyst" in github.comments(number)[0][1]
            github.merge(number, by="ada")
            until(lambda: "sales_q1_share" in {share.name for share in sdk.shares.list_shares()}, "it to be applied")
            code, _ = daemon.stop()
            assert code == 0
            assert host["GITHUB_TOKEN"] not in "".join(daemon.lines)
        finally:
            daemon.end()
