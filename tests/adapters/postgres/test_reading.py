"""What is on record, read by key, by pack, and through time."""

from dataclasses import replace

import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.encoding import digest
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST,
    ANALYST_KEY,
    COMMIT,
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    claimed,
    wanted,
)

ELSEWHERE = "https://adb-2.azuredatabricks.net"


@pytest.fixture
async def filled(ledger: PostgresLedger) -> PostgresLedger:
    """PACK owns the recipient, OTHER_PACK the share."""
    held = await claimed(ledger, an_order(PACK, wanted(ANALYST_KEY, ANALYST)))
    await ledger.settle(held, ANALYST_KEY, ANALYST, "as found")
    await ledger.finish(held, WorkStatus.DONE)
    held = await claimed(ledger, an_order(OTHER_PACK, wanted(SALES_KEY, SALES)))
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.finish(held, WorkStatus.DONE)
    return ledger


async def test_what_is_asked_by_key_and_what_the_packs_own(filled: PostgresLedger) -> None:
    assert (await filled.recorded([], [])).resources == {}
    assert set((await filled.recorded([SALES_KEY], [])).resources) == {SALES_KEY}
    assert set((await filled.recorded([], [PACK])).resources) == {ANALYST_KEY}
    assert set((await filled.recorded([SALES_KEY], [PACK])).resources) == {ANALYST_KEY, SALES_KEY}


async def test_a_key_is_of_its_workspace(filled: PostgresLedger) -> None:
    assert (await filled.recorded([share_key("sales", ELSEWHERE)], [])).resources == {}


async def test_a_recorded_resource_tells_its_pack_version_and_commit(filled: PostgresLedger) -> None:
    row = (await filled.recorded([SALES_KEY], [])).resources[SALES_KEY]
    assert (row.resource, row.pack, row.version, row.commit) == (SALES, OTHER_PACK, 1, COMMIT)
    assert row.since is not None
    assert row.since.tzinfo is not None


async def test_a_deleted_resource_is_not_recorded_any_more(filled: PostgresLedger) -> None:
    held = await claimed(filled, an_order(OTHER_PACK, wanted(SALES_KEY, None)))
    await filled.settle(held, SALES_KEY, None, "as found")
    assert (await filled.recorded([SALES_KEY], [OTHER_PACK])).resources == {}


async def test_the_rows_of_the_packs_asked_for(filled: PostgresLedger) -> None:
    packs = (await filled.recorded([SALES_KEY], [PACK, THIRD_PACK])).packs
    assert set(packs) == {PACK}
    row = packs[PACK]
    assert (row.path, row.workspace, row.status) == ("sharepacks/sales q1.yaml", WORKSPACE, PackStatus.COMPLETED)
    assert (row.commit, row.is_deleted) == (COMMIT, False)
    assert row.config_digest == digest({"metadata": {"project_name": "Sales Q1"}})


async def test_packs_are_found_in_any_letter_case(filled: PostgresLedger) -> None:
    assert set((await filled.recorded([], [PackId.of("SALES operations", "sales  q1")])).packs) == {PACK}


async def test_all_packs_and_their_states(filled: PostgresLedger) -> None:
    assert await filled.all_packs() == [PACK, OTHER_PACK]
    assert [state.pack for state in await filled.pack_states()] == [PACK, OTHER_PACK]
    [state] = await filled.pack_states(OTHER_PACK)
    assert (state.status, state.applied_commit) == (PackStatus.COMPLETED, COMMIT)
    assert state.provisioning_status == "All resources provisioned successfully"
    assert await filled.pack_states(THIRD_PACK) == []


async def test_history_tells_who_why_and_from_which_commit(filled: PostgresLedger) -> None:
    changed = replace(SALES, comment="Q1 with refunds")
    plan = a_plan(NEXT_COMMIT, actor="ann")
    held = await claimed(filled, an_order(OTHER_PACK, wanted(SALES_KEY, changed)), plan=plan)
    await filled.settle(held, SALES_KEY, changed, "as found")
    await filled.settle(held, SALES_KEY, None, "as found")
    first, second, third = await filled.history(SALES_KEY)
    assert [first.resource, second.resource, third.resource] == [SALES, changed, None]
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert (first.effective_to, second.effective_to) == (second.effective_from, third.effective_from)
    assert third.effective_to is None
    assert (second.created_by, second.commit, second.plan_id) == ("ann", NEXT_COMMIT, plan.plan_id)
    assert second.change_reason == "as found"


async def test_history_without_a_workspace_is_of_all_of_them(filled: PostgresLedger) -> None:
    key = share_key("sales", ELSEWHERE)
    held = await claimed(filled, replace(an_order(THIRD_PACK, wanted(key, SALES)), workspace=ELSEWHERE))
    await filled.settle(held, key, SALES, "as found")
    assert [version.key for version in await filled.history(share_key("SALES", ""))] == [SALES_KEY, key]
    assert [version.key for version in await filled.history(key)] == [key]
    assert await filled.history(share_key("unknown", "")) == []


async def test_recipients_are_found_by_name_in_any_workspace(filled: PostgresLedger) -> None:
    assert await filled.find_recipients(" Analyst ") == [ANALYST_KEY]
    assert await filled.find_recipients("nobody") == []
    elsewhere = recipient_key("analyst", ELSEWHERE)
    held = await claimed(filled, an_order(THIRD_PACK, wanted(elsewhere, ANALYST)))
    await filled.settle(held, elsewhere, ANALYST, "as found")
    assert await filled.find_recipients("analyst") == [ANALYST_KEY, elsewhere]
    await filled.settle(held, elsewhere, None, "as found")
    assert await filled.find_recipients("analyst") == [ANALYST_KEY]


async def test_work_is_told_by_id(filled: PostgresLedger) -> None:
    held = await claimed(filled, an_order(THIRD_PACK, wanted(SALES_KEY, SALES)))
    [work] = await filled.work([held.work_id])
    assert (work.id, work.pack, work.status, work.attempts) == (held.work_id, THIRD_PACK, WorkStatus.RUNNING, 1)
    assert await filled.work([]) == []
