"""The workflow that checks pack files: of this repository and of forks, with what GitHub shows of it."""

import json

import pytest

from reconciler.sandbox import ControlClient
from tests.workflows.hub import Hub, Run
from tests.workflows.packs import Q1, pack
from tests.workflows.scene import Scene, furnish

BROKEN = Q1.replace("email:", "emial:")
#: Of what the plan needs, nothing is there: only checking files can work.
NOWHERE = "http://127.0.0.1:9"
SECRET = "postgresql://packs:hunter2@db.acme.example/packs"


@pytest.fixture
def desk(hub: Hub) -> Scene:
    furnish(hub, NOWHERE, SECRET)
    return Scene(hub.github, hub, ControlClient(NOWHERE), SECRET)


def checked(desk: Scene, number: int) -> Run:
    (run,) = desk.hub.of("validate")
    assert run.event.payload["number"] == number
    return run


def test_what_is_wrong_is_shown_at_file_and_line(desk: Scene) -> None:
    desk.hub.disabled = frozenset({"plan"})
    desk.hub.variables["SHAREPACK_CODE_SCANNING"] = "true"
    text = BROKEN.replace("name: q1", 'name: "::stop-commands::x"')
    run = checked(desk, desk.open("wrong", {"sales/q1.yaml": text, "sales/fine.yaml": pack("Q2")}))
    step = run.jobs["validate"].step("Check the packs")
    assert (run.conclusion, step.outcome) == ("failure", "failure")
    first = next(each for each in step.annotations if each.properties["title"] == "key-unknown")
    assert (first.name, dict(first.properties)) == (
        "error",
        {"file": "sharepacks/sales/q1.yaml", "line": "8", "col": "5", "title": "key-unknown"},
    )
    assert first.data == 'unknown key "emial"; did you mean "email"?'
    assert [each.name for each in step.annotations] == ["error"] * len(step.annotations)
    assert step.log.rstrip() == "1 problem in 1 of 2 files."
    # Found problems are uploaded all the same, by a job that runs nothing of the pull request.
    scanning = run.jobs["code-scanning"]
    assert [each.outcome for each in scanning.steps] == ["success", "success"]
    sarif = json.loads((run.artefacts / "code scanning" / "sharepack.sarif").read_text(encoding="utf-8"))
    assert len(sarif["runs"][0]["results"]) == len(step.annotations)


def test_a_fork_is_checked_and_gets_nothing_else(desk: Scene) -> None:
    desk.hub.variables["SHAREPACK_CODE_SCANNING"] = "true"
    desk.github.fork("mallory")
    number = desk.open("evil", {"sales/q1.yaml": Q1}, by="mallory", fork="mallory")
    assert {run.workflow.name: run.conclusion for run in desk.hub.runs} == {
        "Validate packs": "success",
        "Plan packs": "skipped",
    }
    job = checked(desk, number).jobs["validate"]
    assert checked(desk, number).jobs["code-scanning"].result == "skipped"
    assert job.permissions == {"contents": "read"}
    assert "1 pack valid." in job.step("Check the packs").log
    found = [value for step in job.steps for value in step.env.values()]
    assert found
    assert not [value for value in found if SECRET in value or "ghs_" in value]
    assert not {name for step in job.steps for name in step.env if "TOKEN" in name or name.startswith("DATABRICKS")}
    assert desk.github.comments(number) == []


def test_a_fork_that_asks_for_more_in_its_own_workflows_is_given_no_more(desk: Scene) -> None:
    """What a pull request changes in .github runs for it, and finds neither secrets nor rights."""
    desk.github.fork("mallory")
    plan = desk.github.git.git("show", "main:.github/workflows/plan.yml")
    bold = plan.replace(
        "vars.DATABRICKS_HOST != '' && github.event.pull_request.head.repo.full_name == github.repository", "true"
    )
    assert bold != plan
    desk.github.commit("bold", {".github/workflows/plan.yml": bold}, "Run it all", fork="mallory")
    number = desk.github.open_pull("bold", "Run it all", by="mallory", fork="mallory")
    desk.hub.happen("pull_request", by="mallory", number=number)
    (run,) = desk.hub.of("plan")
    assert run.conclusion == "failure"
    assert run.job.permissions == {"contents": "read", "pull-requests": "read", "statuses": "read"}
    assert run.job.step("Find the database").outcome == "failure"
    assert run.job.step("Plan and comment").outcome == "skipped"
    assert SECRET not in str([step.env for step in run.job.steps])


def test_nothing_but_checking_runs_in_a_repository_without_settings(hub: Hub) -> None:
    desk = Scene(hub.github, hub, ControlClient(NOWHERE), "")
    number = desk.open("q1", {"sales/q1.yaml": Q1})
    desk.merge(number)
    desk.hub.happen("schedule", by="ada", cron="17 5 * * *")
    assert [(run.workflow.name, run.conclusion) for run in hub.runs] == [
        ("Plan packs", "skipped"),
        ("Validate packs", "success"),
        ("Apply packs", "skipped"),
        ("Validate packs", "success"),
        ("Look for drift", "skipped"),
    ]
