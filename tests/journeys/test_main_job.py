"""The main job on real parts: a committed pack becomes a converged workspace, and history tells it."""

from typing import Any

from reconciler.core.pack import Strategy
from tests.journeys.journey import Journey
from tests.journeys.packs import FINANCE, SALES


def shared(sdk: Any, share: str) -> tuple[str, dict[str, str], set[str]]:
    """Comment, object types by name, and who may read it, as the SDK tells them."""
    found = sdk.shares.get(share, include_shared_data=True)
    grants = sdk.shares.share_permissions(share).privilege_assignments or []
    objects = {item.name: item.data_object_type.value for item in found.objects or []}
    return found.comment, objects, {grant.principal for grant in grants}


async def test_the_guide_s_yaml_example_ends_as_the_file_says(journey: Journey, sdk: Any) -> None:
    commit = journey.save("finance.yaml", FINANCE)
    plan = await journey.plan()
    assert [pack.strategy for pack in plan.packs] == [Strategy.NEW]
    assert journey.writes() == []
    await journey.converge()
    assert shared(sdk, "finance_q1_share") == (
        "Q1 financial data",
        {"catalog.schema.revenue_table": "TABLE", "catalog.schema.expense_table": "TABLE"},
        {"external-auditor", "internal-analyst"},
    )
    assert shared(sdk, "audit_log_share")[2] == {"external-auditor"}
    auditor, analyst = sdk.recipients.get("external-auditor"), sdk.recipients.get("internal-analyst")
    assert auditor.authentication_type.value == "TOKEN"
    assert set(auditor.ip_access_list.allowed_ip_addresses) == {"203.0.113.0/24", "198.51.100.50"}
    assert (auditor.comment, analyst.comment) == ("External auditing firm", "Internal data analyst team")
    assert analyst.data_recipient_global_metastore_id == "aws:us-west-2:abc-123-def"
    again = await journey.plan()
    assert not again.has_changes
    assert [pack.strategy for pack in again.packs] == [Strategy.UPDATE]
    states = await journey.ledger.pack_states()
    assert [(state.status, state.commit, state.applied_commit) for state in states] == [("COMPLETED", commit, commit)]


async def test_one_edit_is_one_write(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.control.clear_log()
    journey.save("sales.yaml", SALES.replace("Q1 sales data", "Q1 sales, final"))
    plan = await journey.plan()
    assert [(str(step.key), step.is_work) for step in plan.steps] == [
        ("recipient/sales-analyst", False),
        ("share/sales_q1_share", True),
    ]
    await journey.converge()
    assert journey.writes() == [("PATCH", "/shares/sales_q1_share", {"comment": "Q1 sales, final"})]
