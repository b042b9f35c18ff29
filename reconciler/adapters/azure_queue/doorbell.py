"""The doorbell on Azure Storage Queue. It decides how often to ask and what becomes of a message that is none of ours;
what a delivery is worth, when to give up on it and what work is due is decided from PostgreSQL.

Promised: a ring that returned is in the queue until it is settled or parked (messages never expire), is delivered at
least once, in no order, and hidden from others for the visibility time of each delivery. Not promised: that it arrives
once only, or that a delivery kept too late is still ours.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient
from loguru import logger

from reconciler.adapters.azure_queue.client import (
    DeliveryLostError,
    QueueMissingError,
    check_queue_name,
    connect,
    create,
    request,
)
from reconciler.adapters.azure_queue.message import CHECK, Unreadable, decode, encode, encode_parked
from reconciler.ports.doorbell import DoorbellUnavailableError, Ring

_T = TypeVar("_T")

QUEUE_NAME = "sharepack-processing"
POISON_SUFFIX = "-poison"

#: Deliveries a poll asks for at most.
BATCH = 10
#: Seconds that the message of a check is hidden from everybody, and until it is gone by itself.
_CHECK_HIDDEN, _CHECK_EXPIRES = 3600, 3660
#: Requests in flight when many are rung; measured to double the rate of one at a time, more gains nothing.
_CONCURRENT = 16
#: The pause between empty polls grows by this factor up to this many times the first one.
_BACK_OFF, _LONGEST = 1.5, 5
_NEVER_EXPIRES = -1


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the service wants to see to renew or delete one delivery, and the text it delivered."""

    message_id: str
    #: Valid for the newest delivery or renewal only.
    pop_receipt: str
    text: str


class AzureQueueDoorbell:
    """Use `open`. Safe to share between the tasks of one event loop."""

    def __init__(self, service: QueueServiceClient, queue_name: str, *, visibility: float, poll: float) -> None:
        self._service = service
        self._queue: QueueClient = service.get_queue_client(queue_name)
        self._poison: QueueClient = service.get_queue_client(queue_name + POISON_SUFFIX)
        self._visibility = max(1, math.ceil(visibility))
        self._poll = poll
        self._pause = poll
        self._rung_here = asyncio.Event()
        self._closed = False
        self._in_flight = 0
        self._ended = asyncio.Event()

    def __repr__(self) -> str:
        return f"AzureQueueDoorbell({self._queue.queue_name!r})"

    @classmethod
    async def open(
        cls, connection_string: str, queue_name: str = QUEUE_NAME, *, visibility: float = 300, poll: float = 1.0
    ) -> "AzureQueueDoorbell":
        """Creates the queue and its poison queue where they are missing.

        `visibility`: seconds a delivery stays hidden from others (whole seconds, at least 1). `poll`: seconds between
        the first empty polls. Raises DoorbellUnavailableError, and ValueError for a connection string or name that can
        never work.
        """
        check_queue_name(queue_name)
        doorbell = cls(connect(connection_string), queue_name, visibility=visibility, poll=poll)
        try:
            await create(doorbell._queue)
            await create(doorbell._poison)
        except BaseException:
            await doorbell.close()
            raise
        return doorbell

    async def ring(self, work_ids: Sequence[UUID]) -> None:
        texts = [encode(work_id) for work_id in dict.fromkeys(work_ids)]
        for start in range(0, len(texts), _CONCURRENT):
            sends = (self._send(self._queue, text) for text in texts[start : start + _CONCURRENT])
            for outcome in await asyncio.gather(*sends, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
        self._wake()

    async def answer(self, wait: float, most: int = BATCH) -> Sequence[Ring]:
        """The pause between polls grows while nothing comes, also from one call to the next; a ring through this object
        ends it. The first poll is immediate."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + wait
        while True:
            self._rung_here.clear()
            if rings := await self._receive(max(1, min(most, BATCH))):
                self._pause = self._poll
                return rings
            remaining = deadline - clock()
            if remaining <= 0 or self._closed:
                return ()
            pause, self._pause = self._pause, min(self._pause * _BACK_OFF, self._poll * _LONGEST)
            rung_here = await self._rung_within(min(pause, remaining))
            # A last poll at the deadline would only double the first one of the next call.
            if self._closed or (not rung_here and pause >= remaining):
                return ()

    async def keep(self, ring: Ring) -> Ring:
        """A delivery that somebody else has by now is returned as it is: whose the work is, its lease decides."""
        receipt = _receipt(ring)
        try:
            kept = await self._request(
                "keep a message",
                lambda: self._queue.update_message(
                    receipt.message_id, receipt.pop_receipt, visibility_timeout=self._visibility
                ),
            )
        except DeliveryLostError:
            return ring
        return replace(ring, receipt=replace(receipt, pop_receipt=str(kept.pop_receipt)))

    async def settle(self, ring: Ring) -> None:
        await self._delete(_receipt(ring))

    async def park(self, ring: Ring, reason: str) -> None:
        """Copied before it is deleted: a crash between the two parks it twice and loses nothing."""
        await self._park(_receipt(ring), reason, ring.deliveries)

    async def check(self) -> None:
        """Sends a message that stays hidden, and deletes it."""
        sent = await self._request(
            "send a message",
            lambda: self._queue.send_message(CHECK, visibility_timeout=_CHECK_HIDDEN, time_to_live=_CHECK_EXPIRES),
        )
        await self._request(
            "delete the message it has sent", lambda: self._queue.delete_message(sent.id, str(sent.pop_receipt))
        )

    async def close(self) -> None:
        """Ends waiting answers. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._wake()
        # The SDK breaks with an AssertionError when its session goes away under a request.
        while self._in_flight:
            self._ended.clear()
            await self._ended.wait()
        await self._service.close()

    async def _receive(self, most: int) -> Sequence[Ring]:
        messages = await self._request("receive messages", lambda: self._next_page(most))
        rings = [await self._read(message) for message in messages]
        return [ring for ring in rings if ring is not None]

    async def _next_page(self, most: int) -> list[QueueMessage]:
        """Exactly one request: the SDK's own iteration goes on until the queue is empty."""
        pages = self._queue.receive_messages(messages_per_page=most, visibility_timeout=self._visibility).by_page()
        async for page in pages:
            return [message async for message in page]
        return []

    async def _read(self, message: QueueMessage) -> Ring | None:
        receipt = Receipt(message.id, str(message.pop_receipt), str(message.content or ""))
        deliveries = message.dequeue_count or 1
        if receipt.text == CHECK:
            await self._delete(receipt)
            return None
        match decode(receipt.text):
            case UUID() as work_id:
                return Ring(work_id, deliveries, receipt)
            case Unreadable(reason):
                await self._set_aside(receipt, reason, deliveries)
                return None

    async def _set_aside(self, receipt: Receipt, reason: str, deliveries: int) -> None:
        """Failing here must not cost the good messages of the same poll; this one comes again."""
        try:
            await self._park(receipt, reason, deliveries)
        except DoorbellUnavailableError as error:
            logger.warning("An unreadable message stays in the queue ({}): {}", reason, error)
        else:
            logger.warning("Parked an unreadable message in {}: {}", self._poison.queue_name, reason)

    async def _park(self, receipt: Receipt, reason: str, deliveries: int) -> None:
        await self._send(self._poison, encode_parked(receipt.text, reason, deliveries))
        await self._delete(receipt)

    async def _delete(self, receipt: Receipt) -> None:
        try:
            await self._request(
                "delete a message", lambda: self._queue.delete_message(receipt.message_id, receipt.pop_receipt)
            )
        except DeliveryLostError:
            return

    async def _send(self, queue: QueueClient, text: str) -> None:
        await self._request("send a message", lambda: queue.send_message(text, time_to_live=_NEVER_EXPIRES), queue)

    async def _request(self, intent: str, call: Callable[[], Awaitable[_T]], queue: QueueClient | None = None) -> _T:
        """One request; a queue that was deleted under us is created again, and the request made once more."""
        if self._closed:
            raise DoorbellUnavailableError(f"Azure Storage Queue: cannot {intent}: the doorbell is closed")
        self._in_flight += 1
        try:
            with suppress(QueueMissingError):
                return await request(intent, call())
            await create(queue or self._queue)
            return await request(intent, call())
        finally:
            self._in_flight -= 1
            self._ended.set()

    async def _rung_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._rung_here.wait()
        except TimeoutError:
            return False

    def _wake(self) -> None:
        self._pause = self._poll
        self._rung_here.set()


def _receipt(ring: Ring) -> Receipt:
    if isinstance(ring.receipt, Receipt):
        return ring.receipt
    raise TypeError("This ring was not delivered by an Azure Storage Queue")
