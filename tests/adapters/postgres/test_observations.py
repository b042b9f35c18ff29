"""Objects nobody gets to read: what the last plan of each pack saw, and nothing older."""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import Key, PackId, share_key
from reconciler.core.plan import Degraded
from reconciler.ports.ledger import WorkStatus
from tests.adapters.postgres.samples import (
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


@pytest.fixture
async def known(ledger: PostgresLedger) -> PostgresLedger:
    """Both packs are on record."""
    await ledger.submit(a_plan(), [work_order(PACK), work_order(OTHER_PACK)])
    return ledger


async def test_what_was_seen_is_told(known: PostgresLedger) -> None:
    assert await known.degraded() == {}
    await known.observed(PACK, {SALES_KEY: [ORDERS, ITEMS], OTHER_KEY: [ITEMS]})
    await known.observed(OTHER_PACK, {share_key("third", WORKSPACE): (ORDERS,)})
    assert await known.degraded() == {
        PACK: {SALES_KEY: (ORDERS, ITEMS), OTHER_KEY: (ITEMS,)},
        OTHER_PACK: {share_key("third", WORKSPACE): (ORDERS,)},
    }


async def test_the_next_look_replaces_the_last(known: PostgresLedger, connection: asyncpg.Connection) -> None:
    await known.observed(PACK, {SALES_KEY: [ORDERS, ITEMS], OTHER_KEY: [ITEMS]})
    before = await connection.fetchval("SELECT max(observed_at) FROM reconciler.observations")
    await known.observed(PACK, {SALES_KEY: [ITEMS]})
    assert await known.degraded() == {PACK: {SALES_KEY: (ITEMS,)}}
    assert await connection.fetchval("SELECT observed_at FROM reconciler.observations") > before


@pytest.mark.parametrize("nothing", [{}, {SALES_KEY: []}], ids=["left out", "empty"])
async def test_what_is_well_again_is_gone(
    known: PostgresLedger, connection: asyncpg.Connection, nothing: Mapping[Key, Sequence[Degraded]]
) -> None:
    await known.observed(PACK, {SALES_KEY: [ORDERS]})
    await known.observed(OTHER_PACK, {OTHER_KEY: [ITEMS]})
    await known.observed(PACK, nothing)
    assert await known.degraded() == {OTHER_PACK: {OTHER_KEY: (ITEMS,)}}
    assert await connection.fetchval("SELECT count(*) FROM reconciler.observations") == 1


async def test_a_share_that_moved_is_told_by_its_new_pack_alone(known: PostgresLedger) -> None:
    await known.observed(PACK, {SALES_KEY: [ORDERS]})
    await known.observed(OTHER_PACK, {SALES_KEY: [ORDERS]})
    assert await known.degraded() == {OTHER_PACK: {SALES_KEY: (ORDERS,)}}
    await known.observed(PACK, {})
    assert await known.degraded() == {OTHER_PACK: {SALES_KEY: (ORDERS,)}}


async def test_only_packs_on_record_are_told(known: PostgresLedger) -> None:
    await known.observed(THIRD_PACK, {OTHER_KEY: [ITEMS]})
    assert await known.degraded() == {}
    await known.submit(a_plan(), [work_order(THIRD_PACK)])
    assert await known.degraded() == {THIRD_PACK: {OTHER_KEY: (ITEMS,)}}
    held = await claimed(known, an_order(THIRD_PACK, *work_order(THIRD_PACK).wanted, removed=True))
    await known.finish(held, WorkStatus.DONE)
    assert await known.degraded() == {}


async def test_plans_at_once_leave_what_the_last_one_saw(known: PostgresLedger) -> None:
    keys = [share_key(f"s{number}", WORKSPACE) for number in range(20)]
    packs = [PACK, OTHER_PACK] * 5
    await asyncio.gather(*(known.observed(pack, {key: [ITEMS] for key in keys}) for pack in packs))
    [(_, seen)] = (await known.degraded()).items()
    assert set(seen) == set(keys)


async def test_a_pack_of_any_letter_case_is_one(known: PostgresLedger) -> None:
    await known.observed(PackId.of("SALES operations", "sales q1"), {SALES_KEY: [ORDERS]})
    assert set(await known.degraded()) == {PACK}
