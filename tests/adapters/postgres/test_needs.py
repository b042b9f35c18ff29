"""From packs to the work rows that must be done first."""

from uuid import UUID, uuid4

import pytest

from reconciler.adapters.postgres.needs import Unfinished, resolve_needs

A, B, C = (uuid4() for _ in range(3))
NEW_A, NEW_B, OLD_A, OLD_B = (uuid4() for _ in range(4))


def packs(*needed: UUID) -> frozenset[UUID]:
    return frozenset(needed)


def test_a_pack_of_the_plan_means_its_new_work() -> None:
    older = [Unfinished(OLD_B, B, ())]
    needs = resolve_needs({NEW_A: A, NEW_B: B}, {NEW_A: packs(B), NEW_B: packs()}, older)
    assert needs == {NEW_A: {NEW_B}, NEW_B: set()}


def test_a_pack_outside_the_plan_means_its_unfinished_work() -> None:
    assert resolve_needs({NEW_A: A}, {NEW_A: packs(B)}, [Unfinished(OLD_B, B, ())]) == {NEW_A: {OLD_B}}


def test_a_pack_without_work_is_done() -> None:
    assert resolve_needs({NEW_A: A}, {NEW_A: packs(C)}, []) == {NEW_A: set()}


def test_older_work_that_waits_for_this_pack_is_not_waited_for() -> None:
    older = [Unfinished(OLD_A, A, ()), Unfinished(OLD_B, B, (OLD_A,))]
    assert resolve_needs({NEW_A: A}, {NEW_A: packs(B)}, older) == {NEW_A: set()}


def test_a_circle_in_one_plan_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="in a circle"):
        resolve_needs({NEW_A: A, NEW_B: B}, {NEW_A: packs(B), NEW_B: packs(A)}, [])
