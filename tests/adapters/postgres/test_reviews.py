"""Who stands behind a change is on every row that is written for it: pull requests and approvals, as texts."""

from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import CreateShare, DeleteShare, Operation
from reconciler.core.key import PackId
from reconciler.core.review import Review
from reconciler.ports.ledger import Claim, Done, PackOrder, WorkStatus
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
    a_plan,
    an_order,
    begin,
    claim,
    claimed,
    conclude,
    expire,
    progress,
    submitted,
    wanted,
    work_order,
)

REVIEW = Review(("jllt/packs#12", "jllt/packs#14"), ("ann (review)", "bob (environment production)"))
TEXTS = ("jllt/packs#12, jllt/packs#14", "ann (review), bob (environment production)")
OTHER_REVIEW = Review(("jllt/packs#15",), ("cyd (merge)",))
OTHER_TEXTS = ("jllt/packs#15", "cyd (merge)")
NOBODY = ("", "")


def reviewed(order: PackOrder, review: Review = REVIEW) -> PackOrder:
    return replace(order, review=review)


async def audited(
    connection: asyncpg.Connection, entity_type: str, entity_id: UUID | None = None
) -> list[tuple[str, str]]:
    rows = await connection.fetch(
        """
        SELECT pull_requests, approved_by FROM deltashare.audit_trail
        WHERE entity_type = $1 AND ($2::uuid IS NULL OR entity_id = $2) ORDER BY recorded_at, entity_version
        """,
        entity_type,
        entity_id,
    )
    return [tuple(row) for row in rows]


async def requested(connection: asyncpg.Connection, work_id: UUID) -> list[tuple[str, str, str]]:
    rows = await connection.fetch(
        """
        SELECT request_status, pull_requests, approved_by FROM deltashare.requests
        WHERE request_id = $1 ORDER BY version
        """,
        work_id,
    )
    return [tuple(row) for row in rows]


async def history(ledger: PostgresLedger) -> list[tuple[str, str]]:
    return [(version.pull_requests, version.approved_by) for version in await ledger.history(SALES_KEY)]


@pytest.fixture
async def held(ledger: PostgresLedger) -> Claim:
    return await claimed(ledger, reviewed(an_order(PACK, wanted(SALES_KEY, SALES))))


async def test_a_request_and_all_its_versions_say_who_approved(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.finish(held, WorkStatus.DONE)
    assert await requested(connection, held.work_id) == [("SUBMITTED", *TEXTS), ("COMPLETED", *TEXTS)]
    assert await audited(connection, "request") == [TEXTS, TEXTS]


async def test_who_claims_the_work_is_told(held: Claim) -> None:
    assert held.order.review == REVIEW


async def test_everything_that_is_written_for_the_work_carries_it(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await progress(ledger, held, "Creating shares...")
    operation_id = await begin(ledger, held, Operation(CreateShare(SALES_KEY), SALES))
    await conclude(ledger, held, operation_id, Done())
    await ledger.resolve(held, SALES_KEY, replace(SALES, comment="as found"))
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.settle(held, ANALYST_KEY, ANALYST, "as found")
    gone = await begin(ledger, held, Operation(DeleteShare(SALES_KEY), None))
    await conclude(ledger, held, gone, Done())
    await ledger.finish(held, WorkStatus.HELD, "something is held")
    rows = await connection.fetch("SELECT entity_type, pull_requests, approved_by FROM deltashare.audit_trail")
    assert {row["entity_type"] for row in rows} == {
        "tenant", "tenant_region", "project", "share_pack", "request", "share", "recipient",
    }  # fmt: skip
    assert {(row["pull_requests"], row["approved_by"]) for row in rows} == {TEXTS}
    assert await history(ledger) == [TEXTS] * 4


async def test_a_version_keeps_who_approved_it_when_the_next_is_somebody_elses(
    ledger: PostgresLedger, held: Claim
) -> None:
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.finish(held, WorkStatus.DONE)
    later = await claimed(ledger, reviewed(an_order(PACK, wanted(SALES_KEY, SALES)), OTHER_REVIEW))
    await ledger.settle(later, SALES_KEY, replace(SALES, comment="Q2"), "as found")
    assert await history(ledger) == [TEXTS, OTHER_TEXTS]


async def test_what_nobody_approved_carries_nobody(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.finish(held, WorkStatus.DONE)
    correction = await claimed(ledger, an_order(PACK, wanted(SALES_KEY, SALES)))
    operation_id = await begin(ledger, correction, Operation(CreateShare(SALES_KEY), replace(SALES, comment="Q2")))
    await conclude(ledger, correction, operation_id, Done())
    await ledger.corrected(correction, SALES_KEY, {"comment": "eve"}, "digest")
    await ledger.finish(correction, WorkStatus.DONE)
    assert await history(ledger) == [TEXTS, NOBODY]
    assert await requested(connection, correction.work_id) == [("SUBMITTED", *NOBODY), ("COMPLETED", *NOBODY)]
    assert (await audited(connection, "share_pack"))[-1] == NOBODY


async def test_packs_of_one_plan_have_a_review_each(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    orders = [reviewed(work_order(PACK)), reviewed(an_order(OTHER_PACK), OTHER_REVIEW), work_order(THIRD_PACK)]
    await ledger.submit(a_plan(), orders)
    for pack, texts in ((PACK, TEXTS), (OTHER_PACK, OTHER_TEXTS), (THIRD_PACK, NOBODY)):
        ids = pack_ids(pack)
        assert set(await audited(connection, "share_pack", ids.share_pack)) == {texts}
        assert await audited(connection, "project", ids.project) == [texts]
    both = (f"{TEXTS[0]}, {OTHER_TEXTS[0]}", f"{TEXTS[1]}, {OTHER_TEXTS[1]}")
    assert await audited(connection, "tenant", pack_ids(PACK).tenant) == [both]
    assert await audited(connection, "tenant", pack_ids(THIRD_PACK).tenant) == [NOBODY]


async def test_a_removed_pack_says_who_approved_that(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    await ledger.submit(a_plan(NEXT_COMMIT), [reviewed(an_order(PACK, removed=True))])
    [row] = await connection.fetch(
        "SELECT pull_requests, approved_by FROM deltashare.audit_trail WHERE change_reason = 'removed from Git'"
    )
    assert tuple(row) == TEXTS


async def test_a_superseded_request_stays_its_own(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    older = (await submitted(ledger, a_plan(), [reviewed(work_order(PACK))]))[PACK]
    await ledger.submit(a_plan(), [reviewed(work_order(PACK), OTHER_REVIEW)])
    assert await requested(connection, older) == [("SUBMITTED", *TEXTS), ("SUPERSEDED", *TEXTS)]
    assert await audited(connection, "request", older) == [TEXTS, TEXTS]


async def test_work_that_a_dead_worker_left_is_superseded_as_its_own(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    newer = (await submitted(ledger, a_plan(), [reviewed(work_order(PACK), OTHER_REVIEW)]))[PACK]
    await expire(connection)
    await claim(ledger, newer, worker="worker-2")
    assert await audited(connection, "request", held.work_id) == [TEXTS, TEXTS]


async def test_work_that_is_not_attempted_carries_its_own_review(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    needing = reviewed(work_order(OTHER_PACK, frozenset({PACK})), OTHER_REVIEW)
    unreviewed = work_order(THIRD_PACK, frozenset({PACK}))
    work = await submitted(ledger, a_plan(), [reviewed(work_order(PACK)), needing, unreviewed])
    await ledger.finish(await claim(ledger, work[PACK]), WorkStatus.FAILED, "why")
    for pack, texts in ((OTHER_PACK, OTHER_TEXTS), (THIRD_PACK, NOBODY)):
        assert await audited(connection, "share_pack", pack_ids(pack).share_pack) == [texts, texts]
        assert await audited(connection, "request", work[pack]) == [texts, texts]


async def test_work_of_a_version_without_reviews_is_carried_out(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    work = await submitted(ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK, frozenset({PACK}))])
    await connection.execute("UPDATE reconciler.work SET pack_order = pack_order - 'review'")
    held = await claim(ledger, work[PACK])
    assert held.order.review == Review()
    await ledger.finish(held, WorkStatus.FAILED, "why")
    assert await audited(connection, "share_pack", pack_ids(OTHER_PACK).share_pack) == [NOBODY, NOBODY]


async def applied(ledger: PostgresLedger, pack: PackId = PACK) -> str:
    return (await ledger.recorded([], [pack])).packs[pack].applied_commit


async def test_the_commit_last_applied_to_the_end_is_on_record(ledger: PostgresLedger) -> None:
    first = await claimed(ledger)
    assert await applied(ledger) == ""
    await ledger.finish(first, WorkStatus.DONE)
    assert await applied(ledger) == COMMIT
    second = await claimed(ledger, plan=a_plan(NEXT_COMMIT))
    assert await applied(ledger) == COMMIT
    await ledger.finish(second, WorkStatus.HELD, "something is held")
    assert await applied(ledger) == COMMIT
    third = await claimed(ledger, plan=a_plan(NEXT_COMMIT))
    await ledger.finish(third, WorkStatus.DONE)
    assert await applied(ledger) == NEXT_COMMIT
    [state] = await ledger.pack_states(PACK)
    assert state.applied_commit == NEXT_COMMIT


async def test_a_pack_applied_from_files_that_were_not_committed_has_no_applied_commit(ledger: PostgresLedger) -> None:
    await ledger.finish(await claimed(ledger), WorkStatus.DONE)
    await ledger.finish(await claimed(ledger, plan=a_plan("")), WorkStatus.DONE)
    assert await applied(ledger) == ""
