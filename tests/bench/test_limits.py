"""The arithmetic that the measurements are held against."""

from tests.bench.generate import Size
from tests.bench.limits import (
    Pace,
    apply_calls,
    apply_limit,
    apply_writes,
    new_plan_calls,
    plan_one_calls,
    quiet_calls,
    quiet_limit,
    reading_limit,
    small_apply_calls,
    throttled,
    unchanged_plan_calls,
    work_limit,
)

ONE = Size(1)


def test_calls_of_one_pack() -> None:
    assert unchanged_plan_calls(ONE) == 2 + 2 * 2
    assert new_plan_calls(ONE) == 2 + 2 + 20 + 3 + 2 + 1
    assert plan_one_calls(ONE) == 2 * 4 + 2
    assert apply_writes(ONE) == 2 + 2 * 3
    assert apply_calls(ONE) == 8 + 6
    assert small_apply_calls(ONE) == 3 + 2 + 6


def test_a_quiet_look_takes_lists_and_the_grants_of_each_share() -> None:
    assert quiet_calls(ONE) == 1 + 1 + 2
    assert quiet_calls(Size(51)) == 2 + 2 + 102
    assert quiet_limit(Size(80), Pace(0.05, 16)) == 2 * 0.05 + 160 * 0.05 / 16


def test_objects_go_by_the_hundred() -> None:
    assert apply_writes(Size(1, recipients=0, shares=1, objects=100)) == 3
    assert apply_writes(Size(1, recipients=0, shares=1, objects=101)) == 4


def test_reads_are_limited_by_the_requests_under_way() -> None:
    assert reading_limit(160, Pace(latency=0.05, in_flight=16)) == 0.5
    assert reading_limit(160, Pace(latency=0.05, in_flight=16, processes=4)) == 0.125


def test_work_with_few_hands_is_limited_by_the_order_in_each_pack() -> None:
    assert work_limit(Size(50), Pace(0.05, 16, hands=2)) == 25 * 3 * 0.05


def test_work_with_many_hands_is_limited_by_the_requests_under_way() -> None:
    assert work_limit(Size(50), Pace(0.05, 16, hands=16)) == 50 * 8 * 0.05 / 16
    assert work_limit(Size(50), Pace(0.05, 16, hands=16, processes=4)) == 50 * 8 * 0.05 / 64


def test_an_apply_is_verified_when_all_have_ended() -> None:
    pace = Pace(0.05, 16, hands=16)
    assert apply_limit(Size(50), pace) == work_limit(Size(50), pace) + 50 * 6 * 0.05 / 16


def test_a_client_that_holds_itself_back_takes_longer() -> None:
    assert throttled(2.0, calls=150) == 10.0
    assert throttled(20.0, calls=150) == 20.0
