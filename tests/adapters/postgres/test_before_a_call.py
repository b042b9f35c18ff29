"""What is looked at right before a call, with its intent: a newer plan, a workspace that has asked to wait."""

import asyncio

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import CreateShare, Operation, Rename
from reconciler.core.key import share_key
from reconciler.core.recorded import PackStatus
from reconciler.core.share import Share
from reconciler.ports.ledger import Done, PausedError, SupersededError, WorkStatus
from tests.adapters.postgres.samples import (
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    begin,
    claim,
    claimed,
    conclude,
    everything,
    submitted,
    work_order,
)

CREATE = Operation(CreateShare(SALES_KEY), Share("sales"))
RENAME = Operation(Rename(share_key("revenue", WORKSPACE), "sales"), Share("revenue"))


@pytest.mark.parametrize("operation", [CREATE, RENAME], ids=["create", "rename"])
async def test_work_of_an_older_plan_makes_no_further_call(
    ledger: PostgresLedger, connection: asyncpg.Connection, operation: Operation
) -> None:
    held = await claimed(ledger)
    begun = await begin(ledger, held, CREATE)
    await ledger.submit(a_plan(NEXT_COMMIT), [work_order()])
    before = await everything(connection)
    with pytest.raises(SupersededError, match="a newer plan wants something else of Sales Operations / Sales Q1"):
        await begin(ledger, held, operation)
    assert await everything(connection) == before
    # What was begun is still told.
    await conclude(ledger, held, begun, Done("req-1"))
    assert (await ledger.recorded([SALES_KEY], [])).resources[SALES_KEY].resource == Share("sales")


async def test_an_order_that_only_brings_rows_up_to_date_supersedes_too(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order()])
    with pytest.raises(SupersededError):
        await begin(ledger, held, CREATE)


async def test_newer_work_of_another_pack_does_not_matter(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.submit(a_plan(NEXT_COMMIT), [work_order(OTHER_PACK)])
    await begin(ledger, held, CREATE)


async def test_no_call_is_begun_while_the_workspace_has_asked_to_wait(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    begun = await begin(ledger, held, CREATE)
    await ledger.pause("https://adb-2.azuredatabricks.net", 60, "429")
    await begin(ledger, held, CREATE)
    await ledger.pause(WORKSPACE, 60, "429")
    before = await everything(connection)
    with pytest.raises(PausedError, match="has asked to wait") as caught:
        await begin(ledger, held, RENAME)
    assert caught.value.seconds == pytest.approx(60, abs=20)
    assert await everything(connection) == before
    await conclude(ledger, held, begun, Done())


async def test_a_pause_ends_by_itself(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.pause(WORKSPACE, 0.05, "429")
    await asyncio.sleep(0.1)
    await begin(ledger, held, CREATE)
    assert await ledger.pauses() == {}


async def test_of_two_pauses_the_later_end_counts(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    for seconds, reason in ((60, "first"), (120, "second"), (30, "third")):
        await ledger.pause(WORKSPACE, seconds, reason)
    assert await ledger.pauses() == {WORKSPACE: pytest.approx(120, abs=20)}
    assert await connection.fetchval("SELECT reason FROM reconciler.pauses") == "second"


async def test_many_workers_that_are_throttled_at_once_pause_once(ledger: PostgresLedger) -> None:
    await asyncio.gather(*(ledger.pause(WORKSPACE, seconds, "429") for seconds in range(100, 1000, 100)))
    assert await ledger.pauses() == {WORKSPACE: pytest.approx(900, abs=20)}


async def test_superseded_work_gives_way_to_the_newer(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    first = await submitted(ledger, a_plan(), [work_order(PACK), work_order(THIRD_PACK, frozenset({PACK}))])
    held = await claim(ledger, first[PACK])
    newer = await submitted(ledger, a_plan(NEXT_COMMIT), [work_order(PACK)])
    assert await ledger.finish(held, WorkStatus.SKIPPED, "superseded") == [newer[PACK]]
    [older, blocked] = await ledger.work([first[PACK], first[THIRD_PACK]])
    assert (older.status, older.reason) == (WorkStatus.SKIPPED, "superseded by a newer plan")
    assert blocked.status is WorkStatus.WAITING
    [state] = await ledger.pack_states(PACK)
    assert (state.status, state.commit) == (PackStatus.IN_PROGRESS, NEXT_COMMIT)
    request = "SELECT request_status FROM deltashare.requests WHERE is_current AND request_id = $1"
    assert await connection.fetchval(request, first[PACK]) == "SUPERSEDED"
    # What waited for it waits for the newer one.
    assert await ledger.finish(await claim(ledger, newer[PACK]), WorkStatus.DONE) == [first[THIRD_PACK]]


async def test_an_object_deleted_by_hand_and_put_back_has_no_gap_in_its_history(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    await conclude(ledger, held, await begin(ledger, held, Operation(CreateShare(SALES_KEY), SALES)), Done())
    await ledger.settle(held, SALES_KEY, None, "found deleted by hand")
    await conclude(ledger, held, await begin(ledger, held, Operation(CreateShare(SALES_KEY), SALES)), Done())
    there, gone, back = await ledger.history(SALES_KEY)
    assert (there.resource, gone.resource, back.resource) == (SALES, None, SALES)
    assert gone.change_reason == "found deleted by hand"
    assert there.effective_to == gone.effective_from < back.effective_from == gone.effective_to
    assert back.effective_to is None
    audited = await connection.fetch(
        "SELECT operation FROM deltashare.audit_trail WHERE entity_type = 'share' ORDER BY entity_version"
    )
    assert [row["operation"] for row in audited] == ["CREATE", "DELETE", "RESTORE"]
