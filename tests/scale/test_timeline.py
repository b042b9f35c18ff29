"""Virtual time is ordered, slots are taken in turn, a gate opens when all have come."""

import random

import pytest

from tests.scale.api import Bucket, Calls, Kind, Lane, Machine, ThrottledError
from tests.scale.assumed import Setting
from tests.scale.timeline import Process, Slots, Timeline


def test_events_come_in_the_order_of_their_times_whatever_order_they_were_made_in() -> None:
    timeline, seen = Timeline(), list[tuple[float, int]]()

    def sleeper(number: int, seconds: float) -> Process:
        yield seconds
        seen.append((timeline.now, number))

    chance = random.Random(3)
    for number in range(200):
        timeline.start(sleeper(number, chance.randrange(20) / 2))
    timeline.run(100.0)
    assert seen == sorted(seen)
    assert len(seen) == 200
    assert timeline.now == 100.0


def test_no_more_are_inside_than_there_are_slots_and_nobody_is_left_waiting() -> None:
    timeline, slots = Timeline(), Slots(3)
    inside, most, ended = 0, 0, 0

    def one(seconds: float) -> Process:
        nonlocal inside, most, ended
        yield slots
        inside += 1
        most = max(most, inside)
        yield seconds
        inside -= 1
        ended += 1
        timeline.leave(slots)

    for number in range(50):
        timeline.start(one(1.0 + number % 5))
    timeline.run(1000.0)
    assert (most, inside, ended, slots.free) == (3, 0, 50, 3)


def test_together_ends_with_the_last() -> None:
    timeline, ended_at = Timeline(), list[float]()

    def sleeper(seconds: float) -> Process:
        yield seconds

    def all_of_them() -> Process:
        yield from timeline.together(sleeper(seconds) for seconds in (3.0, 1.0, 2.0))
        ended_at.append(timeline.now)
        yield from timeline.together([])
        ended_at.append(timeline.now)

    timeline.start(all_of_them())
    timeline.run(10.0)
    assert ended_at == [3.0, 3.0]


def test_nobody_sleeps_into_the_past() -> None:
    timeline = Timeline()

    def early() -> Process:
        yield -1.0

    timeline.start(early())
    with pytest.raises(AssertionError, match="past"):
        timeline.run(1.0)


@pytest.mark.parametrize(("rate", "burst"), [(5, 10), (50, 100), (1, 1)])
def test_no_second_accepts_more_than_the_rate_and_the_burst(rate: int, burst: int) -> None:
    timeline, calls, bucket = Timeline(), Calls(), Bucket(rate, burst)
    lane = Lane(Machine(timeline), bucket, calls, Setting(), random.Random(1))
    timeline.start(lane.read_all([Kind.FULL] * 300))
    timeline.run(10_000.0)
    assert calls.done == {Kind.FULL: 300}
    assert bucket.accepted == 300
    assert bucket.most_in_a_second <= rate + burst
    assert calls.throttled[Kind.FULL] > 0
    assert calls.total == 300 + calls.throttled[Kind.FULL]


def test_retry_after_is_when_a_request_is_accepted_again() -> None:
    bucket = Bucket(rate=0.25, burst=1)
    assert bucket.ask(0.0) == 0
    assert bucket.ask(0.0) == 4
    assert bucket.ask(4.0) == 0


def test_a_write_that_meets_a_pause_is_put_off_and_not_made() -> None:
    timeline, calls, bucket = Timeline(), Calls(), Bucket(rate=0.01, burst=1)
    lane = Lane(Machine(timeline), bucket, calls, Setting(), random.Random(1))
    put_off = list[float]()

    def writes() -> Process:
        for _ in range(3):
            try:
                yield from lane.write(Kind.WRITE)
            except ThrottledError as error:
                put_off.append(error.retry_after)

    timeline.start(writes())
    timeline.run(50.0)
    # The first is made, the second is answered 429, the third is not even sent.
    assert calls.done[Kind.WRITE] == 1
    assert calls.throttled[Kind.WRITE] == 1
    assert len(put_off) == 2
    assert bucket.accepted == 1
