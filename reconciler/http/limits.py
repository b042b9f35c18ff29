"""How often a caller may ask, and how much they may send. Counts are this process's own: several of them allow several
times as much."""

import asyncio
import math
import time
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.http.headers import header
from reconciler.http.problems import HttpError, answer

#: Callers that are counted at once; who has asked longest ago is forgotten first.
_MOST: Final = 10_000
#: Around a file: boundaries, headers and other fields of the form.
FORM_BYTES: Final = 65_536
#: What is still read of a body that is too large, so that its sender hears why instead of a broken connection.
_DRAIN_BYTES: Final = 20_000_000
_DRAIN_SECONDS: Final = 5.0


class RateLimit:
    """Each caller may ask `per_minute` times at once, and as often again in each minute, evenly."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        #: What is left and when that was, who asked last at the end.
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str) -> int:
        """0: they may ask, and it is counted. Otherwise the whole seconds after which they may."""
        now = self._clock()
        left = self._now(caller, now)
        if left < 1:
            return max(1, math.ceil((1 - left) / self._per_second))
        self._keep(caller, left - 1, now)
        return 0

    def is_spent(self, caller: str) -> bool:
        return self._now(caller, self._clock()) < 1

    def _now(self, caller: str, now: float) -> float:
        left, at = self._left.get(caller, (self._most, now))
        return min(self._most, left + (now - at) * self._per_second)

    def _keep(self, caller: str, left: float, now: float) -> None:
        self._left.pop(caller, None)
        while len(self._left) >= _MOST:
            del self._left[next(iter(self._left))]
        self._left[caller] = (left, now)


def too_often(seconds: int) -> HttpError:
    detail = f"too many requests; try again in {seconds} s"
    return HttpError(429, detail, kind="rate-limit", headers={"Retry-After": str(seconds)})


def too_large(most: int) -> HttpError:
    return HttpError(413, f"more than {most:,} bytes are not taken; split the pack", kind="too-large")


class BodyLimit:
    """Answers 413 as soon as a body says or turns out to be too large, whatever the rest of the application is doing
    with what it has of it."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counted = _Counted(receive, send, self._most + FORM_BYTES)
        if _declared(scope) <= counted.most:
            try:
                await self._app(scope, counted.receive, counted.send)
            except _TooLargeError:
                pass
            else:
                return
        await _refuse(scope, receive, send, self._most)


class _TooLargeError(BaseException):
    """No `Exception`: on its way up nobody is to take it for one of theirs."""


class _Counted:
    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._seen = 0
        self._is_answered = False
        self.most = most

    async def receive(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen <= self.most:
            return message
        if self._is_answered:
            return {"type": "http.disconnect"}
        raise _TooLargeError

    async def send(self, message: Message) -> None:
        self._is_answered = True
        await self._send(message)


def _declared(scope: Scope) -> int:
    """What a request says that its body has; 0: nothing that can be relied on."""
    said = header(scope, b"content-length") or b"0"
    return int(said) if said.isdigit() and len(said) < 20 else 0


async def _refuse(scope: Scope, receive: Receive, send: Send, most: int) -> None:
    """The whole answer first, then what is left of the body: who is still sending would otherwise lose the answer with
    the connection."""

    async def held_open(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "more_body": True}
        await send(message)

    problem = too_large(most)
    problem.headers = {"Connection": "close"}
    await answer(scope, problem)(scope, receive, held_open)
    await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    seen = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while seen < _DRAIN_BYTES:
                message = await receive()
                seen += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
