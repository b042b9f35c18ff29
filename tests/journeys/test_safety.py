"""What must never happen: nothing is deleted or revoked that Git did not attest, nothing foreign is touched."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from databricks.sdk.service.sharing import AuthenticationType, PermissionsChange

from reconciler.adapters.git.source import pack_source
from reconciler.core.plan import Plan
from reconciler.core.verdict import Conflict
from tests.journeys.journey import Journey, git
from tests.journeys.packs import FINANCE, SALES

LESS = SALES.replace("      - prod_catalog.sales.customers\n", "")
NO_SHARE = SALES.partition("share:\n")[0]


@pytest_asyncio.fixture
async def applied(journey: Journey) -> AsyncIterator[Journey]:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.control.clear_log()
    yield journey


def held(plan: Plan) -> list[tuple[str, str]]:
    return [(str(step.key), item.rule) for step in plan.steps for item in step.objections]


async def test_uncommitted_files_create_and_widen_but_never_take_away(applied: Journey) -> None:
    applied.write("sales.yaml", LESS.replace("Q1 sales data", "Q1"))
    plan = await applied.plan(committed=False)
    assert held(plan) == [("share/sales_q1_share", "revoke-not-attested")]
    applied.write("sales.yaml", SALES + "      - prod_catalog.sales.refunds\n")
    await applied.apply(await applied.plan(committed=False), committed=False)
    assert [path for _, path, _ in applied.writes()] == ["/shares/sales_q1_share"]
    applied.write("sales.yaml", NO_SHARE)
    assert held(await applied.plan(committed=False)) == [("share/sales_q1_share", "delete-not-attested")]


async def test_a_folder_outside_git_never_deletes(journey: Journey) -> None:
    folder = journey.repository.parent / "plain"
    (folder).mkdir()
    (folder / "sales.yaml").write_text(SALES)
    journey.source = pack_source(folder)
    await journey.apply(await journey.plan(committed=False), committed=False)
    assert len(journey.writes()) == 4
    (folder / "sales.yaml").write_text(NO_SHARE)
    plan = await journey.plan(committed=False)
    assert held(plan) == [("share/sales_q1_share", "delete-not-attested")]


async def test_a_rewound_branch_takes_nothing_away(journey: Journey) -> None:
    first = journey.save("sales.yaml", LESS)
    journey.save("sales.yaml", SALES)
    await journey.converge()
    git(journey.repository, "reset", "--quiet", "--hard", first)
    plan = await journey.plan()
    assert held(plan) == [("share/sales_q1_share", "revoke-not-attested")]
    assert "rewound" in plan.packs[0].steps[0].objections[0].hint
    journey.control.clear_log()
    applied = await journey.apply()
    assert journey.writes() == []
    assert applied.after is not None
    assert applied.after.is_held


async def test_a_rewind_to_where_another_pack_declared_it_takes_nothing_away(journey: Journey) -> None:
    other = SALES.replace("Sales Data Q1 2024", "Other")
    journey.write("first.yaml", SALES)
    first = journey.commit()
    await journey.converge()
    (journey.repository / "sharepacks" / "first.yaml").unlink()
    journey.save("second.yaml", other + "      - prod_catalog.sales.refunds\n")
    await journey.converge()
    git(journey.repository, "reset", "--quiet", "--hard", first)
    assert held(await journey.plan()) == [("share/sales_q1_share", "revoke-not-attested")]


async def test_an_unrelated_history_takes_nothing_away(applied: Journey) -> None:
    git(applied.repository, "checkout", "--quiet", "--orphan", "other")
    applied.save("sales.yaml", NO_SHARE)
    assert held(await applied.plan()) == [("share/sales_q1_share", "delete-not-attested")]


async def test_a_broken_file_holds_removals_in_its_business_line_only(applied: Journey) -> None:
    applied.write("finance.yaml", FINANCE)
    applied.commit()
    await applied.converge()
    applied.write(
        "broken.yaml",
        "metadata: {requestor: x@y.example, project_name: B, business_line: Sales Operations}\nshare: 7\n",
    )
    applied.write("sales.yaml", LESS)
    applied.save("finance.yaml", FINANCE.replace("      - catalog.schema.expense_table\n", ""))
    plan = await applied.plan()
    assert held(plan) == [("share/sales_q1_share", "revoke-not-attested")]
    applied.control.clear_log()
    await applied.apply()
    assert [path for _, path, _ in applied.writes()] == ["/shares/finance_q1_share"]


async def test_a_pack_whose_own_file_broke_is_left_as_it_is(applied: Journey) -> None:
    applied.save("sales.yaml", SALES.replace("type: D2O", "type: D2X"))
    plan = await applied.plan()
    assert plan.packs == ()
    assert [problem.where.path for problem in plan.problems if problem.is_error] == ["sharepacks/sales.yaml"]
    await applied.apply()
    assert applied.writes() == []


async def test_what_is_not_ours_is_never_touched(journey: Journey, sdk: Any) -> None:
    sdk.shares.create("foreign", comment="by hand")
    journey.save("sales.yaml", SALES)
    await journey.converge()
    (journey.repository / "sharepacks" / "sales.yaml").unlink()
    journey.commit()
    await journey.converge()
    assert [item.name for item in sdk.shares.list_shares()] == ["foreign"]


async def test_what_exists_is_a_conflict_until_the_pack_adopts_it(journey: Journey, sdk: Any) -> None:
    sdk.shares.create("sales_q1_share", comment="by hand")
    journey.save("sales.yaml", SALES)
    plan = await journey.plan()
    assert [type(step.verdict) for step in plan.steps if step.is_held] == [Conflict]
    journey.control.clear_log()
    applied = await journey.apply()
    assert [path for _, path, _ in journey.writes()] == ["/recipients"]
    assert applied.after is not None
    assert applied.after.is_held
    (state,) = await journey.ledger.pack_states()
    assert state.status == "FAILED"
    assert "sales_q1_share" in state.error_message
    journey.save(
        "sales.yaml", SALES.replace("  - name: sales_q1_share\n", "  - name: sales_q1_share\n    adopt: true\n")
    )
    await journey.converge()
    assert sdk.shares.get("sales_q1_share").comment == "Q1 sales data"
    (state,) = await journey.ledger.pack_states()
    assert state.status == "COMPLETED"
    assert state.error_message == ""


async def test_a_missing_table_is_told_before_anything_is_shared(journey: Journey) -> None:
    journey.save("sales.yaml", SALES.replace("sales.customers", "sales.custommers"))
    plan = await journey.plan()
    assert held(plan) == [("share/sales_q1_share", "object-missing")]
    applied = await journey.apply(plan)
    assert [path for _, path, _ in journey.writes()] == ["/recipients"]
    assert applied.after is not None
    assert applied.after.is_held


async def test_a_view_is_shared_as_a_view(journey: Journey, sdk: Any) -> None:
    journey.save(
        "sales.yaml", SALES.replace("sales.customers", "sales.revenue_by_country") + "      - prod_catalog.marketing\n"
    )
    journey.allow("whole-schema:share/sales_q1_share/sales-analyst")
    await journey.converge()
    objects = sdk.shares.get("sales_q1_share", include_shared_data=True).objects
    assert {item.name: item.data_object_type.value for item in objects} == {
        "prod_catalog.sales.transactions": "TABLE",
        "prod_catalog.sales.revenue_by_country": "VIEW",
        "prod_catalog.marketing": "SCHEMA",
    }


async def test_a_read_that_is_refused_is_not_absence(applied: Journey) -> None:
    applied.control.fault("GET /api/2.1/unity-catalog/shares/*", status=403, error_code="PERMISSION_DENIED", times=0)
    plan = await applied.plan()
    assert plan.is_held
    assert not any(step.is_work for step in plan.steps)


async def test_what_was_approved_is_what_runs(applied: Journey, sdk: Any) -> None:
    applied.save("sales.yaml", SALES + "      - prod_catalog.sales.refunds\n")
    plan = await applied.plan()
    sdk.shares.update_permissions("sales_q1_share", changes=[_grant(sdk, "stranger")])
    applied.control.clear_log()
    done = await applied.apply(plan)
    assert [item.status for item in done.work] == ["stale"]
    assert "stranger" in done.work[0].reason
    assert applied.writes() == []


async def test_what_appeared_between_plan_and_work_is_not_taken_over(journey: Journey, sdk: Any) -> None:
    journey.save("sales.yaml", SALES)
    plan = await journey.plan()
    sdk.shares.create("sales_q1_share", comment="somebody else's")
    done = await journey.apply(plan)
    assert [item.status for item in done.work] == ["failed"]
    assert "was not made from a pack" in done.work[0].reason
    assert sdk.shares.get("sales_q1_share").comment == "somebody else's"


async def test_what_cannot_be_read_for_a_moment_is_read_again(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    plan = await journey.plan()
    journey.control.fault("GET /api/2.1/unity-catalog/shares/*", status=403, error_code="PERMISSION_DENIED", times=1)
    done = await journey.apply(plan)
    assert [item.status for item in done.work] == ["done"]
    assert done.is_converged


async def test_a_shallow_clone_takes_nothing_away_and_says_why(applied: Journey) -> None:
    applied.save("sales.yaml", SALES + "      - prod_catalog.sales.refunds\n")
    applied.save("sales.yaml", LESS)
    shallow = applied.repository.parent / "shallow"
    git(applied.repository, "clone", "--quiet", "--depth", "1", f"file://{applied.repository}", str(shallow))
    applied.source = pack_source(shallow / "sharepacks")
    plan = await applied.plan()
    assert held(plan) == [("share/sales_q1_share", "revoke-not-attested")]
    (objection,) = [item for step in plan.steps for item in step.objections]
    assert "whole history" in objection.hint


class _QuickClock:
    """Time passes at once."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


async def test_an_apply_that_did_not_take_is_not_called_converged(journey: Journey) -> None:
    journey.clock = clock = _QuickClock()
    journey.save("sales.yaml", SALES)
    path = "PATCH /api/2.1/unity-catalog/shares/sales_q1_share/permissions"
    journey.control.fault(path, status=200, body={}, times=1)
    done = await journey.apply()
    assert done.failed == ()
    assert not done.is_converged
    assert clock.slept > 10
    assert done.after is not None
    assert [str(step.key) for step in done.after.steps if step.is_work] == ["share/sales_q1_share"]
    await journey.converge()


def _grant(sdk: Any, name: str) -> Any:
    sdk.recipients.create(name, AuthenticationType.TOKEN)
    return PermissionsChange(principal=name, add=["SELECT"])
