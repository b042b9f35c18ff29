"""Daemons that were heard of: one row each, forgotten after a day of silence."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.ports.ledger import Daemon

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PASS = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
ONE = Daemon("host-1:17", leads=True, seen_at=LONG_AGO, full_pass_at=PASS, commit="c0ffee", source_failure="no route")
TWO = Daemon("host-2:23", leads=False, seen_at=LONG_AGO)


async def silence(connection: asyncpg.Connection, name: str, time: timedelta) -> None:
    await connection.execute(
        "UPDATE reconciler.daemons SET seen_at = seen_at - $2::interval WHERE name = $1", name, time
    )


async def names(ledger: PostgresLedger) -> list[str]:
    return [daemon.name for daemon in await ledger.daemons()]


async def test_a_daemon_is_told_as_it_was_heard_of_last(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    assert await ledger.daemons() == []
    for leads in (False, True):
        before = await connection.fetchval("SELECT clock_timestamp()")
        await ledger.heard_of(replace(ONE, leads=leads))
        [told] = await ledger.daemons()
        assert before < told.seen_at < await connection.fetchval("SELECT clock_timestamp()")
        assert replace(told, seen_at=LONG_AGO) == replace(ONE, leads=leads)


async def test_the_one_heard_of_last_comes_first(ledger: PostgresLedger) -> None:
    await ledger.heard_of(ONE)
    await ledger.heard_of(TWO)
    assert await names(ledger) == [TWO.name, ONE.name]
    await ledger.heard_of(ONE)
    assert await names(ledger) == [ONE.name, TWO.name]


async def test_the_last_full_pass_only_moves_forward(ledger: PostgresLedger) -> None:
    later = PASS + timedelta(hours=1)
    for full_pass_at, expected in ((None, None), (PASS, PASS), (later, later), (PASS, later), (None, later)):
        await ledger.heard_of(replace(ONE, full_pass_at=full_pass_at))
        [told] = await ledger.daemons()
        assert told.full_pass_at == expected


async def test_what_is_no_longer_so_is_forgotten(ledger: PostgresLedger) -> None:
    await ledger.heard_of(ONE)
    await ledger.heard_of(replace(ONE, commit="decade", source_failure=""))
    [told] = await ledger.daemons()
    assert (told.commit, told.source_failure) == ("decade", "")


async def test_who_was_silent_for_a_day_is_not_told_and_goes_when_another_is_heard_of(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.heard_of(ONE)
    await silence(connection, ONE.name, timedelta(hours=23, minutes=59))
    assert await names(ledger) == [ONE.name]
    await silence(connection, ONE.name, timedelta(minutes=1))
    assert await names(ledger) == []
    await ledger.heard_of(TWO)
    assert await connection.fetch("SELECT name FROM reconciler.daemons") == [(TWO.name,)]


async def test_who_comes_back_after_days_keeps_its_last_full_pass(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.heard_of(ONE)
    await silence(connection, ONE.name, timedelta(days=3))
    await ledger.heard_of(replace(ONE, full_pass_at=None))
    [told] = await ledger.daemons()
    assert told.full_pass_at == PASS


async def test_many_are_heard_of_at_once(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    silent = [f"old-{number}" for number in range(20)]
    for name in silent:
        await ledger.heard_of(replace(TWO, name=name))
        await silence(connection, name, timedelta(days=2))
    living = [f"host-{number}" for number in range(8)]
    await asyncio.gather(*(ledger.heard_of(replace(TWO, name=name)) for name in living * 3))
    assert sorted(await names(ledger)) == living
    assert await connection.fetchval("SELECT count(*) FROM reconciler.daemons") == len(living)
