"""`sharepack plan --since`: the packs that a branch changes, and no others."""

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import PACK, Bench
from tests.cli.test_plan_and_apply import _by_hand


def other(number: int) -> str:
    return (
        PACK.replace("Sales Data Q1 2024", f"Other {number}")
        .replace("sales-analyst", f"analyst-{number}")
        .replace("sales_q1_share", f"other_{number}")
    )


@pytest.fixture
def branched(bench: Bench) -> Bench:
    """Three packs on main, all applied; the branch is checked out."""
    for number in (1, 2):
        bench.pack.with_name(f"other_{number}.yaml").write_text(other(number), encoding="utf-8")
    bench.commit()
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    bench.git("checkout", "--quiet", "-b", "change")
    return bench


def test_only_what_the_branch_changes_is_planned_and_the_rest_is_counted(branched: Bench) -> None:
    branched.pack.write_text(PACK.replace("      - prod_catalog.sales.customers\n", ""), encoding="utf-8")
    branched.commit()
    result = branched.run("plan", "--since", "main", "--format", "json", "--commit", "HEAD")
    assert result.exit_code == Exit.DONE, result.output
    assert [pack["path"] for pack in json.loads(result.stdout)["packs"]] == ["sharepacks/sales/q1.yaml"]
    assert "2 other packs are as at main, and not looked at." in result.stderr


def test_drift_in_the_same_pack_is_told_after_its_own_changes_and_elsewhere_it_is_not(branched: Bench) -> None:
    for share in ("sales_q1_share", "other_1"):
        _by_hand(branched, f"/api/2.1/unity-catalog/shares/{share}", {"comment": "hand"})
    branched.pack.write_text(PACK.replace("[192.168.1.0/24]", "[192.168.2.0/24]"), encoding="utf-8")
    said = branched.run("plan", "--since", "main").stdout
    assert said.index("192.168.2.0/24") < said.index("drift")
    assert '"hand"' in said
    assert "other_1" not in said


def test_a_renamed_file_is_followed(branched: Bench) -> None:
    branched.git("mv", "sharepacks/sales/q1.yaml", "sharepacks/sales/first-quarter.yaml")
    branched.commit()
    result = branched.run("plan", "--since", "main", "--format", "json")
    (pack,) = json.loads(result.stdout)["packs"]
    assert pack["path"] == "sharepacks/sales/first-quarter.yaml"
    assert [step["verdict"] for step in pack["steps"]] == ["keep", "keep"]


def test_without_a_change_there_is_nothing_to_plan(branched: Bench) -> None:
    result = branched.run("plan", "--since", "main")
    assert result.exit_code == Exit.DONE
    assert "3 other packs are as at main" in result.stderr


def test_a_clone_that_is_too_shallow_is_told_how_to_become_whole(
    branched: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    branched.pack.write_text(PACK + "# more\n", encoding="utf-8")
    branched.commit()
    branched.git("checkout", "--quiet", "main")
    branched.git("commit", "--quiet", "--allow-empty", "--message", "On main")
    shallow = tmp_path / "shallow"
    source = branched.repository.as_uri()
    clone = [
        "git",
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--no-single-branch",
        "--branch",
        "change",
        source,
        str(shallow),
    ]
    subprocess.run(clone, check=True, capture_output=True)
    monkeypatch.chdir(shallow)
    result = branched.run("plan", "--since", "origin/main")
    assert result.exit_code == Exit.ERROR
    assert "fetch-depth: 0" in result.stderr


def test_paths_and_since_exclude_each_other(branched: Bench) -> None:
    result = branched.run("plan", "--since", "main", "sharepacks")
    assert result.exit_code != Exit.DONE
    assert "leave out PATH" in result.stderr


def test_a_plan_can_be_markdown(branched: Bench) -> None:
    branched.pack.write_text(PACK.replace("[192.168.1.0/24]", "[192.168.2.0/24]"), encoding="utf-8")
    said = branched.run("plan", "--since", "main", "--format", "markdown").stdout
    assert "<details>" in said
    assert "192.168.2.0/24" in said


def questions(bench: Bench) -> int:
    bench.control.clear_log()
    assert bench.run("plan", "--since", "main", "--commit", "HEAD").exit_code == Exit.DONE
    return sum(each["path"].endswith("/Me") for each in bench.control.log())


def test_who_calls_is_asked_where_the_branch_says_something_else_and_not_for_other_words(branched: Bench) -> None:
    branched.pack.write_text(f"# Words.\n{PACK}", encoding="utf-8")
    branched.git("mv", "sharepacks/sales/q1.yaml", "sharepacks/sales/first-quarter.yaml")
    branched.commit()
    assert questions(branched) == 0
    moved = branched.pack.with_name("first-quarter.yaml")
    moved.write_text(PACK.replace("[192.168.1.0/24]", "[192.168.2.0/24]"), encoding="utf-8")
    branched.commit()
    assert questions(branched) == 1
