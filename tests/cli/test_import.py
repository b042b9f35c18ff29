"""`sharepack import`: packs for what exists, as little as says it, and a plan of them that is empty."""

import json
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.service.sharing import AuthenticationType, PermissionsChange

from reconciler.cli.exits import Exit
from tests.cli.conftest import Bench
from tests.cli.unmanaged_workspace import ODD_NAMES, SHARES, furnish

#: What an empty plan does not show: that it was written at all.
SAID = (
    "history: true",
    "cdf: true",
    "shared_as: crm.people",
    "shared_as: again.transactions",
    "shared_as: sales.transactions",
    "- region = 'it''s EMEA'\n          - region IS NULL\n          - region LIKE 'A%' AND sold_on = recipient.since",
    "type: FEATURE_SPEC",
    "federation_policies: []",
    "subject_claim: groups",
    "it's: 'a: b'",
    'comment: "two\\nlines"',
    "metastore_id: aws:us-west-2:00000001-1111-2222-3333-444444444444",
)
WHOSE = ("--business-line", "Sales Operations", "--requestor", "ann@example.com")


@pytest.fixture
def sdk(bench: Bench) -> Any:
    return WorkspaceClient(config=Config(host=bench.control.url, token="dapi-sandbox-admin", retry_timeout_seconds=5))


@pytest.fixture
def empty(bench: Bench) -> Bench:
    """A repository without packs."""
    bench.pack.write_text("# nothing yet\n", encoding="utf-8")
    bench.pack.rename(bench.pack.with_name("README.md"))
    bench.commit()
    bench.control.clear_log()
    return bench


def written(bench: Bench) -> set[Path]:
    return {path for path in (bench.repository / "sharepacks").rglob("*.yaml") if path.is_file()}


def test_a_workspace_of_fifty_shares_becomes_packs_whose_plan_is_empty(empty: Bench, sdk: Any) -> None:
    empty.control.knobs(same_source_two_aliases="accept")
    furnish(sdk, empty.control.advance_clock(0))
    before = empty.control.state()
    assert len(before["shares"]) == SHARES
    empty.control.clear_log()

    result = empty.run("import", "--all", *WHOSE)
    assert result.exit_code == Exit.DONE, result.output
    assert (empty.writes(), empty.control.state()) == ([], before)
    files = written(empty)
    assert {str(path.relative_to(empty.repository)) for path in files} == set(result.stdout.split("\n")) - {""}
    assert len(files) == SHARES + 1
    assert "recipient/oauth: left alone: it signs in by OAUTH_CLIENT_CREDENTIALS" in result.stderr
    assert "its data objects, as Databricks does not give back the content of its notebooks" in result.stderr
    said = "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))
    for words in SAID:
        assert words in said
    validated = empty.run("validate", "--format", "json")
    assert (validated.exit_code, json.loads(validated.stdout)["problems"]) == (Exit.DONE, [])

    empty.commit()
    planned = json.loads(empty.run("plan", "--format", "json").stdout)
    steps = {step["key"]: step for pack in planned["packs"] for step in pack["steps"]}
    assert set(steps) == {f"share/{item['name']}" for item in before["shares"]} | {
        f"recipient/{item['name']}" for item in before["recipients"] if item["name"] != "oauth"
    }
    assert {step["verdict"] for step in steps.values()} == {"adopt"}
    assert [step for step in steps.values() if step.get("changes") or step.get("objections")] == []

    applied = empty.run("apply", "--auto-approve")
    assert applied.exit_code == Exit.DONE, applied.output
    assert (empty.writes(), empty.control.state()) == ([], before)
    assert empty.run("plan", "--detailed-exitcode").exit_code == Exit.DONE
    # Without the words that took it over it is still ours.
    for path in written(empty):
        path.write_text(path.read_text().replace("    adopt: true\n", ""), encoding="utf-8")
    empty.commit()
    assert empty.run("plan", "--detailed-exitcode").exit_code == Exit.DONE

    # What was written is watched over from now on.
    sdk.shares.update("share_22", comment="by hand")
    assert empty.run("plan", "--detailed-exitcode").exit_code == Exit.CHANGES

    again = empty.run("import", "--all", *WHOSE)
    assert again.exit_code == Exit.ERROR
    assert "there is nothing to import" in again.stderr


def test_a_share_comes_with_the_recipients_it_is_granted_to(bench: Bench, sdk: Any) -> None:
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    for name in ("partner", "alone"):
        sdk.recipients.create(name, AuthenticationType.TOKEN)
    for name in ("theirs", "other"):
        sdk.shares.create(name)
    grants = [PermissionsChange(principal=name, add=["SELECT"]) for name in ("partner", "sales-analyst")]
    sdk.shares.update_permissions("theirs", changes=grants)

    result = bench.run("import", "--share", "Theirs", "--into", "taken/over", *WHOSE)
    assert result.exit_code == Exit.DONE, result.output
    (path,) = (bench.repository / "sharepacks" / "taken" / "over").iterdir()
    said = path.read_text()
    assert path.name == "theirs.yaml"
    assert "name: partner" in said
    # That one is declared by the pack that is there already.
    assert "name: sales-analyst" not in said
    assert "- sales-analyst" in said
    bench.commit()
    bench.control.clear_log()
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    assert bench.writes() == []

    result = bench.run("import", "--recipient", "alone", "--recipient", "nobody", "--share", "theirs", *WHOSE)
    assert result.exit_code == Exit.DONE, result.output
    assert "recipient/nobody: left alone: the workspace has none of this name" in result.stderr
    assert "share/theirs: left alone: Sales Operations / Imported share theirs declares it already" in result.stderr
    (path,) = (bench.repository / "sharepacks" / "sales-operations").iterdir()
    assert "name: alone" in path.read_text()


def test_nothing_is_written_over_and_nothing_is_written_unproved(empty: Bench, sdk: Any) -> None:
    sdk.shares.create("one")
    sdk.shares.create("two")
    there = empty.repository / "sharepacks" / "sales-operations" / "one.yaml"
    there.parent.mkdir()
    there.write_text("# mine\n", encoding="utf-8")
    before = written(empty)
    result = empty.run("import", "--all", *WHOSE)
    assert result.exit_code == Exit.ERROR
    assert "one.yaml exist" in result.stderr
    assert (written(empty), there.read_text()) == (before, "# mine\n")
    there.unlink()
    # The share can be read once; when the plan is made it cannot.
    empty.control.fault(
        "GET /api/2.1/unity-catalog/shares/two", status=403, error_code="PERMISSION_DENIED", offset=1, times=0
    )
    result = empty.run("import", "--all", *WHOSE)
    assert result.exit_code == Exit.ERROR
    assert "nothing was written: a plan of the packs would not be empty" in result.stderr
    assert "share/two" in result.stderr
    assert written(empty) == set()


def test_names_that_would_share_a_file_get_files_of_their_own(empty: Bench, sdk: Any) -> None:
    names = ("a@b", "a&b", "a-b", "tenants", "imported-recipients")
    for name in names:
        sdk.shares.create(name)
    sdk.recipients.create("partner", AuthenticationType.TOKEN)
    result = empty.run("import", "--all", *WHOSE)
    assert result.exit_code == Exit.DONE, result.output
    assert len(written(empty)) == len(names) + 1


@pytest.mark.parametrize("comment", ["  padded ", "ends in a new line\n", "\n", " ", "bell \x07", "x" * 20_000])
def test_a_remark_that_no_file_can_hold_is_left_alone(empty: Bench, sdk: Any, comment: str) -> None:
    sdk.shares.create("odd", comment=comment)
    sdk.recipients.create("odd", AuthenticationType.TOKEN, comment=comment)
    result = empty.run("import", "--all", *WHOSE)
    assert result.exit_code == Exit.DONE, result.output
    empty.commit()
    empty.control.clear_log()
    assert empty.run("apply", "--auto-approve").exit_code == Exit.DONE
    assert empty.writes() == []
    assert sdk.shares.get("odd").comment == comment


def test_what_is_asked_for_must_be_said(empty: Bench) -> None:
    assert "say what to import" in empty.run("import", *WHOSE).stderr
    assert "--all is everything" in empty.run("import", "--all", "--share", "x", *WHOSE).stderr
    nothing = empty.run("import", "--share", "nobody", *WHOSE)
    assert (nothing.exit_code, "there is nothing to import" in nothing.stderr) == (Exit.ERROR, True)
    assert len(set(ODD_NAMES)) == len(ODD_NAMES)
