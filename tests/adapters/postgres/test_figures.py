"""The figures count what is there, and the facts are the database's own."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.migrate import newest_revision
from reconciler.core.calls import CreateShare, Operation
from reconciler.core.holds import CONTESTED_AFTER, Suspension
from reconciler.core.recorded import PackStatus
from reconciler.core.share import Share
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import Daemon, Figures, OutcomeUnknown, WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST_KEY,
    COMMIT,
    OTHER_PACK,
    PACK,
    SALES_KEY,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    begin,
    claimed,
    conclude,
    work_order,
)

NO_PACKS = dict.fromkeys(PackStatus, 0)
NOTHING = Figures(NO_PACKS, 0, None, 0, 0, 0, None, 0, 0, 0, None)
DRIFTED = Sighting(drift=("comment",))
LATER = datetime(2100, 1, 1, tzinfo=UTC)
CREATE = Operation(CreateShare(SALES_KEY), Share("sales"))


async def test_of_nothing_there_is_nothing(ledger: PostgresLedger) -> None:
    assert await ledger.figures() == NOTHING


async def test_packs_on_record_are_counted_by_status(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [work_order(PACK), work_order(OTHER_PACK)])
    await ledger.reject(THIRD_PACK, "x.yaml", "not a pack", COMMIT, "john.doe@jll.com")
    found = (await ledger.figures()).packs
    assert found == {**NO_PACKS, PackStatus.IN_PROGRESS: 2, PackStatus.VALIDATION_FAILED: 1}
    held = await claimed(ledger, an_order(PACK, *work_order(PACK).wanted, removed=True))
    await ledger.finish(held, WorkStatus.DONE)
    found = (await ledger.figures()).packs
    assert found == {**NO_PACKS, PackStatus.IN_PROGRESS: 1, PackStatus.VALIDATION_FAILED: 1}


async def test_unfinished_work_is_counted_with_the_age_of_the_oldest(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger, work_order(PACK), work_order(OTHER_PACK))
    await connection.execute(
        "UPDATE reconciler.work SET created_at = created_at - interval '90 s' WHERE work_id = $1", held.work_id
    )
    found = await ledger.figures()
    assert found.unfinished == 2
    assert found.oldest_unfinished is not None
    assert 90 < found.oldest_unfinished < 150
    await ledger.finish(held, WorkStatus.DONE)
    found = await ledger.figures()
    assert found.unfinished == 1
    assert found.oldest_unfinished is not None
    assert found.oldest_unfinished < 60


async def test_work_needs_attention_until_there_is_newer_work(ledger: PostgresLedger) -> None:
    held = await claimed(ledger, work_order(PACK), work_order(OTHER_PACK))
    await ledger.finish(held, WorkStatus.NEEDS_ATTENTION, "nobody understands it")
    assert (await ledger.figures()).needing_attention == 1
    await ledger.submit(a_plan(), [work_order(PACK)])
    assert (await ledger.figures()).needing_attention == 0


async def test_a_call_is_unknown_when_its_worker_says_so_or_is_gone(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    operation = await begin(ledger, held, CREATE)
    assert (await ledger.figures()).unknown_outcomes == 0
    await connection.execute("UPDATE reconciler.leases SET expires_at = clock_timestamp() - interval '1 ms'")
    assert (await ledger.figures()).unknown_outcomes == 1
    await connection.execute("UPDATE reconciler.leases SET expires_at = clock_timestamp() + interval '60 s'")
    await conclude(ledger, held, operation, OutcomeUnknown("no answer"))
    assert (await ledger.figures()).unknown_outcomes == 1
    await ledger.resolve(held, SALES_KEY, Share("sales"))
    assert (await ledger.figures()).unknown_outcomes == 0


async def test_drift_of_packs_on_record_is_counted(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    await ledger.submit(a_plan(), [work_order(PACK)])
    await ledger.observed(PACK, {SALES_KEY: DRIFTED, ANALYST_KEY: Sighting(token_ends_at=1)})
    await ledger.observed(OTHER_PACK, {replace(SALES_KEY, name="unrecorded"): DRIFTED})
    await connection.execute("UPDATE reconciler.observations SET drift_since = drift_since - interval '1 hour'")
    found = await ledger.figures()
    assert found.drifted == 1
    assert found.oldest_drift is not None
    assert 3600 < found.oldest_drift < 3660
    await ledger.observed(PACK, {})
    found = await ledger.figures()
    assert (found.drifted, found.oldest_drift) == (0, None)


async def test_holds_in_force_are_counted_contests_by_field(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    held = await claimed(ledger)
    await ledger.suspend(PACK, Suspension("ann@jll.com", "partner asked", LATER, LATER))
    for _ in range(CONTESTED_AFTER):
        await ledger.corrected(held, SALES_KEY, {"comment": "eve", "owner": "eve"}, "d1")
    found = await ledger.figures()
    assert (found.suspended, found.contested) == (1, 2)
    await connection.execute("UPDATE reconciler.holds SET since = '2001-01-01', until = '2001-01-02'")
    found = await ledger.figures()
    assert (found.suspended, found.contested) == (0, 0)


async def test_workspaces_that_have_asked_to_wait_are_counted(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.pause(WORKSPACE, 60, "429")
    assert (await ledger.figures()).paused == 1
    await connection.execute("UPDATE reconciler.pauses SET until = '2001-01-01'")
    assert (await ledger.figures()).paused == 0


@pytest.mark.parametrize(("minutes", "least"), [(30, 1800.0), (-30, 0.0)], ids=["past", "a clock ahead"])
async def test_the_last_full_pass_is_that_of_any_daemon(
    ledger: PostgresLedger, connection: asyncpg.Connection, minutes: int, least: float
) -> None:
    now = await connection.fetchval("SELECT clock_timestamp()")
    await ledger.heard_of(Daemon("never", leads=True, seen_at=now))
    assert (await ledger.figures()).last_full_pass is None
    await ledger.heard_of(Daemon("long ago", leads=False, seen_at=now, full_pass_at=now - timedelta(days=2)))
    latest = now - timedelta(minutes=minutes)
    await ledger.heard_of(Daemon("lately", leads=False, seen_at=now, full_pass_at=latest))
    found = (await ledger.figures()).last_full_pass
    assert found is not None
    assert least <= found < least + 60


async def test_the_facts_are_the_databases_own(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    before = await connection.fetchval("SELECT clock_timestamp()")
    found = await ledger.facts()
    assert before < found.now < await connection.fetchval("SELECT clock_timestamp()")
    assert re.fullmatch(rf"{connection.get_server_version().major}[.\w]+", found.version)
    assert found.revision == found.known_revision == newest_revision()
