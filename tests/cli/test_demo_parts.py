import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.demo_scene import scene
from reconciler.cli.demo_window import Window
from reconciler.sandbox import ControlClient
from tests.cli.conftest import Bench
from tests.forked import Forking


def windowed(lines: int, head: int, tail: int) -> str:
    shown = io.StringIO()
    window = Window(shown, head, tail)
    window.write("".join(f"line {number}\n" for number in range(lines)))
    window.finish()
    return shown.getvalue()


def test_short_output_is_shown_whole() -> None:
    assert windowed(3, head=10, tail=0) == "  line 0\n  line 1\n  line 2\n"
    assert windowed(4, head=2, tail=2) == "  line 0\n  line 1\n  line 2\n  line 3\n"


def test_long_output_says_how_much_it_leaves_out() -> None:
    assert windowed(9, head=1, tail=2) == "  line 0\n  [… 6 lines more …]\n  line 7\n  line 8\n"


def test_no_setting_of_the_machine_reaches_the_scene(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMAIN_DB_CONNECTION_STRING", "postgresql://production/db")
    monkeypatch.setenv("ARM_CLIENT_SECRET", "secret")
    monkeypatch.setenv("DATABRICKS_CLUSTER_ID", "x")
    with scene() as stage:
        names = {name.lower() for name in os.environ}
        assert not names & {"domain_db_connection_string", "arm_client_secret", "databricks_cluster_id"}
        assert os.environ["DATABRICKS_HOST"] == stage.url
        assert Path.cwd() == stage.repository.resolve()
        assert not Path(".env").exists()
        assert Path("sharepacks/tenants.yaml").is_file()
    assert os.environ["ARM_CLIENT_SECRET"] == "secret"
    assert Path.cwd() == no_settings
    assert not stage.repository.exists()


def test_what_is_done_by_hand_is_done_in_the_workspace(no_settings: Path) -> None:
    with scene() as stage:
        said = stage.by_hand("POST", "/recipients", {"name": "stranger-x", "authentication_type": "TOKEN"})
        assert said.startswith("POST /api/2.1/unity-catalog/recipients {")
        assert [each["name"] for each in ControlClient(stage.url).state()["recipients"]] == ["stranger-x"]


@pytest.mark.parametrize(("command", "is_forked"), [("sandbox", False), ("worker", True)])
def test_what_runs_until_told_ends_when_told(bench: Bench, forking: Forking, command: str, is_forked: bool) -> None:
    program = [forking.sharepack] if is_forked else [sys.executable, "-m", "reconciler"]
    with subprocess.Popen([*program, command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout is not None
        assert "Ctrl-C" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
