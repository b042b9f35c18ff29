"""The look at packs that are done while others are still worked on: what it finds in order, and what it leaves."""

from collections.abc import Collection
from uuid import UUID, uuid4

import pytest

from reconciler.core.desired import Revision
from reconciler.core.key import PackId
from reconciler.core.pack import Strategy
from reconciler.core.plan import Basis, PackPlan, Plan
from reconciler.ports.ledger import LedgerError, Work, WorkStatus
from reconciler.stages.verify import ENOUGH, looking_meanwhile

PACKS = {uuid4(): PackId.of("Sales", f"Project {number}") for number in range(2 * ENOUGH)}


def ended(count: int, start: int = 0, status: WorkStatus = WorkStatus.DONE) -> list[Work]:
    return [Work(work_id, pack, status, 1) for work_id, pack in list(PACKS.items())[start : start + count]]


class Planner:
    """Plans nothing to do for any pack but those in `behind`."""

    def __init__(self, failure: Exception | None = None, behind: Collection[PackId] = ()) -> None:
        self.failure = failure
        self.behind = behind
        self.asked: list[Collection[PackId]] = []

    async def __call__(self, packs: Collection[PackId]) -> Plan:
        self.asked.append(packs)
        if self.failure is not None:
            raise self.failure
        return Plan(Revision("c" * 40), tuple(self._plan(pack) for pack in packs))

    def _plan(self, pack: PackId) -> PackPlan:
        basis = Basis("", "", "")
        return PackPlan(pack, "", "", Strategy.UPDATE, (), basis, rows_behind=pack in self.behind)


async def test_what_is_done_and_in_order_need_not_be_looked_at_again() -> None:
    *_, last = (item.pack for item in ended(ENOUGH))
    planner = Planner(behind={last})
    async with looking_meanwhile(planner, PACKS) as look:
        look.ended(ended(ENOUGH))
    assert len(planner.asked) == 1
    assert set(look.in_order) == {item.pack for item in ended(ENOUGH)} - {last}


async def test_a_few_are_left_to_the_last_look() -> None:
    planner = Planner()
    async with looking_meanwhile(planner, PACKS) as look:
        look.ended(ended(ENOUGH - 1))
    assert planner.asked == []
    assert look.in_order == {}


@pytest.mark.parametrize("status", [each for each in WorkStatus if each is not WorkStatus.DONE])
async def test_what_did_not_end_well_is_left_to_the_last_look(status: WorkStatus) -> None:
    planner = Planner()
    async with looking_meanwhile(planner, PACKS) as look:
        look.ended(ended(ENOUGH, status=status))
    assert planner.asked == []


async def test_packs_that_others_may_still_change_are_left_to_the_last_look() -> None:
    planner = Planner()
    alone: dict[UUID, PackId] = dict(list(PACKS.items())[1:])
    async with looking_meanwhile(planner, alone) as look:
        look.ended(ended(ENOUGH))
        assert planner.asked == []
        look.ended(ended(1, start=ENOUGH))
    assert [len(packs) for packs in planner.asked] == [ENOUGH]
    assert PACKS.keys() - alone.keys() == {ended(1)[0].id}
    assert ended(1)[0].pack not in look.in_order


async def test_a_look_that_fails_says_nothing_and_stops_nothing() -> None:
    planner = Planner(LedgerError("away"))
    async with looking_meanwhile(planner, PACKS) as look:
        look.ended(ended(ENOUGH))
    assert len(planner.asked) == 1
    assert look.in_order == {}


async def test_a_mistake_of_this_program_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        async with looking_meanwhile(Planner(ZeroDivisionError()), PACKS) as look:
            look.ended(ended(ENOUGH))


async def test_work_that_cannot_go_on_ends_the_look() -> None:
    planner = Planner()

    async def work() -> None:
        async with looking_meanwhile(planner, PACKS) as look:
            look.ended(ended(ENOUGH))
            raise LedgerError("away")

    with pytest.raises(LedgerError, match="away"):
        await work()
    assert planner.asked == []
