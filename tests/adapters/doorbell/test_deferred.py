"""A doorbell that is opened when it is first used, and tried again until that succeeds."""

from uuid import uuid4

import pytest

from reconciler.adapters.azure_queue.doorbell import AzureQueueDoorbell
from reconciler.adapters.deferred_doorbell import DeferredDoorbell
from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError
from tests.adapters.doorbell.conftest import PostgresPlace
from tests.azurite import Azurite


async def test_it_is_everything_that_the_opened_one_is(postgres: PostgresPlace) -> None:
    opened: list[Doorbell] = []

    async def open_() -> Doorbell:
        opened.append(await postgres.open())
        return opened[0]

    doorbell = DeferredDoorbell(open_)
    await doorbell.ring([])
    assert opened == []
    await doorbell.check()
    first, second = uuid4(), uuid4()
    await doorbell.ring([first, second])
    (ring,) = await doorbell.answer(5, 1)
    assert ring.work_id == first
    await doorbell.settle(await doorbell.keep(ring))
    (ring,) = await doorbell.answer(5)
    await doorbell.park(ring, "tried")
    assert len(opened) == 1
    await doorbell.close()
    with pytest.raises(DoorbellUnavailableError, match="closed"):
        await doorbell.check()


async def test_a_queue_that_is_down_at_the_start_is_found_later(own_azurite: Azurite) -> None:
    own_azurite.stop()
    doorbell = DeferredDoorbell(lambda: AzureQueueDoorbell.open(own_azurite.connection_string))
    for attempt in (doorbell.check, lambda: doorbell.ring([uuid4()]), lambda: doorbell.answer(0)):
        with pytest.raises(DoorbellUnavailableError):
            await attempt()
    own_azurite.start()
    await doorbell.check()
    await doorbell.close()


async def test_closing_one_that_was_never_used_opens_nothing(postgres: PostgresPlace) -> None:
    doorbell = DeferredDoorbell(postgres.open)
    await doorbell.close()
    assert postgres.opened == []
