"""What several workers of a process write at the same time is written together, and each gets an answer of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.connection import place
from reconciler.adapters.postgres.gathering import MOST, Gathering
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import CreateShare, Operation
from reconciler.core.key import PackId, share_key
from reconciler.core.recorded import PackStatus
from reconciler.core.review import Review
from reconciler.core.share import Share
from reconciler.ports.ledger import (
    Claim,
    Done,
    FenceLostError,
    Ledger,
    NothingToClaim,
    PackOrder,
    SupersededError,
    WorkStatus,
)
from tests.adapters.postgres.samples import WORKSPACE, a_plan, expire, submitted, work_order


@dataclass(slots=True)
class Doing:
    """Doubles numbers, slowly, and writes down which of them together. It cannot do anything with a 13."""

    batches: list[list[int]] = field(default_factory=list)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def together(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(numbers))
        await self.may_go_on.wait()
        if 13 in numbers:
            raise ValueError("an unlucky number")
        return [2 * number for number in numbers]


async def asking(gathering: Gathering[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = []
    for number in numbers:
        tasks.append(asyncio.create_task(gathering.ask(number)))
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_is_asked_meanwhile_is_done_together() -> None:
    doing = Doing()
    gathering: Gathering[int, int] = Gathering(doing.together, lambda _: None, lambda number: number, patience=60)
    tasks = await asking(gathering, range(5))
    doing.may_go_on.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8]
    assert doing.batches == [[0], [1, 2, 3, 4]]
    assert await gathering.ask(7) == 14


async def test_only_what_is_alike_and_about_different_things_is_done_together() -> None:
    doing = Doing()
    gathering: Gathering[int, int] = Gathering(
        doing.together, lambda number: number % 2, lambda number: number % 10, patience=60
    )
    tasks = await asking(gathering, [0, 2, 3, 4, 12, 5])
    doing.may_go_on.set()
    assert await asyncio.gather(*tasks) == [0, 4, 6, 8, 24, 10]
    assert doing.batches == [[0], [2, 4], [3, 5], [12]]


async def test_of_very_many_some_are_done_at_a_time() -> None:
    doing = Doing()
    gathering: Gathering[int, int] = Gathering(doing.together, lambda _: None, lambda number: number, patience=60)
    tasks = await asking(gathering, range(100, 101 + 2 * MOST))
    doing.may_go_on.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in doing.batches] == [1, MOST, MOST]


async def test_what_fails_together_is_done_one_by_one() -> None:
    doing = Doing()
    gathering: Gathering[int, int] = Gathering(doing.together, lambda _: None, lambda number: number, patience=60)
    tasks = await asking(gathering, [1, 12, 13, 14])
    doing.may_go_on.set()
    unlucky, *others = await asyncio.gather(*tasks[2:], *tasks[:2], tasks[3], return_exceptions=True)
    assert isinstance(unlucky, ValueError)
    assert 28 in others
    assert doing.batches == [[1], [12, 13, 14], [12], [13], [14]]


async def test_who_no_longer_waits_is_left_out_and_keeps_nobody_waiting() -> None:
    doing = Doing()
    gathering: Gathering[int, int] = Gathering(doing.together, lambda _: None, lambda number: number, patience=60)
    tasks = await asking(gathering, [1, 2, 3])
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.sleep(0)
    doing.may_go_on.set()
    assert await tasks[2] == 6
    assert doing.batches == [[1], [3]]
    await gathering.close()


async def test_one_that_hangs_does_not_keep_the_others_waiting() -> None:
    hanging, doing = asyncio.Event(), Doing()
    doing.may_go_on.set()

    async def together(numbers: Sequence[int]) -> Sequence[int]:
        if 1 in numbers:
            await hanging.wait()
        return await doing.together(numbers)

    gathering: Gathering[int, int] = Gathering(together, lambda _: None, lambda number: number, patience=0.001)
    first, *others = await asking(gathering, [1, 2, 3])
    assert await asyncio.gather(*others) == [4, 6]
    assert not first.done()
    hanging.set()
    assert await first == 2


async def test_nobody_waits_for_ever_who_asks_just_when_the_last_one_is_answered() -> None:
    doing = Doing()
    doing.may_go_on.set()
    gathering: Gathering[int, int] = Gathering(doing.together, lambda _: None, lambda number: number, patience=60)
    for pause in range(10):
        first = asyncio.create_task(gathering.ask(1))
        for _ in range(pause):
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            assert await gathering.ask(2) == 4
            assert await first == 2


@dataclass(slots=True)
class Scene:
    ledger: PostgresLedger
    statements: list[str]


@pytest.fixture
async def scene(migrated_database_url: str) -> AsyncIterator[Scene]:
    statements: list[str] = []

    async def listen(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(lambda record: statements.append(record.query))

    pool = await asyncpg.create_pool(migrated_database_url, min_size=1, max_size=4, init=listen)
    ledger = PostgresLedger(pool, place(migrated_database_url))
    yield Scene(ledger, statements)
    await ledger.close()


def packs(count: int) -> list[PackId]:
    return [PackId.of("Line", f"Project {number}") for number in range(count)]


def key_of(pack: PackId) -> Share:
    return Share(f"share_of_{pack.project_key}")


def creating(claim: Claim) -> Operation:
    share = key_of(claim.order.pack)
    return Operation(CreateShare(share_key(share.name, WORKSPACE)), share)


async def all_claimed(ledger: Ledger, orders: Sequence[PackOrder]) -> list[Claim]:
    work = await submitted(ledger, a_plan(), orders)
    taken = await asyncio.gather(*(ledger.claim("worker-1", work_id, 60.0) for work_id in work.values()))
    return [claim for claim in taken if isinstance(claim, Claim)]


async def carried_out(ledger: Ledger, claim: Claim) -> None:
    operation_id = uuid4()
    await ledger.advance(claim, {}, {operation_id: creating(claim)}, f"Creating {claim.order.pack}...")
    await ledger.finish(claim, WorkStatus.DONE, outcomes={operation_id: Done()})


async def test_sixteen_packs_at_once_are_all_recorded_with_few_commits(
    scene: Scene, connection: asyncpg.Connection
) -> None:
    orders = [
        replace(work_order(pack), review=Review((f"o/r#{number % 2}",), ("ann (review)",)))
        for number, pack in enumerate(packs(16))
    ]
    claims = await all_claimed(scene.ledger, orders)
    assert {claim.order.pack for claim in claims} == {*packs(16)}
    states = await asyncio.gather(*(scene.ledger.recorded([], [claim.order.pack]) for claim in claims))
    assert [[*state.packs] for state in states] == [[claim.order.pack] for claim in claims]
    scene.statements.clear()
    await asyncio.gather(*(carried_out(scene.ledger, claim) for claim in claims))
    await asyncio.sleep(0)
    assert scene.statements.count("COMMIT;") <= 12
    assert {state.status for state in await scene.ledger.pack_states()} == {PackStatus.COMPLETED}
    for claim in claims:
        [version] = await scene.ledger.history(creating(claim).key)
        review = claim.order.review
        assert (version.pack, version.change_reason) == (claim.order.pack, "share created")
        assert (version.pull_requests, version.approved_by) == (review.pull_requests_text, review.approved_by_text)
    told = await connection.fetch(
        "SELECT share_pack_name, provisioning_status, change_reason FROM deltashare.share_packs ORDER BY effective_from"
    )
    assert {row["change_reason"] for row in told if row["provisioning_status"].startswith("Creating")} == {
        f"Creating {pack}..." for pack in packs(16)
    }
    assert await connection.fetchval("SELECT count(*) FROM reconciler.leases WHERE holder <> ''") == 0


async def test_one_whose_lease_ran_out_takes_nothing_away_from_the_others(
    scene: Scene, connection: asyncpg.Connection
) -> None:
    claims = await all_claimed(scene.ledger, [work_order(pack) for pack in packs(6)])
    await connection.execute("UPDATE reconciler.leases SET fence = fence + 1 WHERE work_id = $1", claims[3].work_id)
    ended = await asyncio.gather(*(carried_out(scene.ledger, claim) for claim in claims), return_exceptions=True)
    assert [type(each) for each in ended] == [FenceLostError if number == 3 else type(None) for number in range(6)]
    done = [item.status is WorkStatus.DONE for item in await scene.ledger.work([claim.work_id for claim in claims])]
    assert done.count(True) == 5
    assert await scene.ledger.history(creating(claims[3]).key) == []


async def test_one_that_a_newer_plan_has_replaced_stops_alone(scene: Scene) -> None:
    claims = await all_claimed(scene.ledger, [work_order(pack) for pack in packs(4)])
    await submitted(scene.ledger, a_plan(), [work_order(packs(4)[2])])
    ended = await asyncio.gather(*(carried_out(scene.ledger, claim) for claim in claims), return_exceptions=True)
    assert [type(each) for each in ended] == [SupersededError if number == 2 else type(None) for number in range(4)]


async def test_what_waits_for_two_that_end_together_is_released_by_one_of_them(scene: Scene) -> None:
    first, second, third = packs(3)
    work = await submitted(
        scene.ledger,
        a_plan(),
        [work_order(first), work_order(second), work_order(third, frozenset({first, second}))],
    )
    claims = await asyncio.gather(*(scene.ledger.claim("w", work[pack], 60) for pack in packs(3)))
    assert isinstance(claims[2], NothingToClaim)
    both = [claim for claim in claims if isinstance(claim, Claim)]
    ends = await asyncio.gather(*(scene.ledger.finish(claim, WorkStatus.DONE) for claim in both))
    assert sorted([*ends[0], *ends[1]]) == [work[third]]


async def test_ends_of_every_kind_at_once(scene: Scene, connection: asyncpg.Connection) -> None:
    claims = await all_claimed(scene.ledger, [work_order(pack) for pack in packs(6)])
    ends = [WorkStatus.DONE, WorkStatus.FAILED, WorkStatus.HELD, WorkStatus.STALE, WorkStatus.DONE, WorkStatus.FAILED]
    await asyncio.gather(
        *(scene.ledger.finish(claim, end, f"why {end}") for claim, end in zip(claims, ends, strict=True))
    )
    items = {item.id: item for item in await scene.ledger.work([claim.work_id for claim in claims])}
    assert [items[claim.work_id].status for claim in claims] == ends
    await expire(connection)
    assert await scene.ledger.due() == []
