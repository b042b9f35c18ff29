"""What the database tells afterwards: the guide's queries, the audit trail, and who could read what at any time."""

from typing import Any

from reconciler.stages.apply import reject_broken
from tests.journeys.journey import Journey
from tests.journeys.packs import FINANCE, SALES

CURRENT_TENANTS = """
SELECT * FROM deltashare.tenants
WHERE is_current = true AND is_deleted = false;
"""
RECENT_PACKS = """
SELECT share_pack_id, share_pack_name, share_pack_status, effective_from
FROM deltashare.share_packs
WHERE is_current = true
ORDER BY effective_from DESC
LIMIT 10;
"""
FAILED_PACKS = """
SELECT share_pack_id, share_pack_name, error_message
FROM deltashare.share_packs
WHERE is_current = true AND share_pack_status = 'FAILED';
"""
PACK_HISTORY = """
SELECT version, share_pack_status, effective_from, created_by, change_reason
FROM deltashare.share_packs
WHERE share_pack_id = $1
ORDER BY version;
"""
TABLES = """
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'deltashare';
"""


async def test_the_guide_s_queries_show_the_apply(journey: Journey) -> None:
    journey.write("sales.yaml", SALES)
    journey.save("finance.yaml", FINANCE)
    await journey.converge()
    assert (await journey.rows(TABLES))[0][0] == 16
    tenants = await journey.rows(CURRENT_TENANTS)
    assert len(tenants) == 2
    packs = await journey.rows(RECENT_PACKS)
    assert {row["share_pack_status"] for row in packs} == {"COMPLETED"}
    assert all(row["share_pack_name"].startswith("SharePack_john.doe@jll.com_") for row in packs)
    assert await journey.rows(FAILED_PACKS) == []
    versions = await journey.rows(PACK_HISTORY, packs[0]["share_pack_id"])
    assert [row["version"] for row in versions] == list(range(1, len(versions) + 1))
    assert versions[0]["share_pack_status"] == "IN_PROGRESS"
    assert versions[-1]["share_pack_status"] == "COMPLETED"


async def test_every_change_is_in_the_audit_trail_with_actor_plan_and_commit(journey: Journey) -> None:
    commit = journey.save("sales.yaml", SALES)
    await journey.converge()
    trail = await journey.rows(
        "SELECT entity_type, operation, actor, plan_id, commit_id FROM deltashare.audit_trail "
        "WHERE entity_type IN ('recipient', 'share')"
    )
    assert {row["operation"] for row in trail} == {"CREATE", "UPDATE"}
    assert {row["actor"] for row in trail} == {"pat@example.com"}
    assert {row["commit_id"] for row in trail} == {commit}
    assert len({row["plan_id"] for row in trail}) == 1
    assert None not in {row["plan_id"] for row in trail}


async def test_each_call_has_an_intent_and_an_outcome_with_its_request_id(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    operations = await journey.rows(
        "SELECT call ->> 'call' AS call, outcome, api_request_id, concluded_at > begun_at AS in_order "
        "FROM reconciler.operations ORDER BY begun_at"
    )
    calls = [row["call"] for row in operations]
    # The first two are begun together.
    assert sorted(calls[:2]) == ["CreateRecipient", "CreateShare"]
    assert calls[2:] == ["UpdateShare", "ChangeGrants"]
    assert {row["outcome"] for row in operations} == {"done"}
    assert all(row["api_request_id"] and row["in_order"] for row in operations)
    asked = {entry["request_id"] for entry in journey.control.log(writes_only=True)}
    assert {row["api_request_id"] for row in operations} == asked


async def test_any_point_in_time_can_be_asked_for(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.save("sales.yaml", SALES.replace("    recipients:\n      - sales-analyst\n", "    recipients: []\n"))
    await journey.converge()
    at = "SELECT recipients FROM deltashare.shares WHERE effective_from <= $1 AND effective_to > $1 AND NOT is_deleted"
    versions = await journey.rows("SELECT effective_from, recipients FROM deltashare.shares ORDER BY version")
    for version in versions:
        (row,) = await journey.rows(at, version["effective_from"])
        assert row["recipients"] == version["recipients"]
    assert await journey.rows(at, versions[0]["effective_from"].replace(year=2000)) == []


async def test_a_file_that_breaks_is_told_in_the_status_and_keeps_its_content(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.save("sales.yaml", SALES.replace("type: D2O", "type: D2X"))
    desired = await journey.read()
    await reject_broken(desired, await journey.scope(desired), journey.ledger, "pat@example.com")
    (state,) = await journey.ledger.pack_states()
    assert state.status == "VALIDATION_FAILED"
    assert "sharepacks/sales.yaml:" in state.error_message
    journey.save("sales.yaml", SALES)
    await journey.converge()
    (state,) = await journey.ledger.pack_states()
    assert (state.status, state.error_message) == ("COMPLETED", "")


async def test_no_activation_link_reaches_the_database(journey: Journey, sdk: Any) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    secret = sdk.recipients.get("sales-analyst").tokens[0].activation_url.partition("?")[2]
    assert len(secret) > 20
    tables = await journey.rows(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname IN ('deltashare', 'reconciler')"
    )
    assert len(tables) >= 20
    for table in tables:
        found = await journey.rows(f"SELECT count(*) FROM {table['name']} AS t WHERE t::text LIKE $1", f"%{secret}%")
        assert found[0][0] == 0, table["name"]


async def test_business_lines_are_recorded_as_the_tenants_file_declares_them(journey: Journey) -> None:
    tenants = """
tenants:
  Sales Operations: {owner: sales@example.com, contact: "#sales", catalogs: [prod_catalog]}
"""
    journey.write("tenants.yaml", tenants)
    journey.save("sales.yaml", SALES.replace("Sales Operations", "SALES operations"))
    await journey.converge()
    (row,) = await journey.rows("SELECT business_line, owner, contact, catalogs FROM deltashare.tenants")
    assert tuple(row) == ("Sales Operations", "sales@example.com", "#sales", '["prod_catalog"]')
