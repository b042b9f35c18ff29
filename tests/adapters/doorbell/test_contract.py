"""What every doorbell does, whatever it hangs on."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest

from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError, Ring
from tests.adapters.doorbell.conftest import Place


@pytest.fixture
async def doorbell(place: Place) -> Doorbell:
    return await place.open()


@pytest.fixture
async def other(place: Place) -> Doorbell:
    return await place.open()


async def collect(doorbell: Doorbell, count: int, seconds: float = 10) -> list[Ring]:
    """At least `count` rings, or what came within the time."""
    rings: list[Ring] = []
    deadline = time.monotonic() + seconds
    while len(rings) < count and time.monotonic() < deadline:
        rings += await doorbell.answer(deadline - time.monotonic())
    return rings


async def test_a_ring_is_answered(doorbell: Doorbell) -> None:
    work_id = uuid4()
    await doorbell.ring([work_id])
    rings = await doorbell.answer(5)
    assert [(ring.work_id, ring.deliveries) for ring in rings] == [(work_id, 1)]


async def test_a_ring_is_heard_at_another_doorbell(doorbell: Doorbell, other: Doorbell) -> None:
    work_id = uuid4()
    await doorbell.ring([work_id])
    assert [ring.work_id for ring in await other.answer(5)] == [work_id]


async def test_every_work_item_of_a_large_ring_is_heard_and_at_most_ten_at_a_time(doorbell: Doorbell) -> None:
    work_ids = [uuid4() for _ in range(45)]
    await doorbell.ring(work_ids)
    heard: list[UUID] = []
    while len(heard) < 45 and (rings := await doorbell.answer(5)):
        assert len(rings) <= 10
        heard += [ring.work_id for ring in rings]
    assert sorted(heard) == sorted(work_ids)


@pytest.mark.parametrize("most", [1, 3, 10])
async def test_no_more_is_answered_than_was_asked_for_and_the_rest_comes_later(doorbell: Doorbell, most: int) -> None:
    work_ids = [uuid4() for _ in range(12)]
    await doorbell.ring(work_ids)
    heard: list[UUID] = []
    while len(heard) < 12 and (rings := await doorbell.answer(5, most)):
        assert len(rings) <= most
        heard += [ring.work_id for ring in rings]
    assert sorted(heard) == sorted(work_ids)


async def test_asking_for_very_many_gives_ten(doorbell: Doorbell) -> None:
    await doorbell.ring([uuid4() for _ in range(15)])
    assert len(await doorbell.answer(5, 1000)) <= 10


async def test_one_ring_names_a_work_item_once(doorbell: Doorbell) -> None:
    work_id = uuid4()
    await doorbell.ring([work_id, work_id])
    assert [ring.work_id for ring in await collect(doorbell, 2, seconds=1)] == [work_id]


async def test_ringing_for_nothing_says_nothing(doorbell: Doorbell) -> None:
    await doorbell.ring([])
    assert list(await doorbell.answer(0.2)) == []


async def test_silence_ends_after_the_wait(doorbell: Doorbell) -> None:
    started = time.monotonic()
    assert list(await doorbell.answer(0.3)) == []
    assert 0.25 < time.monotonic() - started < 3


async def test_no_wait_is_one_look(doorbell: Doorbell) -> None:
    started = time.monotonic()
    assert list(await doorbell.answer(0)) == []
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("through_the_same", [True, False])
async def test_waiting_ends_early_when_somebody_rings(
    doorbell: Doorbell, other: Doorbell, through_the_same: bool
) -> None:
    waiting = asyncio.create_task(doorbell.answer(30))
    await asyncio.sleep(0.2)
    work_id = uuid4()
    started = time.monotonic()
    await (doorbell if through_the_same else other).ring([work_id])
    assert [ring.work_id for ring in await waiting] == [work_id]
    assert time.monotonic() - started < 5


async def test_two_waiting_at_one_doorbell_hear_everything_between_them(doorbell: Doorbell) -> None:
    waiting = [asyncio.create_task(doorbell.answer(1)) for _ in range(2)]
    await asyncio.sleep(0.1)
    work_ids = [uuid4() for _ in range(5)]
    await doorbell.ring(work_ids)
    heard = [ring.work_id for rings in await asyncio.gather(*waiting) for ring in rings]
    heard += [ring.work_id for ring in await collect(doorbell, 5 - len(heard), seconds=5)]
    assert sorted(heard) == sorted(work_ids)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "{",
        "[" * 20_000,
        '{"v":2,"work_id":"6f1e9b0e-0000-4000-8000-000000000000"}',
        '{"v":1}',
        '{"v":1,"work_id":"x"}',
        "…",
    ],
    ids=["text", "half json", "deep json", "another version", "no id", "no uuid", "not ascii"],
)
async def test_a_text_that_is_no_message_does_not_hide_the_next_one(
    doorbell: Doorbell, place: Place, text: str
) -> None:
    await place.say(text[:7_000])
    work_id = uuid4()
    await doorbell.ring([work_id])
    assert [ring.work_id for ring in await collect(doorbell, 1)] == [work_id]
    assert list(await doorbell.answer(0.1)) == []


async def test_a_settled_ring_is_over_and_settling_it_again_is_no_error(doorbell: Doorbell) -> None:
    await doorbell.ring([uuid4()])
    (ring,) = await doorbell.answer(5)
    await doorbell.settle(ring)
    await doorbell.settle(ring)
    assert list(await doorbell.answer(0.2)) == []


async def test_a_kept_ring_is_the_same_ring_and_can_be_kept_again_and_settled(doorbell: Doorbell) -> None:
    await doorbell.ring([uuid4()])
    (ring,) = await doorbell.answer(5)
    kept = await doorbell.keep(await doorbell.keep(ring))
    assert kept == ring
    await doorbell.settle(kept)
    assert list(await doorbell.answer(0.2)) == []


async def test_keeping_a_settled_ring_is_no_error(doorbell: Doorbell) -> None:
    await doorbell.ring([uuid4()])
    (ring,) = await doorbell.answer(5)
    await doorbell.settle(ring)
    assert (await doorbell.keep(ring)).work_id == ring.work_id


async def test_a_parked_ring_is_not_heard_again(doorbell: Doorbell) -> None:
    await doorbell.ring([uuid4()])
    (ring,) = await doorbell.answer(5)
    await doorbell.park(ring, "the workspace refused it five times")
    assert list(await doorbell.answer(0.2)) == []


async def test_a_check_is_heard_by_nobody_and_disturbs_nothing(doorbell: Doorbell, other: Doorbell) -> None:
    waiting = asyncio.create_task(other.answer(1))
    await asyncio.gather(*(doorbell.check() for _ in range(5)))
    assert list(await doorbell.answer(0.2)) == []
    assert list(await waiting) == []
    work_id = uuid4()
    await doorbell.ring([work_id])
    assert [ring.work_id for ring in await collect(doorbell, 1)] == [work_id]


async def test_closing_ends_a_waiting_answer_and_closing_again_is_no_error(doorbell: Doorbell) -> None:
    waiting = asyncio.create_task(doorbell.answer(30))
    await asyncio.sleep(0.2)
    await doorbell.close()
    async with asyncio.timeout(5):
        assert list(await waiting) == []
    await doorbell.close()


async def test_a_closed_doorbell_says_so(doorbell: Doorbell) -> None:
    await doorbell.close()
    with pytest.raises(DoorbellUnavailableError, match="closed"):
        await doorbell.ring([uuid4()])
    with pytest.raises(DoorbellUnavailableError, match="closed"):
        await doorbell.answer(1)
    with pytest.raises(DoorbellUnavailableError, match="closed"):
        await doorbell.check()
