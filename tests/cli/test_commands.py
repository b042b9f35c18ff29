import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli import COMMANDS, cli
from reconciler.cli.exits import Exit
from reconciler.cli.paths import source_paths
from reconciler.cli.terminal import Failure, style_of
from tests.cli.conftest import Bench

OURS = [name for name in COMMANDS if name not in {"validate", "schema"}]


@pytest.mark.parametrize("name", OURS)
def test_every_command_says_what_it_does_with_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"], prog_name="sharepack")
    assert result.exit_code == Exit.DONE
    assert f"sharepack {name}" in result.stdout.split("Example")[1]


def test_wrong_usage_is_not_taken_for_pending_changes() -> None:
    done = subprocess.run([sys.executable, "-m", "reconciler", "plan", "--nope"], capture_output=True, check=False)
    assert done.returncode == Exit.ERROR
    assert b"No such option" in done.stderr


def test_a_missing_workspace_is_one_line_with_what_to_do(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("databricks_host")
    result = bench.run("plan")
    assert result.exit_code == Exit.ERROR
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("sharepack: there is no workspace to ask: set databricks_host")


def test_a_wrong_setting_is_one_line_that_shows_no_value(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("domain_db_connection_string", "mysql://root:hunter2@db/x")
    result = CliRunner().invoke(cli, ["status"], prog_name="sharepack")
    assert result.exit_code == Exit.ERROR
    assert "domain_db_connection_string" in result.stderr
    assert "hunter2" not in result.output


def test_all_wrong_settings_come_at_once(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("azure_queue_name", "No Good")
    monkeypatch.setenv("databricks_in_flight", "1000")
    lines = CliRunner().invoke(cli, ["status"], prog_name="sharepack").stderr.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["azure_queue_name", "databricks_in_flight"]


def test_debug_shows_where_an_error_came_from(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("azure_queue_name", "No Good")
    result = CliRunner().invoke(cli, ["--debug", "status"], prog_name="sharepack")
    assert type(result.exception).__name__ == "SettingsError"


def test_a_folder_without_packs_is_an_error_and_not_an_empty_plan(bench: Bench) -> None:
    result = bench.run("--packs-dir", "nowhere", "plan")
    assert result.exit_code == Exit.ERROR
    assert "nowhere" in result.stderr


def test_a_path_without_a_pack_is_named(bench: Bench) -> None:
    result = bench.run("plan", "sharepacks/legal")
    assert (result.exit_code, "no pack at sharepacks/legal" in result.stderr) == (Exit.ERROR, True)


@pytest.mark.parametrize("key", ["sales_q1_share", "table/x", "share/", ""])
def test_a_history_needs_a_key(bench: Bench, key: str) -> None:
    result = bench.run("history", key)
    assert (result.exit_code, "share/NAME or recipient/NAME" in result.stderr) == (Exit.ERROR, True)


def test_a_sandbox_with_a_wrong_seed_says_so(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("catalogs: 3\n", encoding="utf-8")
    result = CliRunner().invoke(cli, ["sandbox", "--seed", str(seed)], prog_name="sharepack")
    assert (result.exit_code, "cannot start from" in result.stderr) == (Exit.ERROR, True)


@pytest.mark.usefixtures("bench")
class TestPaths:
    def test_typed_paths_become_those_of_the_repository(self, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = Path("sharepacks")
        assert source_paths(["sharepacks/sales/q1.yaml", "."], folder) == ("sharepacks/sales/q1.yaml", ".")
        assert source_paths(["sales"], folder) == ("sharepacks/sales",)
        monkeypatch.chdir("sharepacks/sales")
        assert source_paths(["q1.yaml", "removed.yaml", ".."], Path("..")) == (
            "sharepacks/sales/q1.yaml",
            "sharepacks/sales/removed.yaml",
            "sharepacks",
        )

    def test_a_path_elsewhere_is_refused(self) -> None:
        with pytest.raises(Failure, match="is not in"):
            source_paths(["/etc/passwd"], Path("sharepacks"))

    def test_without_git_paths_are_relative_to_the_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "packs"
        (folder / "sales").mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        assert source_paths(["packs/sales"], folder) == ("sales",)


class TestStyle:
    def test_colour_is_for_terminals_that_want_it(self) -> None:
        with Path(os.devnull).open("w", encoding="utf-8") as stream:
            assert not style_of(stream, {}).colour
            assert style_of(stream, {"FORCE_COLOR": "1"}).colour
            assert style_of(stream, {"CLICOLOR_FORCE": "1"}).colour
            assert not style_of(stream, {"FORCE_COLOR": "1", "NO_COLOR": "1"}).colour
            assert not style_of(stream, {"FORCE_COLOR": "0"}).colour

    def test_arrows_need_a_stream_that_has_them(self) -> None:
        with Path(os.devnull).open("w", encoding="ascii") as stream:
            assert not style_of(stream, {}).unicode


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| ([0-6]) \|", text, re.MULTILINE)] == [code.value for code in Exit]
