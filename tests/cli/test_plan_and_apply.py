import json
import os
import pty
import shutil
import subprocess

from reconciler.cli.exits import Exit
from tests.cli.conftest import Bench
from tests.forked import Forking

NEW = "Plan: 2 to create, 0 to update, 0 to delete, 0 unchanged."
SAME = "Plan: 0 to create, 0 to update, 0 to delete, 2 unchanged."


def test_a_plan_says_what_would_change_and_changes_nothing(bench: Bench) -> None:
    result = bench.run("plan", "--detailed-exitcode", "--calls")
    assert result.exit_code == Exit.CHANGES
    assert result.stdout.splitlines()[-1] == f"{NEW} Nothing was changed."
    assert "+ sales-analyst  (D2O, outside, analyst@partner.com)  gains 2" in result.stdout
    assert "POST   /api/2.1/unity-catalog/recipients" in result.stdout
    assert bench.writes() == []


def test_applying_makes_the_calls_that_were_shown_and_a_second_plan_is_empty(bench: Bench) -> None:
    shown = json.loads(bench.run("plan", "--format", "json", "--calls").stdout)
    calls = [f"{call['method']} {call['path']}" for step in shown["packs"][0]["steps"] for call in step["calls"]]
    applied = bench.run("apply", "--auto-approve")
    assert applied.exit_code == Exit.DONE, applied.output
    assert "A second plan is empty." in applied.stderr
    # Calls about different resources may come in another order.
    assert sorted(bench.writes()) == sorted(calls)
    for kind in ("/shares", "/recipients"):
        assert [call for call in bench.writes() if kind in call] == [call for call in calls if kind in call]
    again = bench.run("plan", "--detailed-exitcode")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (Exit.DONE, f"{SAME} Nothing was changed.")


def test_status_history_and_activation_tell_of_what_was_applied(bench: Bench) -> None:
    bench.run("apply", "--auto-approve")
    assert "COMPLETED" in bench.run("status", "sharepacks/sales/q1.yaml").stdout
    (pack,) = json.loads(bench.run("status", "sales data q1 2024", "--format", "json").stdout)["packs"]
    assert (pack["status"], pack["path"]) == ("COMPLETED", "sharepacks/sales/q1.yaml")
    assert "+ sales-analyst" in bench.run("history", "share/SALES_Q1_share").stdout
    versions = json.loads(bench.run("history", "recipient/sales-analyst", "--format", "json").stdout)["versions"]
    assert versions[-1]["resource"]["email"] == "analyst@partner.com"
    link = bench.run("activation", "sales-analyst")
    assert "/delta_sharing/retrieve_config.html?" in link.stdout
    assert bench.run("status", "nothing like it").exit_code == Exit.ERROR


def test_status_looks_for_drift_when_asked(bench: Bench) -> None:
    bench.run("apply", "--auto-approve")
    assert "none" in bench.run("status", "--drift").stdout
    _by_hand(bench, "/api/2.1/unity-catalog/shares/sales_q1_share", {"comment": "by hand"})
    (pack,) = json.loads(bench.run("status", "--drift", "--format", "json").stdout)["packs"]
    assert pack["drifted"] == 1


def test_activation_of_a_recipient_nobody_knows_is_an_error(bench: Bench) -> None:
    result = bench.run("activation", "nobody")
    assert result.exit_code == Exit.ERROR
    assert result.stderr.startswith("sharepack: ")


def test_without_a_terminal_and_without_approval_nothing_is_applied(bench: Bench) -> None:
    result = bench.run("apply")
    assert result.exit_code == Exit.ERROR
    assert "--auto-approve" in result.stderr
    assert bench.writes() == []


def test_a_person_is_asked_and_only_yes_is_yes(bench: Bench, forking: Forking) -> None:
    assert _answer(forking, "y") == Exit.ERROR
    assert bench.writes() == []
    assert _answer(forking, "yes") == Exit.DONE
    assert bench.writes()


def _answer(forking: Forking, text: str) -> int:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{text}\n".encode())
        command = [forking.sharepack, "apply"]
        return subprocess.run(command, stdin=theirs, capture_output=True, check=False, timeout=120).returncode
    finally:
        os.close(ours)
        os.close(theirs)


def test_uncommitted_changes_are_refused_until_they_are_allowed(bench: Bench) -> None:
    bench.pack.write_text(bench.pack.read_text().replace("Q1 sales data", "Other words"), encoding="utf-8")
    refused = bench.run("apply", "--auto-approve")
    assert (refused.exit_code, "not committed" in refused.stderr) == (Exit.ERROR, True)
    assert bench.writes() == []
    assert bench.run("apply", "--auto-approve", "--allow-uncommitted").exit_code == Exit.DONE
    assert "with uncommitted changes" in bench.run("plan").stdout


def test_a_folder_outside_git_is_applied_when_that_is_allowed(bench: Bench) -> None:
    shutil.rmtree(bench.repository / ".git")
    refused = bench.run("apply", "--auto-approve")
    assert (refused.exit_code, "in no commit" in refused.stderr) == (Exit.ERROR, True)
    applied = bench.run("apply", "--auto-approve", "--allow-uncommitted")
    assert applied.exit_code == Exit.DONE, applied.output
    assert "a folder outside Git" in applied.stdout
    assert bench.run("plan", "sharepacks/sales", "--detailed-exitcode").exit_code == Exit.DONE


def test_the_last_commit_can_be_applied_although_files_changed(bench: Bench) -> None:
    bench.pack.write_text("broken: [", encoding="utf-8")
    assert bench.run("apply", "--auto-approve", "--commit", "HEAD").exit_code == Exit.DONE


def test_work_can_be_left_to_a_worker(bench: Bench) -> None:
    submitted = bench.run("apply", "--auto-approve", "--no-wait")
    assert submitted.exit_code == Exit.DONE
    assert "sharepack worker" in submitted.stderr
    assert bench.writes() == []
    worked = bench.run("worker", "--once")
    assert worked.exit_code == Exit.DONE
    assert "done" in worked.stderr
    assert bench.run("plan", "--detailed-exitcode").exit_code == Exit.DONE


def test_a_saved_plan_is_carried_out_without_asking(bench: Bench) -> None:
    assert bench.run("plan", "--out", "plan.json").exit_code == Exit.DONE
    result = bench.run("apply", "--plan", "plan.json")
    assert result.exit_code == Exit.DONE, result.output
    assert bench.run("plan", "--detailed-exitcode").exit_code == Exit.DONE


def test_a_saved_plan_does_no_more_than_it_says(bench: Bench) -> None:
    bench.run("apply", "--auto-approve")
    bench.run("plan", "--out", "plan.json")
    shares = "/api/2.1/unity-catalog/shares/sales_q1_share"
    _by_hand(bench, f"{shares}", {"comment": "by hand"})
    before = bench.writes()
    result = bench.run("apply", "--plan", "plan.json")
    assert result.exit_code == Exit.BLOCKED
    assert 'new: share/sales_q1_share comment = "Q1 sales data"' in result.stderr
    assert bench.writes() == before


def _by_hand(bench: Bench, path: str, body: dict[str, str]) -> None:
    from urllib.request import Request, urlopen  # noqa: PLC0415

    headers = {"Authorization": "Bearer dapi-sandbox-admin", "Content-Type": "application/json"}
    request = Request(bench.control.url + path, json.dumps(body).encode(), headers, method="PATCH")
    with urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_saved_plan_of_uncommitted_files_needs_to_be_allowed(bench: Bench) -> None:
    bench.pack.write_text(bench.pack.read_text(encoding="utf-8").replace("Q1 sales data", "Q1"), encoding="utf-8")
    assert bench.run("plan", "--out", "plan.json").exit_code == Exit.DONE
    refused = bench.run("apply", "--plan", "plan.json")
    assert refused.exit_code == Exit.ERROR
    assert "--allow-uncommitted" in refused.stderr
    assert bench.writes() == []
    assert bench.run("apply", "--plan", "plan.json", "--allow-uncommitted").exit_code == Exit.DONE
    assert len(bench.writes()) == 4


def test_a_foreign_file_is_no_saved_plan(bench: Bench) -> None:
    result = bench.run("apply", "--plan", str(bench.pack))
    assert (result.exit_code, "plan --out" in result.stderr) == (Exit.ERROR, True)


def test_a_saved_plan_excludes_other_choices(bench: Bench) -> None:
    assert "leave out" in bench.run("apply", "--plan", "x.json", "sharepacks").stderr


def test_a_broken_pack_is_told_and_the_others_are_applied(bench: Bench) -> None:
    broken = bench.pack.with_name("broken.yaml")
    broken.write_text("metadata:\n  business_line: Legal\n  project_name: X\n  requestor: nobody\n", encoding="utf-8")
    bench.commit()
    planned = bench.run("plan", "--detailed-exitcode")
    assert planned.exit_code == Exit.INVALID
    assert "sharepacks/sales/broken.yaml:4" in planned.stderr
    applied = bench.run("apply", "--auto-approve")
    assert applied.exit_code == Exit.INVALID
    assert "VALIDATION_FAILED" in bench.run("status").stdout
    assert bench.run("plan", "sharepacks/sales/q1.yaml", "--detailed-exitcode").exit_code == Exit.DONE


def test_what_is_in_the_way_blocks_and_is_told(bench: Bench) -> None:
    bench.pack.write_text(bench.pack.read_text().replace("sales.customers", "sales.nowhere"), encoding="utf-8")
    bench.commit()
    planned = bench.run("plan", "--detailed-exitcode")
    assert planned.exit_code == Exit.BLOCKED
    assert "the catalog has no prod_catalog.sales.nowhere" in planned.stdout
    assert bench.run("apply", "--auto-approve").exit_code == Exit.BLOCKED


def test_a_refused_call_fails_the_pack_with_the_reason(bench: Bench) -> None:
    bench.control.fault(
        "POST /api/2.1/unity-catalog/shares", status=403, error_code="PERMISSION_DENIED", message="no CREATE SHARE"
    )
    result = bench.run("apply", "--auto-approve")
    assert result.exit_code == Exit.FAILED
    assert "no CREATE SHARE" in result.stderr
    bench.control.clear_faults()
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE


def test_a_plan_is_drawn_as_a_picture(bench: Bench) -> None:
    assert bench.run("plan", "--svg", "plan.svg").exit_code == Exit.DONE
    assert NEW in (bench.repository / "plan.svg").read_text(encoding="utf-8")
    refused = bench.run("plan", "--out", "no/such/folder/plan.json")
    assert (refused.exit_code, "cannot write" in refused.stderr) == (Exit.ERROR, True)
