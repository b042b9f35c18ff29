"""How many statements a transaction takes, and that it does not depend on how much it writes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.connection import place
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import CreateShare, Operation, Rename
from reconciler.core.changes import Cause
from reconciler.core.key import PackId, share_key
from reconciler.core.levels import levels
from reconciler.core.plan import Degraded
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.sighting import Sighting
from reconciler.core.verdict import Create
from reconciler.ports.ledger import Claim, Done, Outcome, PackOrder, Wanted, WorkStatus
from tests.adapters.postgres.samples import (
    PACK,
    SALES,
    SALES_KEY,
    WORKSPACE,
    a_plan,
    an_order,
    begin,
    claim,
    claimed,
    conclude,
    progress,
    submitted,
    work_order,
)


@dataclass(slots=True)
class Counting:
    """A ledger whose statements are written down, BEGIN and COMMIT among them."""

    ledger: PostgresLedger
    statements: list[str] = field(default_factory=list)

    async def count(self, call: Awaitable[object]) -> int:
        await asyncio.sleep(0)
        self.statements.clear()
        await call
        # The logger is called from the event loop, after the statement.
        await asyncio.sleep(0)
        return len(self.statements)


@pytest.fixture
async def counting(migrated_database_url: str) -> AsyncIterator[Counting]:
    statements: list[str] = []

    async def listen(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(lambda record: statements.append(record.query))

    pool = await asyncpg.create_pool(migrated_database_url, min_size=1, max_size=1, init=listen, reset=_keep)
    yield Counting(PostgresLedger(pool, place(migrated_database_url)), statements)
    await pool.close()


async def _keep(_connection: asyncpg.Connection) -> None:
    return None


def orders(count: int, line: str = "Line") -> list[PackOrder]:
    return [work_order(PackId.of(line, f"Project {number}")) for number in range(count)]


async def test_submitting_takes_as_many_statements_for_fifty_packs_as_for_one(counting: Counting) -> None:
    await counting.ledger.submit(a_plan(), orders(1, "Warm up: asyncpg asks for types once a connection"))
    one = await counting.count(counting.ledger.submit(a_plan(), orders(1, "One")))
    fifty = await counting.count(counting.ledger.submit(a_plan(), orders(50, "Fifty")))
    again = await counting.count(
        counting.ledger.submit(a_plan(), [an_order(order.pack) for order in orders(50, "Fifty")])
    )
    assert (one, fifty) == (20, 20)
    # Superseding what waits: the needs that pointed to it, its requests, what it blocks.
    assert again <= fifty + 5


async def test_reading_takes_as_many_statements_for_many_keys_as_for_one(counting: Counting) -> None:
    ledger = counting.ledger
    keys = [share_key(f"s{number}", WORKSPACE) for number in range(500)]
    await ledger.recorded(keys[:1], [PACK])
    one = await counting.count(ledger.recorded(keys[:1], [PACK]))
    many = await counting.count(ledger.recorded(keys, [order.pack for order in orders(200)]))
    assert one == many == 6


async def test_a_call_costs_few_statements(counting: Counting) -> None:
    ledger = counting.ledger
    held = await claimed(ledger)
    operation = Operation(CreateShare(SALES_KEY), SALES)
    assert await counting.count(begin(ledger, held, operation)) == 3
    operation_id = await begin(ledger, held, operation)
    assert await counting.count(conclude(ledger, held, operation_id, Done())) == 5
    assert await counting.count(progress(ledger, held, "Creating shares...")) == 5


@pytest.mark.parametrize("objects", [10, 100])
async def test_a_new_pack_takes_six_transactions_whatever_is_in_it(counting: Counting, objects: int) -> None:
    """Claim, what is on record, the intents of each level with the outcomes of the one before, the end."""
    ledger = counting.ledger
    recipients = [Recipient(name, TokenSharing()) for name in ("one", "two")]
    tables = [SharedObject(f"main.sales.t{number}", ObjectType.TABLE) for number in range(objects)]
    shares = [
        Share(name, objects=frozenset(tables), recipients=frozenset({"one", "two"})) for name in ("first", "second")
    ]
    declared: list[Resource] = [*recipients, *shares]
    made = {key_of(each, WORKSPACE): each for each in declared}
    work = await submitted(ledger, a_plan(), [an_order(PACK, *(Wanted(key, each) for key, each in made.items()))])
    claims: list[Claim] = []

    async def take() -> None:
        claims.append(await claim(ledger, work[PACK]))

    counts = [await counting.count(take())]
    [held] = claims
    counts.append(await counting.count(ledger.recorded(made, [PACK])))
    outcomes: dict[UUID, Outcome] = {}
    for level in levels({key: Create(each, Cause.FILE) for key, each in made.items()}):
        intents = {uuid4(): operation for operation in level.operations}
        words = f"Level with {type(level.operations[0].call).__name__}..."
        counts.append(await counting.count(ledger.advance(held, outcomes, intents, words)))
        outcomes = dict.fromkeys(intents, Done())
    counts.append(await counting.count(ledger.finish(held, WorkStatus.DONE, outcomes=outcomes)))
    assert counts == [4, 6, 5, 9, 7, 12]
    assert (await ledger.recorded(made, [])).resources.keys() == made.keys()


async def test_a_rename_costs_one_statement_more_before_the_call_and_none_after_it(counting: Counting) -> None:
    ledger = counting.ledger
    held = await claimed(ledger)
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    operation = Operation(Rename(share_key("revenue", WORKSPACE), "sales"), replace(SALES, name="revenue"))
    assert await counting.count(begin(ledger, held, operation)) == 4
    operation_id = await begin(ledger, held, operation)
    assert await counting.count(conclude(ledger, held, operation_id, Done())) == 5


async def test_what_plans_saw_takes_one_statement(counting: Counting) -> None:
    unread = Sighting(degraded=(Degraded("a.b.c", "ann"),), drift=("comment",))
    seen = dict.fromkeys((share_key(f"s{number}", WORKSPACE) for number in range(500)), unread)
    assert await counting.count(counting.ledger.observed(PACK, seen)) == 3
    assert await counting.count(counting.ledger.observed(PACK, {})) == 3
    assert await counting.count(counting.ledger.sightings()) == 3


async def test_what_is_asked_in_every_round_takes_one_statement(counting: Counting) -> None:
    for call in (counting.ledger.holds(), counting.ledger.figures(), counting.ledger.daemons()):
        assert await counting.count(call) == 3


async def test_skipping_a_hundred_dependents_takes_no_more_than_skipping_one(counting: Counting) -> None:
    ledger, counts = counting.ledger, []
    for line, dependents in (("One", 1), ("Hundred", 100)):
        first, *others = orders(dependents + 1, line)
        needing = [work_order(order.pack, frozenset({first.pack})) for order in others]
        work = await submitted(ledger, a_plan(), [first, *needing])
        held = await claim(ledger, work[first.pack])
        counts.append(await counting.count(ledger.finish(held, WorkStatus.FAILED, "why")))
        assert await ledger.due() == []
    assert counts[0] == counts[1]
