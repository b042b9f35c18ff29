"""Corrections: counted for a day by field, until the field is contested; then forgotten with the contest."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.holds import CONTEST_LASTS, CONTEST_WINDOW, CONTESTED_AFTER, Contest, Holds
from reconciler.core.key import Key
from reconciler.ports.ledger import Claim, FenceLostError
from tests.adapters.postgres.samples import (
    ANALYST_KEY,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    a_plan,
    claimed,
    work_order,
)

ACTOR = "eve@partner.com"
TABLE = "objects[prod.sales.orders]"
WINDOW = timedelta(seconds=CONTEST_WINDOW)


@pytest.fixture
async def held(ledger: PostgresLedger) -> Claim:
    return await claimed(ledger)


async def put_back(
    ledger: PostgresLedger, claim: Claim, times: int, *fields: str, key: Key = SALES_KEY, declared: str = "d1"
) -> None:
    for _ in range(times):
        await ledger.corrected(claim, key, dict.fromkeys(fields or ("comment",), ACTOR), declared)


async def contested(ledger: PostgresLedger, key: Key = SALES_KEY) -> list[str]:
    return [contest.field for contest in (await ledger.holds()).contests.get(key, ())]


async def counted(connection: asyncpg.Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM reconciler.corrections")
    return count


async def pass_time(connection: asyncpg.Connection, time: timedelta) -> None:
    """As if all that is on record had happened so much earlier."""
    await connection.execute("UPDATE reconciler.corrections SET corrected_at = corrected_at - $1::interval", time)
    await connection.execute(
        "UPDATE reconciler.holds SET since = since - $1::interval, until = until - $1::interval", time
    )


async def test_a_field_put_back_too_often_is_contested(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await put_back(ledger, held, CONTESTED_AFTER - 1)
    assert await ledger.holds() == Holds()
    await ledger.corrected(held, SALES_KEY, {"comment": "mallory@partner.com"}, "d1")
    found = await ledger.holds()
    [contest] = found.contests[SALES_KEY]
    assert found == Holds(contests={SALES_KEY: (contest,)})
    assert contest == Contest("comment", "mallory@partner.com", contest.since, contest.until, "d1")
    assert contest.until - contest.since == timedelta(seconds=CONTEST_LASTS)
    row = await connection.fetchrow("SELECT placed_by, reason FROM reconciler.holds")
    assert tuple(row) == (held.actor, "put back 3 times within 24 hours")


async def test_each_field_of_each_resource_counts_for_itself(ledger: PostgresLedger, held: Claim) -> None:
    await put_back(ledger, held, CONTESTED_AFTER - 1, "comment", "owner", TABLE)
    await put_back(ledger, held, CONTESTED_AFTER - 1, "comment", key=ANALYST_KEY)
    await put_back(ledger, held, 1, TABLE, "comment")
    assert await contested(ledger) == ["comment", TABLE]
    assert await contested(ledger, ANALYST_KEY) == []


async def test_what_was_put_back_a_day_ago_does_not_count(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await put_back(ledger, held, 1)
    await pass_time(connection, WINDOW + timedelta(seconds=1))
    await put_back(ledger, held, CONTESTED_AFTER - 1)
    assert await contested(ledger) == []
    await pass_time(connection, WINDOW - timedelta(minutes=1))
    await put_back(ledger, held, 1)
    assert await contested(ledger) == ["comment"]


async def test_what_no_longer_counts_is_not_kept(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await put_back(ledger, held, 1, "comment", "owner", key=ANALYST_KEY)
    await pass_time(connection, WINDOW)
    await put_back(ledger, held, 1)
    assert await counted(connection) == 1


async def test_a_contest_in_force_stays_as_it_is(ledger: PostgresLedger, held: Claim) -> None:
    await put_back(ledger, held, CONTESTED_AFTER)
    before = await ledger.holds()
    await put_back(ledger, held, 2)
    assert await ledger.holds() == before


async def test_a_pack_that_wants_something_else_starts_counting_anew(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await put_back(ledger, held, CONTESTED_AFTER)
    await put_back(ledger, held, CONTESTED_AFTER - 1, declared="d2")
    assert await ledger.holds() == Holds()
    assert await connection.fetchval("SELECT ended_by FROM reconciler.holds") == held.actor
    await put_back(ledger, held, 1, declared="d2")
    [contest] = (await ledger.holds()).contests[SALES_KEY]
    assert contest.declared == "d2"


async def test_a_contest_that_has_run_out_makes_room_for_the_next(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await put_back(ledger, held, CONTESTED_AFTER)
    await pass_time(connection, timedelta(seconds=CONTEST_LASTS))
    assert await ledger.holds() == Holds()
    await put_back(ledger, held, CONTESTED_AFTER - 1)
    assert await ledger.holds() == Holds()
    await put_back(ledger, held, 1)
    assert await contested(ledger) == ["comment"]
    assert await connection.fetch("SELECT ended_by FROM reconciler.holds ORDER BY since") == [("its end",), (None,)]


async def test_resuming_ends_the_contests_and_their_count(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await put_back(ledger, held, CONTESTED_AFTER, "comment", TABLE)
    await put_back(ledger, held, 1, "owner")
    before = await ledger.holds()
    assert await ledger.resume(OTHER_PACK, "bob@jll.com") == Holds()
    assert await ledger.resume(PACK, "bob@jll.com") == before
    assert await ledger.holds() == Holds()
    assert await counted(connection) == 1
    await put_back(ledger, held, CONTESTED_AFTER - 1)
    assert await ledger.holds() == Holds()
    trail = await connection.fetch(
        "SELECT operation, actor, change_reason FROM deltashare.audit_trail WHERE entity_type = 'hold' "
        "ORDER BY entity_version"
    )
    reason = "put back 3 times within 24 hours"
    assert trail == [("CREATE", held.actor, reason)] * 2 + [("DELETE", "bob@jll.com", reason)] * 2


async def test_the_pack_that_has_the_resource_now_can_resume_it(ledger: PostgresLedger, held: Claim) -> None:
    await put_back(ledger, held, CONTESTED_AFTER)
    mover = await claimed(ledger, work_order(OTHER_PACK))
    await ledger.settle(mover, SALES_KEY, SALES, "moved")
    assert set((await ledger.resume(OTHER_PACK, "bob@jll.com")).contests) == {SALES_KEY}
    assert await ledger.holds() == Holds()


async def test_who_has_lost_the_pack_counts_nothing(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await connection.execute("UPDATE reconciler.leases SET expires_at = clock_timestamp() - interval '1 ms'")
    for actors in ({"comment": ACTOR}, {}):
        with pytest.raises(FenceLostError):
            await ledger.corrected(held, SALES_KEY, actors, "d1")
    assert await counted(connection) == 0


async def test_two_packs_count_and_resume_at_once(ledger: PostgresLedger, held: Claim) -> None:
    other = await claimed(ledger, work_order(OTHER_PACK), plan=a_plan(), worker="worker-2")
    await asyncio.gather(
        *(put_back(ledger, held, 4, "comment", TABLE) for _ in range(3)),
        *(put_back(ledger, other, 4, "comment", "owner", key=ANALYST_KEY) for _ in range(3)),
        *(ledger.resume(pack, "bob@jll.com") for pack in (PACK, OTHER_PACK)),
    )
    await put_back(ledger, held, CONTESTED_AFTER, "comment", TABLE)
    await put_back(ledger, other, CONTESTED_AFTER, "comment", "owner", key=ANALYST_KEY)
    assert await contested(ledger) == ["comment", TABLE]
    assert await contested(ledger, ANALYST_KEY) == ["comment", "owner"]
