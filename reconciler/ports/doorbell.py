"""The doorbell tells workers that work is waiting. PostgreSQL holds the truth: a lost, doubled or late ring changes
only how soon work starts, never what is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Ring:
    """One delivery of one message."""

    work_id: UUID
    #: How often this message has been delivered, this time included.
    deliveries: int = 1
    #: What the adapter needs to keep or settle the delivery; opaque to everybody else.
    receipt: object = field(default=None, repr=False, compare=False)


class DoorbellUnavailableError(Exception):
    """The queue cannot be reached. Work goes on from the sweep."""


class Doorbell(Protocol):
    async def ring(self, work_ids: Sequence[UUID]) -> None:
        """Announce work, one message per id. Raises DoorbellUnavailableError."""

    async def answer(self, wait: float, most: int = 10) -> Sequence[Ring]:
        """Up to `most` deliveries (ten at most); waits at most `wait` seconds for the first and may return none.

        A message that cannot be read is parked by the adapter and not returned.
        """

    async def keep(self, ring: Ring) -> Ring:
        """Still working on it: hide the message from others for longer. Use the returned ring from here on."""

    async def settle(self, ring: Ring) -> None:
        """The message has done its duty. Settling one that somebody else has is not an error."""

    async def park(self, ring: Ring, reason: str) -> None:
        """Put the message aside, with its payload and the reason, where an operator finds it."""

    async def check(self) -> None:
        """A message there and back, which no worker gets to see. Raises DoorbellUnavailableError."""

    async def close(self) -> None: ...
