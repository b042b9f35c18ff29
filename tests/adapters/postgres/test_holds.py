"""Suspensions: placed, replaced, run out and ended, by the database's clock, each told in the audit trail."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.holds import Holds, Suspension
from reconciler.core.key import PackId
from reconciler.ports.ledger import LedgerError, WorkStatus
from tests.adapters.postgres.samples import OTHER_PACK, PACK, THIRD_PACK, a_plan, an_order, claimed, work_order

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, 8, 30, tzinfo=UTC)


def a_suspension(by: str = "ann@jll.com", reason: str = "partner asked", until: datetime = LATER) -> Suspension:
    return Suspension(by, reason, LONG_AGO, until, revocations_too=False)


@pytest.fixture
async def known(ledger: PostgresLedger) -> PostgresLedger:
    """Both packs are on record."""
    await ledger.submit(a_plan(), [work_order(PACK), work_order(OTHER_PACK)])
    return ledger


async def pass_time(connection: asyncpg.Connection, time: timedelta) -> None:
    """As if all holds had been placed so much earlier."""
    await connection.execute(
        "UPDATE reconciler.holds SET since = since - $1::interval, until = until - $1::interval", time
    )


async def ends(connection: asyncpg.Connection) -> list[str | None]:
    """By whom each hold was ended, in the order they were placed."""
    rows = await connection.fetch("SELECT ended_by FROM reconciler.holds ORDER BY since")
    return [row["ended_by"] for row in rows]


async def test_a_suspended_pack_is_told_with_who_why_and_until(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    assert await known.holds() == Holds()
    before = await connection.fetchval("SELECT clock_timestamp()")
    await known.suspend(PACK, Suspension("ann@jll.com", "partner asked", LONG_AGO, LATER, revocations_too=True))
    after = await connection.fetchval("SELECT clock_timestamp()")
    found = await known.holds()
    assert set(found.suspensions) == {PACK}
    told = found.suspensions[PACK]
    assert (told.by, told.reason, told.until, told.revocations_too) == ("ann@jll.com", "partner asked", LATER, True)
    assert before < told.since < after
    assert found.contests == {}


async def test_any_letter_case_names_the_pack(known: PostgresLedger) -> None:
    loud = PackId.of("SALES operations", "sales q1")
    await known.suspend(loud, a_suspension())
    [told] = (await known.holds()).suspensions
    assert (told, str(told)) == (PACK, str(PACK))
    assert set((await known.resume(loud, "bob@jll.com")).suspensions) == {PACK}


async def test_only_a_pack_on_record_can_be_suspended(known: PostgresLedger) -> None:
    with pytest.raises(LedgerError, match=f"no pack on record is {THIRD_PACK}; `sharepack status`"):
        await known.suspend(THIRD_PACK, a_suspension())
    held = await claimed(known, an_order(PACK, *work_order(PACK).wanted, removed=True))
    await known.finish(held, WorkStatus.DONE)
    with pytest.raises(LedgerError, match="no pack on record"):
        await known.suspend(PACK, a_suspension())
    assert await known.holds() == Holds()


async def test_an_end_that_has_passed_is_refused_and_changes_nothing(known: PostgresLedger) -> None:
    await known.suspend(PACK, a_suspension(reason="first"))
    with pytest.raises(LedgerError, match="until 2000-01-01 00:00 UTC: that has passed; give a later time"):
        await known.suspend(PACK, a_suspension(until=LONG_AGO))
    assert (await known.holds()).suspensions[PACK].reason == "first"


async def test_a_new_suspension_takes_the_place_of_the_old_one(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await known.suspend(PACK, a_suspension(reason="first"))
    await known.suspend(OTHER_PACK, a_suspension(reason="another"))
    await known.suspend(PACK, a_suspension("bob@jll.com", "second"))
    reasons = {pack: told.reason for pack, told in (await known.holds()).suspensions.items()}
    assert reasons == {PACK: "second", OTHER_PACK: "another"}
    assert await ends(connection) == ["bob@jll.com", None, None]


async def test_a_suspension_that_has_run_out_holds_nothing(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    now = await connection.fetchval("SELECT clock_timestamp()")
    await known.suspend(PACK, a_suspension(reason="first", until=now + timedelta(hours=1)))
    await pass_time(connection, timedelta(hours=2))
    assert await known.holds() == Holds()
    assert await known.resume(PACK, "bob@jll.com") == Holds()
    assert await ends(connection) == ["its end"]
    assert await connection.fetchval("SELECT ended_at = until FROM reconciler.holds")


async def test_a_suspension_that_has_run_out_makes_room_for_the_next(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    now = await connection.fetchval("SELECT clock_timestamp()")
    await known.suspend(PACK, a_suspension(reason="first", until=now + timedelta(hours=1)))
    await pass_time(connection, timedelta(hours=2))
    await known.suspend(PACK, a_suspension(reason="second"))
    assert (await known.holds()).suspensions[PACK].reason == "second"
    assert await ends(connection) == ["its end", None]


async def test_resuming_ends_the_suspension_and_tells_what_it_was(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await known.suspend(PACK, a_suspension())
    await known.suspend(OTHER_PACK, a_suspension())
    before = (await known.holds()).suspensions
    assert await known.resume(PACK, "bob@jll.com") == Holds({PACK: before[PACK]})
    assert await known.holds() == Holds({OTHER_PACK: before[OTHER_PACK]})
    assert await ends(connection) == ["bob@jll.com", None]


async def test_there_may_be_nothing_to_resume(known: PostgresLedger) -> None:
    assert await known.resume(PACK, "bob@jll.com") == Holds()
    assert await known.resume(THIRD_PACK, "bob@jll.com") == Holds()


async def test_the_audit_trail_tells_who_suspended_and_who_resumed(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await known.suspend(PACK, a_suspension(reason="r" * 600))
    await known.resume(PACK, "bob@jll.com")
    placed, ended = await connection.fetch(
        "SELECT * FROM deltashare.audit_trail WHERE entity_type = 'hold' ORDER BY entity_version"
    )
    hold_id, share_pack_id = await connection.fetchrow("SELECT hold_id, share_pack_id FROM reconciler.holds")
    assert (placed["entity_id"], placed["operation"], placed["actor"]) == (hold_id, "CREATE", "ann@jll.com")
    assert (ended["entity_id"], ended["operation"], ended["actor"]) == (hold_id, "DELETE", "bob@jll.com")
    assert placed["change_reason"] == "r" * 499 + "…"
    assert placed["old_values"] is None
    assert ended["new_values"] is None
    told = json.loads(placed["new_values"])
    assert told == json.loads(ended["old_values"])
    assert told["share_pack_id"] == str(share_pack_id)
    assert set(told) == {"share_pack_id", "hold", "placed_by", "reason", "since", "until", "revocations_too"}


async def test_many_who_suspend_and_resume_at_once_leave_at_most_one_suspension(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await asyncio.gather(
        *(known.suspend(PACK, a_suspension(f"p{number}")) for number in range(8)),
        *(known.resume(PACK, f"r{number}") for number in range(4)),
    )
    await known.suspend(PACK, a_suspension("last"))
    assert (await known.holds()).suspensions[PACK].by == "last"
    assert (await ends(connection)).count(None) == 1
