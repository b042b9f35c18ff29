"""Which work is due and in which order: what takes access away first, then one of each business line in turn."""

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import PackId
from reconciler.ports.ledger import WorkStatus
from tests.adapters.postgres.samples import (
    OTHER_PACK,
    PACK,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    claim,
    claimed,
    expire,
    submitted,
    work_order,
)

ELSEWHERE = "https://adb-2.azuredatabricks.net"


def packs(line: str, count: int) -> list[PackId]:
    return [PackId.of(line, f"{line} {number}") for number in range(count)]


async def due(ledger: PostgresLedger, limit: int = 100) -> list[str]:
    """The projects of what is due."""
    ids = await ledger.due(limit)
    projects = {item.id: item.pack.project_name for item in await ledger.work(ids)}
    return [projects[work_id] for work_id in ids]


async def test_a_line_with_much_to_do_does_not_starve_another(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [work_order(pack) for pack in packs("Big", 500)])
    await ledger.submit(a_plan(), [work_order(pack) for pack in packs("Small", 3)])
    assert (await due(ledger))[:8] == [
        "Big 0", "Small 0", "Big 1", "Small 1", "Big 2", "Small 2", "Big 3", "Big 4",
    ]  # fmt: skip
    assert await due(ledger, 2) == ["Big 0", "Small 0"]


async def test_a_line_is_the_same_in_any_letter_case(ledger: PostgresLedger) -> None:
    spellings = [PackId.of("STRASSE", "1"), PackId.of("straße", "2"), PackId.of("Strasse", "3")]
    await ledger.submit(a_plan(), [work_order(pack) for pack in [*spellings, PackId.of("Other", "4")]])
    assert await due(ledger) == ["1", "4", "2", "3"]


async def test_a_line_that_has_a_worker_lets_others_go_first(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order(pack) for pack in packs("Big", 3) + packs("Small", 2)])
    first, *_ = packs("Big", 1)
    held = await claim(ledger, work[first])
    assert await due(ledger) == ["Small 0", "Big 1", "Small 1", "Big 2"]
    await ledger.finish(held, WorkStatus.DONE)
    assert await due(ledger) == ["Big 1", "Small 0", "Big 2", "Small 1"]


async def test_what_takes_access_away_goes_first_each_line_in_turn(ledger: PostgresLedger) -> None:
    orders = [
        work_order(pack, narrows=number % 2 == 1)
        for line in ("Big", "Small")
        for number, pack in enumerate(packs(line, 4))
    ]
    await ledger.submit(a_plan(), orders)
    assert await due(ledger) == ["Big 1", "Small 1", "Big 3", "Small 3", "Big 0", "Small 0", "Big 2", "Small 2"]


async def test_a_paused_workspace_is_passed_over(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order(), work_order(OTHER_PACK, workspace=ELSEWHERE)])
    await ledger.pause(WORKSPACE, 60, "429")
    assert await ledger.due() == [work[OTHER_PACK]]


async def test_work_behind_a_held_lease_is_no_turn(ledger: PostgresLedger) -> None:
    await claimed(ledger)
    await ledger.submit(a_plan(), [work_order()])
    assert await ledger.due() == []


async def test_nothing_waits_for_its_time(ledger: PostgresLedger) -> None:
    assert await ledger.next_due() is None
    await ledger.submit(a_plan(), [work_order(PACK), work_order(OTHER_PACK, frozenset({PACK}))])
    assert await ledger.next_due() is None


async def test_the_earliest_time_counts(ledger: PostgresLedger) -> None:
    for pack, seconds in ((PACK, 300), (OTHER_PACK, 100), (THIRD_PACK, 200)):
        await ledger.postpone(await claimed(ledger, work_order(pack)), seconds, "throttled")
    assert await ledger.next_due() == pytest.approx(100, abs=20)


async def test_a_pause_is_waited_for_and_the_later_of_both(ledger: PostgresLedger) -> None:
    await ledger.submit(a_plan(), [work_order(PACK)])
    await ledger.pause(WORKSPACE, 100, "429")
    assert await ledger.next_due() == pytest.approx(100, abs=20)
    await ledger.postpone(await claimed(ledger, work_order(OTHER_PACK, workspace=ELSEWHERE)), 50, "later")
    assert await ledger.next_due() == pytest.approx(50, abs=20)
    await ledger.pause(ELSEWHERE, 200, "429")
    assert await ledger.next_due() == pytest.approx(100, abs=20)


async def test_what_waits_for_other_work_too_does_not_count(ledger: PostgresLedger) -> None:
    work = await submitted(ledger, a_plan(), [work_order(PACK), work_order(OTHER_PACK, frozenset({PACK}))])
    await claim(ledger, work[PACK])
    await ledger.pause(WORKSPACE, 100, "429")
    assert await ledger.next_due() is None


async def test_what_is_being_done_waits_for_nothing(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    held = await claimed(ledger)
    assert await ledger.next_due() is None
    await expire(connection)
    assert await ledger.due() == [held.work_id]


async def test_released_work_of_a_paused_workspace_stays_put(ledger: PostgresLedger) -> None:
    work = await submitted(
        ledger,
        a_plan(),
        [
            work_order(PACK),
            work_order(OTHER_PACK, frozenset({PACK}), workspace=ELSEWHERE),
            work_order(THIRD_PACK, frozenset({PACK})),
        ],
    )
    held = await claim(ledger, work[PACK])
    await ledger.pause(WORKSPACE, 100, "429")
    assert await ledger.finish(held, WorkStatus.DONE) == [work[OTHER_PACK]]
    assert await ledger.next_due() == pytest.approx(100, abs=20)
