"""Why work is not to be had: who has it, when it is due, that a newer version of the program is needed."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.ports.ledger import Holder, NothingToClaim, TooNewError, WorkStatus
from tests.adapters.postgres.samples import (
    OTHER_PACK,
    PACK,
    WORKSPACE,
    a_plan,
    claim,
    claimed,
    everything,
    expire,
    submitted,
    work_order,
)

ELSEWHERE = "https://adb-2.azuredatabricks.net"


async def refused(ledger: PostgresLedger, work_id: UUID) -> NothingToClaim:
    refusal = await ledger.claim("worker-2", work_id, 60)
    assert isinstance(refusal, NothingToClaim), refusal
    return refusal


async def database_clock(connection: asyncpg.Connection) -> datetime:
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now


async def test_who_has_it_since_when_and_until_when_is_told(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    before = await database_clock(connection)
    held = await claimed(ledger, lease=60)
    after = await database_clock(connection)
    holder = (await refused(ledger, held.work_id)).held_by
    assert holder is not None
    assert holder.worker == "worker-1"
    assert before < holder.since < after
    assert holder.until - holder.since == pytest.approx(timedelta(seconds=60), abs=timedelta(milliseconds=1))
    await ledger.renew(held, 90)
    renewed = (await refused(ledger, held.work_id)).held_by
    assert renewed == Holder("worker-1", holder.since, renewed.until if renewed else after)
    assert renewed.until > holder.until + timedelta(seconds=29)


async def test_whoever_has_the_pack_for_older_work_is_told_too(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    newer = await submitted(ledger, a_plan(), [work_order()])
    holder = (await refused(ledger, newer[PACK])).held_by
    assert holder is not None
    assert holder.worker == "worker-1"
    await ledger.finish(held, WorkStatus.DONE)
    assert (await claim(ledger, newer[PACK], worker="worker-2")).fence == held.fence + 1


async def test_the_next_holder_has_it_since_it_took_it(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    held = await claimed(ledger)
    await expire(connection)
    between = await database_clock(connection)
    await claim(ledger, held.work_id, worker="worker-3")
    holder = (await refused(ledger, held.work_id)).held_by
    assert holder is not None
    assert (holder.worker, holder.since > between) == ("worker-3", True)


async def test_work_that_is_not_due_yet_tells_when(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.postpone(held, 100, "throttled")
    assert (await refused(ledger, held.work_id)).due_in == pytest.approx(100, abs=20)


async def test_work_of_a_paused_workspace_waits_until_the_pause_ends(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    work = await submitted(ledger, a_plan(), [work_order(), work_order(OTHER_PACK, workspace=ELSEWHERE)])
    await ledger.pause(WORKSPACE, 100, "429")
    assert (await refused(ledger, work[PACK])).due_in == pytest.approx(100, abs=20)
    await claim(ledger, work[OTHER_PACK])
    await connection.execute("UPDATE reconciler.pauses SET until = until - interval '100 s'")
    await claim(ledger, work[PACK])


async def test_of_pause_and_time_the_later_counts(ledger: PostgresLedger) -> None:
    held = await claimed(ledger)
    await ledger.postpone(held, 100, "later")
    await ledger.pause(WORKSPACE, 50, "429")
    assert (await refused(ledger, held.work_id)).due_in == pytest.approx(100, abs=20)
    await ledger.pause(WORKSPACE, 200, "429")
    assert (await refused(ledger, held.work_id)).due_in == pytest.approx(200, abs=20)


async def test_work_that_needs_other_work_is_not_a_matter_of_time(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK, frozenset({PACK}))])
    await ledger.pause(WORKSPACE, 100, "429")
    assert await refused(ledger, work[OTHER_PACK]) == NothingToClaim()


async def test_workers_that_vanish_are_counted(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    held = await claimed(ledger)
    assert held.vanished == 0
    await ledger.postpone(held, 0, "later")
    for expected in (0, 1, 2):
        held = await claim(ledger, held.work_id)
        assert (held.vanished, held.setbacks, held.attempts) == (expected, 1, expected + 2)
        await expire(connection)


@pytest.fixture
async def newer_schema(ledger: PostgresLedger, connection: asyncpg.Connection) -> AsyncIterator[UUID]:
    """Work, and then a database that a newer version of the program has migrated."""
    work = await submitted(ledger, a_plan(), [work_order()])
    known = await connection.fetchval("SELECT version_num FROM reconciler.alembic_version")
    await connection.execute("UPDATE reconciler.alembic_version SET version_num = '9999'")
    yield work[PACK]
    # The database is one for many tests.
    await connection.execute("UPDATE reconciler.alembic_version SET version_num = $1", known)


async def test_a_newer_schema_is_not_written_to(
    ledger: PostgresLedger, connection: asyncpg.Connection, newer_schema: UUID
) -> None:
    before = await everything(connection)
    for write in (
        ledger.claim("worker-1", newer_schema, 60),
        ledger.submit(a_plan(), [work_order(OTHER_PACK)]),
    ):
        with pytest.raises(TooNewError, match=r"revision 9999, this program knows only .*; upgrade sharepack"):
            await write
    assert await everything(connection) == before


async def test_a_newer_order_is_left_to_a_newer_worker(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    work = await submitted(ledger, a_plan(), [work_order(), work_order(OTHER_PACK)])
    newer = "UPDATE reconciler.work SET pack_order = jsonb_set(pack_order, '{v}', $2::jsonb) WHERE work_id = $1"
    for version in ("2", '{"major": 2}'):
        await connection.execute(newer, work[PACK], version)
        before = await everything(connection)
        with pytest.raises(TooNewError, match=r"Sales Q1 was submitted by a newer version .*; upgrade sharepack"):
            await ledger.claim("worker-1", work[PACK], 60)
        assert await everything(connection) == before
    await claim(ledger, work[OTHER_PACK])


async def test_an_order_of_the_time_before_versions_is_taken(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    work = await submitted(ledger, a_plan(), [work_order()])
    await connection.execute("UPDATE reconciler.work SET pack_order = pack_order - 'v' - 'basis'")
    assert (await claim(ledger, work[PACK])).order == work_order()
