"""A process within this one that can be killed or held up: it reaches the world through ports only, so a death is that
no port call of it has any effect from a point on, and a stall is that one of them waits. Points lie before and after
each call."""

import asyncio
import inspect
from dataclasses import dataclass, field
from typing import Any


class DiedError(BaseException):
    """The process ends here: nothing is caught, nothing is written afterwards."""


@dataclass(slots=True)
class Life:
    #: Points until the end, or until the stall; None: it goes on.
    left: int | None = None
    stalls: bool = False
    passed: int = 0
    is_over: bool = False
    #: Calls that are held up, or have been: of a stalled process, those that come too late.
    held_up: int = 0
    #: Set while it is held up.
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_point(self) -> None:
        if self.is_over:
            raise DiedError
        self.passed += 1
        if self.left is None:
            return
        self.left -= 1
        if self.left >= 0:
            return
        if not self.stalls:
            self.is_over = True
            raise DiedError
        self.held_up += 1
        self.stalled.set()
        await self.woken.wait()


class Mortal:
    """A port, as the process sees it."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._life.pass_point()
            try:
                return await found(*arguments, **named)
            finally:
                # Also a failure is not heard of by the dead.
                await self._life.pass_point()

        return call
