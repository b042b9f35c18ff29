"""An order planned before somebody else's was submitted is outdated: it leaves no trace, and the others go on."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import PackId
from reconciler.ports.ledger import PackOrder, Wanted, WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST,
    ANALYST_KEY,
    COMMIT,
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    a_plan,
    an_order,
    claim,
    everything,
    submitted,
    work_order,
)


async def generation(ledger: PostgresLedger, pack: PackId = PACK) -> int:
    return (await ledger.recorded([], [pack])).packs[pack].generation


async def as_planned(ledger: PostgresLedger, order: PackOrder) -> PackOrder:
    recorded = (await ledger.recorded([], [order.pack])).packs.get(order.pack)
    return replace(order, generation=0 if recorded is None else recorded.generation)


async def test_every_submission_is_a_generation_of_its_pack_alone(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [work_order(PACK), an_order(OTHER_PACK)])
    first, other = await generation(ledger), await generation(ledger, OTHER_PACK)
    await ledger.submit(a_plan(), [an_order(PACK)])
    assert 0 < first < await generation(ledger)
    assert await generation(ledger, OTHER_PACK) == other


async def test_a_pack_that_was_only_rejected_has_none(ledger: PostgresLedger) -> None:
    await ledger.reject(PACK, "q1.yaml", "no email", COMMIT, "daemon")
    assert await generation(ledger) == 0
    assert (await ledger.submit(a_plan(), [replace(work_order(), generation=0)])).keys() == {PACK}


@pytest.mark.parametrize("is_work", [True, False], ids=["work", "only rows"])
async def test_an_outdated_order_writes_nothing_and_the_others_go_on(
    ledger: PostgresLedger, connection: asyncpg.Connection, is_work: bool
) -> None:
    orders = [await as_planned(ledger, work_order(pack)) for pack in (PACK, OTHER_PACK)]
    await ledger.submit(a_plan(), [work_order(PACK)])
    before = await everything(connection)
    late = orders[0] if is_work else replace(orders[0], wanted=())
    plan = a_plan(NEXT_COMMIT)
    assert await ledger.submit(plan, [late]) == {}
    assert await everything(connection) == before
    assert (await ledger.submit(plan, [late, orders[1]])).keys() == {OTHER_PACK}
    [state] = await ledger.pack_states(PACK)
    assert state.commit == COMMIT


async def test_the_first_plan_of_a_pack_applied_twice_is_outdated_the_second_time(ledger: PostgresLedger) -> None:
    order = await as_planned(ledger, work_order())
    first = await submitted(ledger, a_plan(), [order])
    assert await ledger.submit(a_plan(), [order]) == {}
    await ledger.finish(await claim(ledger, first[PACK]), WorkStatus.DONE)
    assert await ledger.submit(a_plan(), [order]) == {}


async def test_submitting_a_plan_again_finds_its_work_whatever_came_since(ledger: PostgresLedger) -> None:
    plan, order = a_plan(), await as_planned(ledger, work_order())
    first = await ledger.submit(plan, [order])
    assert await ledger.submit(plan, [order]) == first
    await ledger.submit(a_plan(NEXT_COMMIT), [work_order()])
    assert await ledger.submit(plan, [order]) == first


async def test_an_order_planned_from_another_database_is_outdated_too(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    later = replace(work_order(), generation=await generation(ledger) + 1)
    assert await ledger.submit(a_plan(), [later]) == {}


async def test_of_many_that_planned_at_one_moment_one_is_submitted(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    order = await as_planned(ledger, work_order())
    results = await asyncio.gather(*(ledger.submit(a_plan(), [order]) for _ in range(8)))
    assert sorted(len(result) for result in results) == [0] * 7 + [1]
    assert await connection.fetchval("SELECT count(*) FROM reconciler.work WHERE status = 'waiting'") == 1


async def test_an_order_without_a_generation_takes_the_place_of_any(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [work_order()])
    assert (await ledger.submit(a_plan(NEXT_COMMIT), [work_order()])).keys() == {PACK}


async def test_what_a_worker_needs_to_know_is_in_the_order(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    item = Wanted(ANALYST_KEY, ANALYST, contested=frozenset({"comment", "allowed_ips"}))
    order = replace(an_order(PACK, item), basis="b4515", fingerprint="f1", generation=0)
    work = await submitted(ledger, a_plan(), [order])
    assert (await claim(ledger, work[PACK])).order == replace(order, generation=None)
    [row] = await connection.fetch(
        "SELECT business_line_key, workspace_url, fingerprint, basis, pack_order ->> 'v' AS v FROM reconciler.work"
    )
    assert tuple(row) == (PACK.business_line_key, order.workspace, "f1", "b4515", "1")
