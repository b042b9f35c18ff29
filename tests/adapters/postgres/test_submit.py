"""Submitting: history and work in one transaction, once, and the newest plan of a pack is what counts."""

import asyncio
import re
from uuid import UUID

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import PackId
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import Claim, NothingToClaim, WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST,
    ANALYST_KEY,
    COMMIT,
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    claim,
    claimed,
    submitted,
    wanted,
    work_order,
)


async def status_of(ledger: PostgresLedger, work_id: UUID) -> tuple[WorkStatus, str]:
    [work] = await ledger.work([work_id])
    return work.status, work.reason


async def test_a_pack_is_recorded_with_its_tenant_project_region_and_request(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.submit(a_plan(), [work_order()])
    [row] = await connection.fetch(
        """
        SELECT t.business_line, p.project_name, r.region, r.workspace_url, q.request_status, q.requested_by,
               s.share_pack_name, s.share_pack_status, s.requested_by AS pack_requested_by, s.file_path
        FROM deltashare.share_packs s
        JOIN deltashare.tenants t USING (tenant_id) JOIN deltashare.projects p USING (project_id)
        JOIN deltashare.tenant_regions r ON r.tenant_id = t.tenant_id
        JOIN deltashare.requests q USING (share_pack_id)
        """
    )
    assert (row["business_line"], row["project_name"]) == ("Sales Operations", "Sales Q1")
    assert (row["region"], row["workspace_url"]) == ("AM", WORKSPACE)
    assert (row["request_status"], row["requested_by"]) == ("SUBMITTED", "john.doe@jll.com")
    assert (row["share_pack_status"], row["file_path"]) == ("IN_PROGRESS", "sharepacks/sales q1.yaml")
    assert re.fullmatch(r"SharePack_john\.doe@jll\.com_20\d{6}_\d{6}", row["share_pack_name"])


async def test_submitting_a_plan_again_changes_nothing(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    plan, orders = a_plan(), [work_order(), an_order(OTHER_PACK)]
    first = await ledger.submit(plan, orders)
    before = await connection.fetchval("SELECT count(*) FROM deltashare.audit_trail")
    assert await ledger.submit(plan, orders) == first
    assert await connection.fetchval("SELECT count(*) FROM deltashare.audit_trail") == before
    assert await connection.fetchval("SELECT count(*) FROM reconciler.work WHERE status = 'waiting'") == 1


async def test_the_same_plan_submitted_by_many_at_once_is_one(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    plan, orders = a_plan(), [work_order(), work_order(OTHER_PACK)]
    results = await asyncio.gather(*(ledger.submit(plan, orders) for _ in range(8)))
    assert all(result == results[0] for result in results)
    assert await connection.fetchval("SELECT count(*) FROM reconciler.work") == 2


async def test_nothing_wanted_only_brings_the_rows_up_to_date(ledger: PostgresLedger) -> None:
    assert await ledger.submit(a_plan(), [an_order()]) == {PACK: None}
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.commit, state.applied_commit) == (PackStatus.COMPLETED, COMMIT, COMMIT)
    assert await ledger.due() == []


async def test_nothing_wanted_and_something_held_fails_the_pack_for_it(ledger: PostgresLedger) -> None:
    assert await ledger.submit(a_plan(), [an_order(held=("share/x: exists, not ours",))]) == {PACK: None}
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.error_message) == (PackStatus.FAILED, "share/x: exists, not ours")
    assert state.applied_commit == ""


async def test_content_and_progress_are_versions_of_their_own(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.submit(a_plan(), [an_order()])
    await ledger.submit(a_plan(NEXT_COMMIT), [work_order()])
    rows = await connection.fetch(
        "SELECT version, commit_id, share_pack_status FROM deltashare.share_packs ORDER BY version"
    )
    assert [tuple(row) for row in rows] == [
        (1, COMMIT, "COMPLETED"),
        (2, NEXT_COMMIT, "COMPLETED"),
        (3, NEXT_COMMIT, "IN_PROGRESS"),
    ]


async def test_the_name_of_a_pack_is_that_of_its_first_submission(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [an_order()])
    [first] = await ledger.pack_states(PACK)
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order(PackId.of("sales operations", "SALES Q1"), config={"new": 1})])
    [second] = await ledger.pack_states(PACK)
    assert second.share_pack_name == first.share_pack_name
    assert second.created_at == first.created_at < second.last_updated
    assert second.pack.business_line == "Sales Operations"


async def test_uncommitted_files_leave_the_commit_empty(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(commit=""), [an_order()])
    [state] = await ledger.pack_states()
    assert (state.commit, state.applied_commit) == ("", "")


async def test_newer_work_supersedes_what_waits(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    first = await submitted(ledger, a_plan(), [work_order()])
    second = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order()])
    assert await status_of(ledger, first[PACK]) == (WorkStatus.SKIPPED, "superseded by a newer plan")
    assert await ledger.due() == [second[PACK]]
    assert await ledger.claim("worker-1", first[PACK], 60) == NothingToClaim(is_finished=True)
    statuses = await connection.fetch("SELECT request_status FROM deltashare.requests WHERE is_current")
    assert sorted(row["request_status"] for row in statuses) == ["SUBMITTED", "SUPERSEDED"]
    [state] = await ledger.pack_states(PACK)
    assert state.status is PackStatus.IN_PROGRESS


async def test_an_order_that_wants_nothing_supersedes_too(ledger: PostgresLedger) -> None:
    first = await submitted(ledger, a_plan(), [work_order()])
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order()])
    assert (await status_of(ledger, first[PACK]))[0] is WorkStatus.SKIPPED
    [state] = await ledger.pack_states(PACK)
    assert state.status is PackStatus.COMPLETED


async def test_work_in_hand_is_not_superseded_and_does_not_overwrite_the_newer_plan(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    newer = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order()])
    refused = await ledger.claim("worker-2", newer[PACK], 60)
    assert isinstance(refused, NothingToClaim)
    assert refused.held_by is not None
    assert refused.held_by.worker == "worker-1"
    assert await ledger.finish(held, WorkStatus.FAILED, "too late") == [newer[PACK]]
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.error_message) == (PackStatus.IN_PROGRESS, "")
    assert (await claim(ledger, newer[PACK])).commit == NEXT_COMMIT


async def test_superseded_work_that_is_put_back_ends(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.submit(a_plan(NEXT_COMMIT), [work_order()])
    await ledger.postpone(held, 0, "throttled")
    assert (await status_of(ledger, held.work_id))[0] is WorkStatus.SKIPPED


async def test_superseded_work_of_a_dead_worker_ends_when_it_is_found(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    dead = await claimed(ledger)
    newer = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order()])
    await connection.execute("UPDATE reconciler.leases SET expires_at = now() - interval '1 second'")
    assert set(await ledger.due()) == {dead.work_id, newer[PACK]}
    assert await ledger.claim("worker-2", dead.work_id, 60) == NothingToClaim(is_finished=True)
    assert await ledger.due() == [newer[PACK]]


async def test_what_waited_for_superseded_work_waits_for_the_newer_one(ledger: PostgresLedger) -> None:
    first = await submitted(ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK, frozenset({PACK}))])
    newer = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order(PACK)])
    assert await ledger.due() == [newer[PACK]]
    released = await ledger.finish(await claim(ledger, newer[PACK]), WorkStatus.DONE)
    assert released == [first[OTHER_PACK]]


async def test_a_need_of_an_older_plan_is_waited_for(ledger: PostgresLedger) -> None:
    older = await submitted(ledger, a_plan(), [work_order(PACK)])
    newer = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order(OTHER_PACK, frozenset({PACK}))])
    assert await ledger.due() == [older[PACK]]
    assert await ledger.finish(await claim(ledger, older[PACK]), WorkStatus.DONE) == [newer[OTHER_PACK]]


async def test_a_need_that_has_no_work_is_met(ledger: PostgresLedger) -> None:
    work = await submitted(
        ledger, a_plan(), [work_order(PACK, frozenset({THIRD_PACK, OTHER_PACK})), an_order(OTHER_PACK)]
    )
    assert await ledger.due() == [work[PACK]]


async def test_plans_that_wait_for_each_other_crosswise_do_not_lock_up(ledger: PostgresLedger) -> None:
    older = await submitted(ledger, a_plan(), [work_order(PACK, frozenset({OTHER_PACK})), work_order(OTHER_PACK)])
    newer = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order(OTHER_PACK, frozenset({PACK}))])
    assert await ledger.due() == [newer[OTHER_PACK]]
    assert await ledger.finish(await claim(ledger, newer[OTHER_PACK]), WorkStatus.DONE) == [older[PACK]]


async def test_packs_that_need_each_other_are_refused_whole(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    orders = [work_order(PACK, frozenset({OTHER_PACK})), work_order(OTHER_PACK, frozenset({PACK}))]
    with pytest.raises(ValueError, match="in a circle"):
        await ledger.submit(a_plan(), orders)
    assert await connection.fetchval("SELECT count(*) FROM reconciler.plans") == 0
    assert await ledger.all_packs() == []


async def test_the_order_reaches_the_worker_as_it_was_given(ledger: PostgresLedger) -> None:
    order = an_order(
        PACK,
        wanted(ANALYST_KEY, ANALYST),
        needs=frozenset({THIRD_PACK}),
        config={"metadata": {"list": [1, None, "ü"]}},
        held=("a", "b"),
        narrows=True,
    )
    plan = a_plan()
    work = await submitted(ledger, plan, [order])
    taken = await claim(ledger, work[PACK])
    assert taken == Claim(
        work_id=work[PACK],
        order=order,
        plan_id=plan.plan_id,
        commit=COMMIT,
        actor="john.doe@jll.com",
        worker="worker-1",
        fence=1,
        attempts=1,
    )


async def test_narrowing_work_goes_first_then_the_oldest(ledger: PostgresLedger) -> None:
    work = await submitted(
        ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK), work_order(THIRD_PACK, narrows=True)]
    )
    assert await ledger.due() == [work[THIRD_PACK], work[PACK], work[OTHER_PACK]]
    assert await ledger.due(1) == [work[THIRD_PACK]]


async def test_a_pack_that_git_removed_is_deleted_once_all_is_gone(ledger: PostgresLedger) -> None:
    work = await claimed(ledger, an_order(PACK, wanted(ANALYST_KEY, ANALYST)))
    await ledger.settle(work, ANALYST_KEY, ANALYST, "as found")
    await ledger.finish(work, WorkStatus.DONE)
    removing = await claimed(ledger, an_order(PACK, wanted(ANALYST_KEY, None), removed=True), plan=a_plan(NEXT_COMMIT))
    [state] = await ledger.pack_states(PACK)
    assert (state.is_deleted, state.status, state.requested_by) == (False, PackStatus.IN_PROGRESS, "john.doe@jll.com")
    await ledger.settle(removing, ANALYST_KEY, None, "as found")
    await ledger.finish(removing, WorkStatus.DONE)
    [state] = await ledger.pack_states(PACK)
    assert (state.is_deleted, state.status, state.commit) == (True, PackStatus.COMPLETED, NEXT_COMMIT)
    assert await ledger.all_packs() == []


async def test_a_removed_pack_with_something_held_stays(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order(PACK, removed=True, held=("protected",))])
    [state] = await ledger.pack_states(PACK)
    assert (state.is_deleted, state.status) == (False, PackStatus.FAILED)


async def test_a_pack_with_nothing_left_is_deleted_at_once_and_can_come_back(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order(PACK, removed=True)])
    assert await ledger.all_packs() == []
    await ledger.submit(a_plan(), [an_order(PACK)])
    assert await ledger.all_packs() == [PACK]
    rows = await connection.fetch("SELECT version, is_deleted FROM deltashare.share_packs ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))


async def test_a_file_with_problems_marks_its_pack_and_changes_no_content(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    for _ in range(2):
        await ledger.reject(PACK, "moved.yaml", "no email", NEXT_COMMIT, "daemon")
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.error_message) == (PackStatus.VALIDATION_FAILED, "no email")
    assert (state.path, state.commit, state.applied_commit) == ("sharepacks/sales q1.yaml", COMMIT, COMMIT)


async def test_rejecting_twice_for_one_reason_is_one_version(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    for _ in range(2):
        await ledger.reject(PACK, "q1.yaml", "no email", COMMIT, "daemon")
    assert await connection.fetchval("SELECT count(*) FROM deltashare.share_packs") == 1


async def test_an_unknown_pack_is_rejected_by_name_and_can_be_submitted_later(ledger: PostgresLedger) -> None:
    await ledger.reject(THIRD_PACK, "contracts.yaml", "no email", "", "daemon")
    [state] = await ledger.pack_states(THIRD_PACK)
    assert (state.status, state.path, state.commit) == (PackStatus.VALIDATION_FAILED, "contracts.yaml", "")
    await ledger.submit(a_plan(), [an_order(THIRD_PACK)])
    [state] = await ledger.pack_states(THIRD_PACK)
    assert (state.status, state.requested_by, state.error_message) == (PackStatus.COMPLETED, "john.doe@jll.com", "")


async def test_a_plan_is_kept_once(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    plan = a_plan()
    await ledger.save_plan(plan)
    await ledger.save_plan(plan)
    [row] = await connection.fetch("SELECT plan_id, commit_id, actor, document ->> 'summary' FROM reconciler.plans")
    assert tuple(row) == (plan.plan_id, COMMIT, "john.doe@jll.com", "1 to create")
