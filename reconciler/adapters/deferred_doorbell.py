"""A doorbell that is opened when it is first used, and again until that succeeds: a queue that is down at the start is
no different from one that goes down later, and a command that rings nobody opens nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from reconciler.ports.doorbell import Doorbell, Ring


class DeferredDoorbell:
    def __init__(self, open_: Callable[[], Awaitable[Doorbell]]) -> None:
        self._open = open_
        self._opening = asyncio.Lock()
        self._doorbell: Doorbell | None = None

    async def ring(self, work_ids: Sequence[UUID]) -> None:
        if work_ids:
            await (await self._opened()).ring(work_ids)

    async def answer(self, wait: float, most: int = 10) -> Sequence[Ring]:
        return await (await self._opened()).answer(wait, most)

    async def keep(self, ring: Ring) -> Ring:
        return await (await self._opened()).keep(ring)

    async def settle(self, ring: Ring) -> None:
        await (await self._opened()).settle(ring)

    async def park(self, ring: Ring, reason: str) -> None:
        await (await self._opened()).park(ring, reason)

    async def check(self) -> None:
        await (await self._opened()).check()

    async def close(self) -> None:
        if self._doorbell is not None:
            await self._doorbell.close()

    async def _opened(self) -> Doorbell:
        async with self._opening:
            if self._doorbell is None:
                self._doorbell = await self._open()
            return self._doorbell
