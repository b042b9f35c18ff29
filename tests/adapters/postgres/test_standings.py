"""How the newest work of a pack stands, who is at an item, and the calls it has made."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import ChangeGrants, CreateShare, Operation
from reconciler.core.policy import Standing
from reconciler.core.retry import Failure
from reconciler.core.share import Share
from reconciler.ports.ledger import (
    Done,
    NotDone,
    Outcome,
    OutcomeUnknown,
    PackOrder,
    Refused,
    WorkStatus,
)
from tests.adapters.postgres.samples import (
    OTHER_PACK,
    PACK,
    SALES_KEY,
    THIRD_PACK,
    a_plan,
    an_order,
    begin,
    claim,
    claimed,
    conclude,
    expire,
    submitted,
    work_order,
)

CREATE = Operation(CreateShare(SALES_KEY), Share("sales"))


def known(order: PackOrder, name: str) -> PackOrder:
    return replace(order, fingerprint=f"fingerprint {name}", basis=f"basis {name}")


async def standing(ledger: PostgresLedger) -> Standing:
    found = await ledger.standings([PACK])
    assert found.keys() == {PACK}
    return replace(found[PACK], age=0.0)


async def test_a_pack_without_work_has_no_standing(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [work_order(OTHER_PACK)])
    await ledger.reject(THIRD_PACK, "contracts.yaml", "no email", "", "daemon")
    assert await ledger.standings([PACK, THIRD_PACK]) == {}
    assert await ledger.standings([]) == {}


async def test_the_newest_work_counts(ledger: PostgresLedger) -> None:
    held = await claimed(ledger, known(work_order(), "old"))
    assert await standing(ledger) == Standing(is_finished=False, fingerprint="fingerprint old", basis="basis old")
    await ledger.finish(held, WorkStatus.FAILED, "no", Failure.REFUSED)
    refused = Standing(True, "fingerprint old", "basis old", Failure.REFUSED)
    assert await standing(ledger) == refused
    await ledger.submit(a_plan(), [known(work_order(), "new")])
    assert await standing(ledger) == Standing(False, "fingerprint new", "basis new")


@pytest.mark.parametrize(
    ("status", "failure", "needs_attention"),
    [
        (WorkStatus.DONE, Failure.NONE, False),
        (WorkStatus.STALE, Failure.NONE, False),
        (WorkStatus.FAILED, Failure.REFUSED, False),
        (WorkStatus.NEEDS_ATTENTION, Failure.UNKNOWN, True),
        (WorkStatus.FAILED, Failure.TRANSIENT, False),
    ],
)
async def test_how_it_ended_is_told(
    ledger: PostgresLedger, status: WorkStatus, failure: Failure, needs_attention: bool
) -> None:
    await ledger.finish(await claimed(ledger), status, "why", failure)
    assert await standing(ledger) == Standing(True, "", "", failure, needs_attention)


async def test_what_was_submitted_as_ended_counts(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [known(an_order(PACK, held=("protected",)), "held"), an_order(OTHER_PACK)])
    assert await standing(ledger) == Standing(True, "fingerprint held", "basis held")
    assert (await ledger.standings([OTHER_PACK]))[OTHER_PACK].is_finished


async def test_its_age_is_counted_from_its_end(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    held = await claimed(ledger)
    await asyncio.sleep(0.05)
    assert (await ledger.standings([PACK]))[PACK].age == 0
    await ledger.finish(held, WorkStatus.NEEDS_ATTENTION, "why", Failure.UNKNOWN)
    assert 0 < (await ledger.standings([PACK]))[PACK].age < 60
    await connection.execute("UPDATE reconciler.work SET finished_at = finished_at - interval '1 hour'")
    assert (await ledger.standings([PACK]))[PACK].age == pytest.approx(3600, abs=60)


async def test_who_has_the_pack_is_told_of_what_is_being_done_and_of_what_waits_for_it(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    newer = await submitted(ledger, a_plan(), [work_order()])
    being_done, waiting = await ledger.work([held.work_id, newer[PACK]])
    assert being_done.held_by is not None
    assert waiting.held_by == being_done.held_by
    assert being_done.held_by.worker == "worker-1"
    assert being_done.held_by.since < being_done.held_by.until
    await expire(connection)
    assert [item.held_by for item in await ledger.work([held.work_id])] == [None]


async def test_the_calls_of_an_item_are_told_in_the_order_they_were_begun(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    outcomes: Sequence[Outcome | None] = (
        Done("req-1"),
        Refused("no privilege", "PERMISSION_DENIED", "req-2"),
        NotDone("throttled", "req-3"),
        OutcomeUnknown("no answer", "req-4"),
        None,
    )
    for outcome in outcomes:
        begun = await begin(ledger, held, CREATE)
        if outcome is not None:
            await conclude(ledger, held, begun, outcome)
    # A clock that stands still, or a coarse one.
    await connection.execute("UPDATE reconciler.operations SET begun_at = '2026-01-01 00:00Z'")
    records = await ledger.operations([held.work_id])
    assert [(record.outcome, record.reason, record.code, record.request_id) for record in records] == [
        ("done", "", "", "req-1"),
        ("refused", "no privilege", "PERMISSION_DENIED", "req-2"),
        ("not_done", "throttled", "", "req-3"),
        ("unknown", "no answer", "", "req-4"),
        ("begun", "", "", ""),
    ]
    assert [record.concluded_at is None for record in records] == [False, False, False, False, True]
    assert {(record.work_id, record.pack, record.key, record.call) for record in records} == {
        (held.work_id, PACK, SALES_KEY, "CreateShare")
    }


async def test_only_the_calls_of_the_items_asked_about_are_told(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK)])
    first, second = [await claim(ledger, work[pack]) for pack in (PACK, OTHER_PACK)]
    await begin(ledger, first, CREATE)
    await begin(ledger, second, Operation(ChangeGrants(SALES_KEY, grant=("analyst",)), Share("sales")))
    [record] = await ledger.operations([second.work_id])
    assert (record.pack, record.call, record.details) == (
        OTHER_PACK,
        "ChangeGrants",
        {"grant": ["analyst"], "revoke": []},
    )
    assert len(await ledger.operations([first.work_id, second.work_id])) == 2
    assert await ledger.operations([]) == []
