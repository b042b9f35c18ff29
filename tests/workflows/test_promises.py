"""What the workflows promise in their comments, read off the files."""

import pytest

from tests.workflows.files import Workflow, read_workflow
from tests.workflows.linting import TOP

RIGHTS = {
    "validate": {
        "validate": {"contents": "read"},
        "code-scanning": {"actions": "read", "contents": "read", "security-events": "write"},
    },
    "plan": {"plan": {"contents": "read", "id-token": "write", "pull-requests": "write", "statuses": "write"}},
    "apply": {
        "apply": {
            "actions": "read",
            "contents": "read",
            "id-token": "write",
            "pull-requests": "write",
            "statuses": "write",
        }
    },
    "drift": {"drift": {"contents": "read", "id-token": "write", "issues": "write"}},
}


def workflow(name: str) -> Workflow:
    path = TOP / ".github" / "workflows" / f"{name}.yml"
    return read_workflow(str(path), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RIGHTS)
def test_a_job_has_the_rights_it_needs_and_no_others(name: str) -> None:
    assert {job.id: dict(job.permissions) for job in workflow(name).jobs.values()} == RIGHTS[name]


@pytest.mark.parametrize("name", ["plan", "apply", "drift"])
def test_secrets_are_in_environments_and_nothing_runs_without_settings(name: str) -> None:
    (job,) = workflow(name).jobs.values()
    assert job.environment == ("sharepack-apply" if name == "apply" else "sharepack-plan")
    assert (job.condition or "").startswith("vars.DATABRICKS_HOST != ''")


def test_what_is_applied_is_the_newest_commit_one_run_at_a_time() -> None:
    (job,) = workflow("apply").jobs.values()
    checkout = job.steps[0]
    assert checkout.inputs["ref"] == "${{ github.event.repository.default_branch }}"
    assert job.concurrency is not None
    assert not job.concurrency.cancels
    # The group asks for what the job asks for, or a comment that starts nothing could push a waiting run out.
    assert " ".join((job.condition or "").split()) in " ".join(job.concurrency.group.split())


@pytest.mark.parametrize("name", ["plan", "apply", "drift"])
def test_what_sharepack_prints_gives_no_commands(name: str) -> None:
    (job,) = workflow(name).jobs.values()
    (script,) = (step.run for step in job.steps if "sharepack " in step.run)
    before, _, after = script.partition("sharepack ")
    assert '"::stop-commands::$quiet"' in before
    assert '"::$quiet::"' in after
