"""The arithmetic that the measurements are held against."""

from tests.bench.generate import Size
from tests.bench.limits import (
    Pace,
    apply_calls,
    apply_limit,
    apply_writes,
    new_plan_calls,
    reading_limit,
    unchanged_plan_calls,
)

ONE = Size(1)


def test_calls_of_one_pack() -> None:
    assert unchanged_plan_calls(ONE) == 2 + 2 * 2
    assert new_plan_calls(ONE) == 2 + 2 + 20 + 3 + 2 + 1
    assert apply_writes(ONE) == 2 + 2 * 3
    assert apply_calls(ONE) == 4 + 8 + 6


def test_objects_go_by_the_hundred() -> None:
    assert apply_writes(Size(1, recipients=0, shares=1, objects=100)) == 3
    assert apply_writes(Size(1, recipients=0, shares=1, objects=101)) == 4


def test_reads_are_limited_by_the_requests_under_way() -> None:
    assert reading_limit(160, Pace(latency=0.05, in_flight=16)) == 0.5


def test_an_apply_with_few_hands_is_limited_by_the_order_in_each_pack() -> None:
    verify = 50 * 6 * 0.05 / 16
    assert apply_limit(Size(50), Pace(0.05, 16, hands=4)) == 13 * 9 * 0.05 + verify


def test_an_apply_with_many_hands_is_limited_by_the_requests_under_way() -> None:
    assert apply_limit(Size(50), Pace(0.05, 16, hands=50)) == 50 * (4 + 8 + 6) * 0.05 / 16
