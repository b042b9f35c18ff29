"""What plans saw: the last look of each pack, nothing older, and nothing written where nothing is new."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import pytest

from reconciler.adapters.postgres import observations
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import Key, PackId, share_key
from reconciler.core.plan import Degraded
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST_KEY,
    OTHER_PACK,
    PACK,
    SALES_KEY,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    claimed,
    work_order,
)

OTHER_KEY = share_key("other", WORKSPACE)
ORDERS = Degraded("prod.sales.orders", "ann@jll.com", "SELECT on TABLE prod.sales.orders")
ITEMS = Degraded("prod.sales.items", "ann@jll.com")
UNREAD = Sighting(degraded=(ORDERS, ITEMS))
ITEMS_UNREAD = Sighting(degraded=(ITEMS,))
DRIFTED = Sighting(drift=("comment", "objects[prod.sales.orders]"), drifted_by="bob@jll.com")
ENDS = Sighting(token_ends_at=1_790_000_000_000)


@pytest.fixture
async def known(ledger: PostgresLedger) -> PostgresLedger:
    """Both packs are on record."""
    await ledger.submit(a_plan(), [work_order(PACK), work_order(OTHER_PACK)])
    return ledger


async def rows_as_written(connection: asyncpg.Connection) -> list[tuple[object, ...]]:
    """Changes with every write to a row, be it only a lock."""
    rows = await connection.fetch(
        "SELECT name, ctid::text, xmin::text, xmax::text FROM reconciler.observations ORDER BY name"
    )
    return [tuple(row) for row in rows]


async def age(connection: asyncpg.Connection, hours: float) -> None:
    """As if all drift had been seen first so long ago."""
    await connection.execute(
        "UPDATE reconciler.observations SET drift_since = drift_since - $1::interval", timedelta(hours=hours)
    )


async def drift_since(ledger: PostgresLedger, key: Key = SALES_KEY) -> datetime | None:
    [seen] = [sightings[key] for sightings in (await ledger.sightings()).values() if key in sightings]
    return seen.drift_since


async def test_what_was_seen_is_told(known: PostgresLedger) -> None:
    assert await known.sightings() == {}
    await known.observed(PACK, {SALES_KEY: UNREAD, OTHER_KEY: ITEMS_UNREAD, ANALYST_KEY: ENDS})
    await known.observed(OTHER_PACK, {share_key("third", WORKSPACE): UNREAD})
    assert await known.sightings() == {
        PACK: {SALES_KEY: UNREAD, OTHER_KEY: ITEMS_UNREAD, ANALYST_KEY: ENDS},
        OTHER_PACK: {share_key("third", WORKSPACE): UNREAD},
    }


async def test_drift_is_told_with_its_beginning(known: PostgresLedger, connection: asyncpg.Connection) -> None:
    before = await connection.fetchval("SELECT clock_timestamp()")
    await known.observed(PACK, {SALES_KEY: DRIFTED, ANALYST_KEY: ENDS})
    [seen] = (await known.sightings()).values()
    assert seen[SALES_KEY].drift_since is not None
    assert before < seen[SALES_KEY].drift_since < await connection.fetchval("SELECT clock_timestamp()")
    assert replace(seen[SALES_KEY], drift_since=None) == DRIFTED
    assert seen[ANALYST_KEY].drift_since is None


async def test_drift_keeps_its_beginning_while_there_is_any(
    known: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await known.observed(PACK, {SALES_KEY: DRIFTED})
    await age(connection, hours=5)
    began = await drift_since(known)
    await known.observed(PACK, {SALES_KEY: replace(DRIFTED, drift=("owner",), drifted_by="eve@jll.com")})
    assert (await known.sightings())[PACK][SALES_KEY] == Sighting((), ("owner",), "eve@jll.com", None, began)


async def test_drift_that_comes_back_begins_anew(known: PostgresLedger, connection: asyncpg.Connection) -> None:
    for well in (ITEMS_UNREAD, Sighting()):
        await known.observed(PACK, {SALES_KEY: DRIFTED})
        await age(connection, hours=5)
        began = await drift_since(known)
        await known.observed(PACK, {SALES_KEY: well})
        await known.observed(PACK, {SALES_KEY: DRIFTED})
        again = await drift_since(known)
        assert began is not None
        assert again is not None
        assert again - began >= timedelta(hours=5)


async def test_drift_that_ended_leaves_the_rest(known: PostgresLedger) -> None:
    await known.observed(PACK, {SALES_KEY: replace(DRIFTED, degraded=(ITEMS,))})
    await known.observed(PACK, {SALES_KEY: ITEMS_UNREAD})
    assert await known.sightings() == {PACK: {SALES_KEY: ITEMS_UNREAD}}


async def test_a_look_that_sees_the_same_writes_nothing(known: PostgresLedger, connection: asyncpg.Connection) -> None:
    seen = {SALES_KEY: replace(DRIFTED, degraded=(ORDERS,)), OTHER_KEY: UNREAD, ANALYST_KEY: ENDS}
    await known.observed(PACK, seen)
    before = await rows_as_written(connection)
    assert len(before) == 3
    for _ in range(3):
        await known.observed(PACK, seen)
    assert await rows_as_written(connection) == before


async def test_only_the_row_that_changed_is_written(known: PostgresLedger, connection: asyncpg.Connection) -> None:
    await known.observed(PACK, {SALES_KEY: UNREAD, OTHER_KEY: UNREAD})
    before = await rows_as_written(connection)
    await known.observed(PACK, {SALES_KEY: UNREAD, OTHER_KEY: ITEMS_UNREAD})
    changed = {row[0] for row in set(await rows_as_written(connection)) - set(before)}
    assert changed == {OTHER_KEY.name}


async def test_the_next_look_replaces_the_last(known: PostgresLedger, connection: asyncpg.Connection) -> None:
    await known.observed(PACK, {SALES_KEY: UNREAD, OTHER_KEY: ITEMS_UNREAD})
    before = await connection.fetchval("SELECT max(observed_at) FROM reconciler.observations")
    await known.observed(PACK, {SALES_KEY: ITEMS_UNREAD})
    assert await known.sightings() == {PACK: {SALES_KEY: ITEMS_UNREAD}}
    assert await connection.fetchval("SELECT observed_at FROM reconciler.observations") > before


@pytest.mark.parametrize("nothing", [{}, {SALES_KEY: Sighting()}], ids=["left out", "not notable"])
async def test_what_is_well_again_is_gone(
    known: PostgresLedger, connection: asyncpg.Connection, nothing: Mapping[Key, Sighting]
) -> None:
    await known.observed(PACK, {SALES_KEY: UNREAD})
    await known.observed(OTHER_PACK, {OTHER_KEY: ITEMS_UNREAD})
    await known.observed(PACK, nothing)
    assert await known.sightings() == {OTHER_PACK: {OTHER_KEY: ITEMS_UNREAD}}
    assert await connection.fetchval("SELECT count(*) FROM reconciler.observations") == 1


async def test_a_share_that_moved_is_told_by_its_new_pack_alone(known: PostgresLedger) -> None:
    await known.observed(PACK, {SALES_KEY: UNREAD})
    await known.observed(OTHER_PACK, {SALES_KEY: UNREAD})
    assert await known.sightings() == {OTHER_PACK: {SALES_KEY: UNREAD}}
    await known.observed(PACK, {})
    assert await known.sightings() == {OTHER_PACK: {SALES_KEY: UNREAD}}


async def test_only_packs_on_record_are_told(known: PostgresLedger) -> None:
    await known.observed(THIRD_PACK, {OTHER_KEY: ITEMS_UNREAD})
    assert await known.sightings() == {}
    await known.submit(a_plan(), [work_order(THIRD_PACK)])
    assert await known.sightings() == {THIRD_PACK: {OTHER_KEY: ITEMS_UNREAD}}
    held = await claimed(known, an_order(THIRD_PACK, *work_order(THIRD_PACK).wanted, removed=True))
    await known.finish(held, WorkStatus.DONE)
    assert await known.sightings() == {}


async def test_plans_at_once_leave_what_the_last_one_saw(known: PostgresLedger) -> None:
    keys = [share_key(f"s{number}", WORKSPACE) for number in range(20)]
    packs = [PACK, OTHER_PACK] * 5
    await asyncio.gather(*(known.observed(pack, dict.fromkeys(keys, ITEMS_UNREAD)) for pack in packs))
    [(_, seen)] = (await known.sightings()).items()
    assert set(seen) == set(keys)


async def test_a_resource_that_another_pack_declares_by_now_is_told_once_when_both_are_looked_at(
    known: PostgresLedger,
) -> None:
    for first, second in ((PACK, OTHER_PACK), (OTHER_PACK, PACK)):
        await asyncio.gather(
            known.observed(THIRD_PACK, {}), known.observed(first, {}), known.observed(second, {SALES_KEY: UNREAD})
        )
        assert {pack: set(seen) for pack, seen in (await known.sightings()).items()} == {second: {SALES_KEY}}


async def test_plans_at_once_that_see_different_things_do_not_wait_for_each_other_in_a_circle(
    known: PostgresLedger,
) -> None:
    keys = [share_key(f"s{number}", WORKSPACE) for number in range(12)]
    chance = random.Random(4)

    async def look(pack: PackId, seen: Mapping[Key, Sighting]) -> None:
        # The ledger itself would try again after a deadlock, and hide it.
        async with known._pool.acquire() as connection, connection.transaction():
            await observations.observed(connection, [(pack, seen)])

    await asyncio.gather(
        *(
            look(
                chance.choice([PACK, OTHER_PACK]),
                {key: chance.choice([UNREAD, ITEMS_UNREAD, DRIFTED]) for key in chance.sample(keys, 6)},
            )
            for _ in range(150)
        )
    )


async def test_a_pack_of_any_letter_case_is_one(known: PostgresLedger) -> None:
    await known.observed(PackId.of("SALES operations", "sales q1"), {SALES_KEY: UNREAD})
    assert set(await known.sightings()) == {PACK}
