"""What only a queue that holds its messages can do: deliver again, count, renew, put aside."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas

from reconciler.adapters.azure_queue.doorbell import AzureQueueDoorbell
from reconciler.adapters.azure_queue.message import CHECK
from reconciler.ports.doorbell import DoorbellUnavailableError, Ring
from tests.adapters.doorbell.conftest import AzurePlace
from tests.azurite import ACCOUNT_KEY, Azurite


@pytest.fixture
async def doorbell(azure: AzurePlace) -> AzureQueueDoorbell:
    return await azure.open(visibility=1)


@pytest.fixture
async def own_place(own_azurite: Azurite) -> AsyncIterator[AzurePlace]:
    place = AzurePlace(own_azurite.connection_string, "sharepack-processing")
    yield place
    await place.leave()


async def one(doorbell: AzureQueueDoorbell, wait: float = 5) -> Ring:
    (ring,) = await doorbell.answer(wait)
    return ring


async def test_a_delivery_that_nobody_settles_comes_again_and_is_counted(doorbell: AzureQueueDoorbell) -> None:
    work_id = uuid4()
    await doorbell.ring([work_id])
    assert (await one(doorbell)).deliveries == 1
    assert list(await doorbell.answer(0)) == []
    again = await one(doorbell)
    assert (again.work_id, again.deliveries) == (work_id, 2)


async def test_a_kept_delivery_stays_hidden_for_another_time(doorbell: AzureQueueDoorbell, azure: AzurePlace) -> None:
    long = await azure.open(visibility=30)
    await doorbell.ring([uuid4()])
    ring = await long.keep(await one(doorbell))
    assert list(await doorbell.answer(1.5)) == []
    await long.settle(ring)
    async with azure.client() as queue:
        assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_only_the_newest_receipt_counts_and_a_kept_ring_carries_it(
    doorbell: AzureQueueDoorbell, azure: AzurePlace
) -> None:
    """As a worker does that keeps renewing while it works: three times the visibility of one second."""
    await doorbell.ring([uuid4()])
    rings = [await one(doorbell)]
    for _ in range(4):
        await asyncio.sleep(0.7)
        rings.append(await doorbell.keep(rings[-1]))
        assert list(await doorbell.answer(0)) == []
    assert len({str(ring.receipt) for ring in rings}) == len(rings)
    for outdated in rings[:-1]:
        await doorbell.settle(outdated)
        assert await doorbell.keep(outdated) == outdated
    assert await waiting_in(azure) == 1
    await doorbell.settle(rings[-1])
    assert await waiting_in(azure) == 0


async def waiting_in(azure: AzurePlace, suffix: str = "") -> int:
    """Messages in the queue, hidden ones included."""
    async with azure.client(suffix) as queue:
        return int((await queue.get_queue_properties()).approximate_message_count or 0)


async def test_settling_what_is_not_there_any_more_is_no_error(doorbell: AzureQueueDoorbell, azure: AzurePlace) -> None:
    await doorbell.ring([uuid4()])
    ring = await one(doorbell)
    async with azure.client() as queue:
        await queue.clear_messages()
    await doorbell.settle(ring)
    async with azure.client() as queue:
        await queue.delete_queue()
    await doorbell.settle(ring)
    assert await doorbell.keep(ring) == ring


async def test_a_check_leaves_nothing_behind(doorbell: AzureQueueDoorbell, azure: AzurePlace) -> None:
    await doorbell.check()
    assert await waiting_in(azure) == await waiting_in(azure, "-poison") == 0


async def test_a_check_that_was_cut_off_reaches_nobody_and_is_not_parked(
    doorbell: AzureQueueDoorbell, azure: AzurePlace
) -> None:
    await azure.say(CHECK)
    assert list(await doorbell.answer(0.3)) == []
    assert await waiting_in(azure) == await waiting_in(azure, "-poison") == 0


async def test_a_check_tells_that_the_queue_is_away_and_when_it_is_back(
    own_azurite: Azurite, own_place: AzurePlace
) -> None:
    doorbell = await own_place.open()
    await asyncio.to_thread(own_azurite.stop)
    with pytest.raises(DoorbellUnavailableError, match="Azure Storage Queue: cannot send a message"):
        await doorbell.check()
    own_azurite.start()
    await doorbell.check()


async def test_a_check_tells_that_messages_may_be_added_and_not_deleted(azure: AzurePlace) -> None:
    await (await azure.open()).close()
    limited = await limited_to(azure, AccountSasPermissions(read=True, add=True)).open()
    with pytest.raises(DoorbellUnavailableError, match="cannot delete the message it has sent: HTTP 403"):
        await limited.check()


async def test_settling_with_an_outdated_receipt_leaves_the_message_to_whoever_has_it(
    doorbell: AzureQueueDoorbell,
) -> None:
    await doorbell.ring([uuid4()])
    first = await one(doorbell)
    second = await one(doorbell)
    await doorbell.settle(first)
    assert (await doorbell.keep(first)) == first
    kept = await doorbell.keep(second)
    assert kept.receipt != second.receipt
    await doorbell.settle(kept)
    assert list(await doorbell.answer(1.3)) == []


async def test_a_parked_message_lies_in_the_poison_queue_with_payload_reason_and_deliveries(
    doorbell: AzureQueueDoorbell, azure: AzurePlace
) -> None:
    work_id = uuid4()
    await doorbell.ring([work_id])
    await doorbell.park(await one(doorbell), "the workspace refused it: " + "x" * 70_000)
    (parked,) = map(json.loads, await azure.poison())
    assert json.loads(parked["payload"]) == {"v": 1, "work_id": str(work_id)}
    assert parked["reason"].startswith("the workspace refused it: xxx")
    assert parked["deliveries"] == 1
    assert list(await doorbell.answer(1.3)) == []


async def test_unreadable_messages_are_parked_as_they_are(doorbell: AzureQueueDoorbell, azure: AzurePlace) -> None:
    texts = ["", "hello", '{"v":9,"work_id":"x"}', "<a>&amp;</a>", "é🔔" * 1000, "x" * 60_000]
    for text in texts:
        await azure.say(text)
    assert list(await doorbell.answer(0)) == []
    parked = [json.loads(text) for text in await azure.poison()]
    assert [entry["payload"] for entry in parked] == [text[:4_000] for text in texts]
    assert [entry["truncated"] for entry in parked] == [False] * 5 + [True]
    assert list(await doorbell.answer(1.3)) == []


async def test_a_message_that_the_service_cannot_put_into_xml_does_not_stop_the_others(
    azure: AzurePlace,
) -> None:
    """Azurite answers 500 for a whole batch with such a text in it, which stays hidden with it: only then the next."""
    doorbell = await azure.open(visibility=60)
    await azure.say("a\x01b")
    with contextlib.suppress(DoorbellUnavailableError):
        await doorbell.answer(0)
    work_id = uuid4()
    await doorbell.ring([work_id])
    assert (await one(doorbell)).work_id == work_id


async def test_messages_never_expire(doorbell: AzureQueueDoorbell, azure: AzurePlace) -> None:
    await doorbell.ring([uuid4()])
    async with azure.client() as queue:
        (message,) = await queue.peek_messages()
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


async def test_an_existing_queue_and_its_messages_are_kept(azure: AzurePlace) -> None:
    first = await azure.open()
    work_id = uuid4()
    await first.ring([work_id])
    await first.close()
    second = await azure.open()
    assert (await one(second)).work_id == work_id


async def test_a_queue_deleted_by_somebody_is_made_again(doorbell: AzureQueueDoorbell, azure: AzurePlace) -> None:
    for suffix in ("", "-poison"):
        async with azure.client(suffix) as queue:
            await queue.delete_queue()
    assert list(await doorbell.answer(0)) == []
    await doorbell.ring([uuid4()])
    await doorbell.park(await one(doorbell), "tried")
    assert len(await azure.poison()) == 1


async def test_a_signature_that_may_use_the_queue_but_not_create_it_is_enough(azure: AzurePlace) -> None:
    await (await azure.open()).close()
    may = AccountSasPermissions(read=True, add=True, update=True, process=True)
    doorbell = await limited_to(azure, may).open()
    await doorbell.ring([uuid4()])
    await doorbell.settle(await one(doorbell))


def limited_to(azure: AzurePlace, may: AccountSasPermissions) -> AzurePlace:
    """The same place, seen through a signature."""
    until = datetime(2100, 1, 1, tzinfo=UTC)
    signature = generate_account_sas(
        "devstoreaccount1", ACCOUNT_KEY, ResourceTypes(container=True, object=True), may, until
    )
    endpoint = azure.connection_string.partition("QueueEndpoint=")[2].rstrip(";")
    return replace(azure, connection_string=f"QueueEndpoint={endpoint};SharedAccessSignature={signature}")


async def test_empty_polls_become_rarer_and_a_ring_makes_them_frequent_again(
    own_azurite: Azurite, own_place: AzurePlace
) -> None:
    doorbell = await own_place.open(poll=0.1)
    for _ in range(4):
        assert list(await doorbell.answer(0.5)) == []
    # 0.1 s apart these were 20 polls; one look for each call and the growing pause come to less.
    assert 6 <= polls(own_azurite.directory) <= 11
    before = polls(own_azurite.directory)
    await doorbell.ring([uuid4()])
    await doorbell.settle(await one(doorbell))
    assert list(await doorbell.answer(0.35)) == []
    assert polls(own_azurite.directory) - before >= 3


def polls(directory: Path) -> int:
    return (directory / "azurite.log").read_text().count("GET /devstoreaccount1/sharepack-processing/messages")


async def test_a_ring_or_a_close_through_the_same_doorbell_ends_a_long_pause_between_polls(azure: AzurePlace) -> None:
    doorbell = await azure.open(poll=30)
    waiting = asyncio.create_task(doorbell.answer(30))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await doorbell.ring([uuid4()])
        await doorbell.settle((await waiting)[0])
        waiting = asyncio.create_task(doorbell.answer(30))
        await asyncio.sleep(0.1)
        await doorbell.close()
        assert list(await waiting) == []


async def test_closing_in_the_middle_of_polls_is_quiet(azure: AzurePlace) -> None:
    for moment in range(10):
        doorbell = await azure.open(poll=0.001)
        answers = [asyncio.create_task(doorbell.answer(30)) for _ in range(4)]
        await asyncio.sleep(0.02 + moment / 1000)
        await doorbell.close()
        async with asyncio.timeout(5):
            assert await asyncio.gather(*answers) == [()] * 4


async def test_a_server_that_was_away_is_found_again_with_its_messages(
    own_azurite: Azurite, own_place: AzurePlace
) -> None:
    doorbell = await own_place.open(visibility=1)
    kept, lost = uuid4(), uuid4()
    await doorbell.ring([kept])
    await asyncio.to_thread(own_azurite.stop)
    with pytest.raises(DoorbellUnavailableError):
        await doorbell.ring([lost])
    with pytest.raises(DoorbellUnavailableError):
        await doorbell.answer(5)
    own_azurite.start()
    assert (await one(doorbell)).work_id == kept
    await doorbell.ring([lost])
    assert lost in {ring.work_id for ring in await doorbell.answer(5)}


async def test_a_server_killed_with_its_queue_unsaved_is_found_again(
    own_azurite: Azurite, own_place: AzurePlace
) -> None:
    doorbell = await own_place.open()
    await asyncio.to_thread(own_azurite.kill)
    own_azurite.start()
    work_id = uuid4()
    await doorbell.ring([work_id])
    assert (await one(doorbell)).work_id == work_id
