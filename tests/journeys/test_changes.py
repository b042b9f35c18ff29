"""Edits, additions, removals and renames of a pack: the plan says exactly that, and the sandbox sees no other write."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from reconciler.core.plan import Plan
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES

RECIPIENT_2 = """\
  - name: second-analyst
    type: D2O
    email: second@partner.com
"""
MOVED = """\
metadata: {requestor: jane@jll.com, project_name: Sales Extras, business_line: Sales Operations}
"""


@pytest_asyncio.fixture
async def applied(journey: Journey) -> AsyncIterator[Journey]:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.control.clear_log()
    yield journey


def work(plan: Plan) -> list[str]:
    return [f"{type(step.verdict).__name__} {step.key}" for step in plan.steps if step.is_work]


async def test_a_second_apply_writes_nothing_anywhere(applied: Journey) -> None:
    before = await applied.rows("SELECT count(*) FROM deltashare.audit_trail")
    await applied.converge()
    assert applied.writes() == []
    assert await applied.rows("SELECT count(*) FROM deltashare.audit_trail") == before


async def test_adding_a_table_is_one_patch(applied: Journey) -> None:
    applied.save("sales.yaml", SALES + "      - prod_catalog.sales.refunds\n")
    plan = await applied.plan()
    assert work(plan) == ["Update share/sales_q1_share"]
    assert plan.packs[0].actions == {
        f"share/sales_q1_share objects + prod_catalog.sales.refunds (TABLE) in {applied.url}"
    }
    await applied.converge()
    added = {"name": "prod_catalog.sales.refunds", "data_object_type": "TABLE"}
    body = {"updates": [{"action": "ADD", "data_object": added}]}
    assert applied.writes() == [("PATCH", "/shares/sales_q1_share", body)]


async def test_removing_a_table_is_one_patch(applied: Journey) -> None:
    applied.save("sales.yaml", SALES.replace("      - prod_catalog.sales.customers\n", ""))
    await applied.converge()
    ((method, path, body),) = applied.writes()
    assert (method, path) == ("PATCH", "/shares/sales_q1_share")
    assert [(item["action"], item["data_object"]["name"]) for item in body["updates"]] == [
        ("REMOVE", "prod_catalog.sales.customers")
    ]


async def test_swapping_recipients_creates_grants_and_revokes_and_nothing_else(applied: Journey, sdk: Any) -> None:
    text = SALES.replace("share:\n", f"{RECIPIENT_2}\nshare:\n").replace(
        "      - sales-analyst\n", "      - second-analyst\n"
    )
    applied.save("sales.yaml", text)
    plan = await applied.plan()
    assert work(plan) == ["Create recipient/second-analyst", "Update share/sales_q1_share"]
    await applied.converge()
    assert [(method, path) for method, path, _ in applied.writes()] == [
        ("POST", "/recipients"),
        ("PATCH", "/shares/sales_q1_share/permissions"),
    ]
    changes = {item["principal"]: item for item in applied.writes()[1][2]["changes"]}
    assert changes["second-analyst"]["add"] == ["SELECT"]
    assert changes["sales-analyst"]["remove"] == ["SELECT"]
    assert sdk.recipients.get("sales-analyst").name == "sales-analyst"


async def test_an_ip_list_is_replaced_and_cleared(applied: Journey, sdk: Any) -> None:
    applied.save(
        "sales.yaml", SALES.replace("      - 192.168.1.0/24\n", "      - 203.0.113.7\n      - 198.51.100.0/24\n")
    )
    await applied.converge()
    listed = sdk.recipients.get("sales-analyst").ip_access_list.allowed_ip_addresses
    assert set(listed) == {"203.0.113.7", "198.51.100.0/24"}
    applied.save("sales.yaml", SALES.replace("allowed_ips:\n      - 192.168.1.0/24", "allowed_ips: []"))
    assert (await applied.plan()).is_held
    applied.allow("open-ips:recipient/sales-analyst")
    await applied.converge()
    cleared = sdk.recipients.get("sales-analyst").ip_access_list
    assert cleared is None or not cleared.allowed_ip_addresses
    assert [(method, path) for method, path, _ in applied.writes()] == [("PATCH", "/recipients/sales-analyst")] * 2


async def test_a_field_that_is_not_mentioned_any_more_is_left_alone(applied: Journey, sdk: Any) -> None:
    applied.save("sales.yaml", SALES.replace('    comment: "Q1 sales data"\n', ""))
    assert work(await applied.plan()) == ["Record share/sales_q1_share"]
    await applied.converge()
    assert applied.writes() == []
    sdk.shares.update("sales_q1_share", comment="somebody's words")
    assert not (await applied.plan()).has_changes


async def test_a_new_contact_is_recorded_without_a_call(applied: Journey) -> None:
    applied.save("sales.yaml", SALES.replace("analyst@partner.com", "desk@partner.com"))
    await applied.converge()
    assert applied.writes() == []
    rows = await applied.rows(
        "SELECT email FROM deltashare.recipients WHERE recipient_name = 'sales-analyst' ORDER BY version"
    )
    assert [row["email"] for row in rows] == ["analyst@partner.com", "desk@partner.com"]


async def test_moving_and_renaming_the_file_changes_nothing(applied: Journey) -> None:
    git(applied.repository, "mv", "sharepacks/sales.yaml", "sharepacks/renamed.yaml")
    applied.commit("Rename")
    plan = await applied.plan()
    assert work(plan) == []
    await applied.converge()
    assert applied.writes() == []
    assert [state.path for state in await applied.ledger.pack_states()] == ["sharepacks/renamed.yaml"]


async def test_removing_the_file_deletes_what_it_declared_share_first(applied: Journey, sdk: Any) -> None:
    (applied.repository / "sharepacks" / "sales.yaml").unlink()
    applied.commit("Remove")
    assert work(await applied.plan()) == ["Delete share/sales_q1_share", "Delete recipient/sales-analyst"]
    await applied.converge()
    assert [(method, path) for method, path, _ in applied.writes()] == [
        ("PATCH", "/shares/sales_q1_share/permissions"),
        ("DELETE", "/shares/sales_q1_share"),
        ("DELETE", "/recipients/sales-analyst"),
    ]
    assert list(sdk.shares.list_shares()) == []
    assert not (await applied.plan()).has_changes
    rows = await applied.rows("SELECT is_deleted FROM deltashare.shares WHERE is_current")
    assert [row["is_deleted"] for row in rows] == [True]


async def test_removing_an_entry_deletes_just_that(applied: Journey) -> None:
    head, _, _ = SALES.partition("share:\n")
    applied.save("sales.yaml", head)
    await applied.converge()
    assert [(method, path) for method, path, _ in applied.writes()] == [
        ("PATCH", "/shares/sales_q1_share/permissions"),
        ("DELETE", "/shares/sales_q1_share"),
    ]


async def test_what_was_removed_comes_back_as_further_versions(applied: Journey) -> None:
    head, _, _ = SALES.partition("share:\n")
    applied.save("sales.yaml", head)
    await applied.converge()
    applied.save("sales.yaml", SALES)
    await applied.converge()
    rows = await applied.rows("SELECT version, is_deleted, is_current FROM deltashare.shares ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["is_deleted"] for row in rows].count(True) == 1
    assert rows[-1]["is_current"]
    assert not rows[-1]["is_deleted"]


async def test_a_share_moves_to_another_pack_of_the_line_without_a_call(applied: Journey) -> None:
    head, _, tail = SALES.partition("share:\n")
    applied.write("sales.yaml", head)
    applied.save("extras.yaml", f"{MOVED}share:\n{tail}")
    assert work(await applied.plan()) == ["Record share/sales_q1_share"]
    await applied.converge()
    assert applied.writes() == []


async def test_names_in_another_letter_case_are_the_same_resource(applied: Journey) -> None:
    applied.save(
        "sales.yaml", SALES.replace("sales_q1_share", "Sales_Q1_Share").replace("sales.customers", "Sales.Customers")
    )
    assert not any(step.is_change for step in (await applied.plan()).steps)


async def test_a_pack_waits_for_the_pack_that_brings_its_recipient(journey: Journey) -> None:
    head, _, tail = SALES.partition("share:\n")
    journey.write("a-shares.yaml", f"{MOVED}share:\n{tail}")
    journey.save("z-recipients.yaml", head)
    await journey.converge()
    assert [(method, path) for method, path, _ in journey.writes()] == [
        ("POST", "/recipients"),
        ("POST", "/shares"),
        ("PATCH", "/shares/sales_q1_share"),
        ("PATCH", "/shares/sales_q1_share/permissions"),
    ]


@pytest.mark.parametrize("failing", ["POST /api/2.1/unity-catalog/recipients"])
async def test_one_pack_fails_and_the_others_go_on(journey: Journey, failing: str, sdk: Any) -> None:
    journey.write("sales.yaml", SALES)
    journey.save("other.yaml", MOVED + "share:\n  - {name: lonely, data_objects: [prod_catalog.sales]}\n")
    journey.control.fault(failing, status=403, error_code="PERMISSION_DENIED", times=1)
    applied = await journey.apply()
    states = {state.path: state for state in await journey.ledger.pack_states()}
    assert states["sharepacks/sales.yaml"].status == "FAILED"
    assert "PERMISSION_DENIED" in states["sharepacks/sales.yaml"].error_message
    assert states["sharepacks/other.yaml"].status == "COMPLETED"
    # What was begun beside the call that failed may be there: nobody reads it, and nothing is in it yet.
    assert {item.name for item in sdk.shares.list_shares()} - {"sales_q1_share"} == {"lonely"}
    begun = [item for item in sdk.shares.list_shares() if item.name == "sales_q1_share"]
    assert all(not sdk.shares.get(item.name, include_shared_data=True).objects for item in begun)
    assert all(not sdk.shares.share_permissions(item.name).privilege_assignments for item in begun)
    assert len(applied.failed) == 1
    assert not applied.is_converged
    await journey.converge()
    assert {state.status for state in await journey.ledger.pack_states()} == {"COMPLETED"}
