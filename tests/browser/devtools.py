"""The DevTools protocol, as much of it as tests need: commands with answers, and events (chromedevtools.github.io)."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp

Params = dict[str, Any]
Listener = Callable[[str, Params], None]

#: Seconds until an answer counts as lost.
ANSWER_WITHIN: Final = 60.0


class DevToolsError(Exception):
    """Chromium refused a command."""


class DevTools:
    """One connection to a browser; `session` tells which page a command is for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Params]] = {}
        self._listeners: dict[str, Listener] = {}

    async def call(self, method: str, session: str = "", **params: Any) -> Params:
        number = next(self._ids)
        answer: asyncio.Future[Params] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self._socket.send_json(
            {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        )
        async with asyncio.timeout(ANSWER_WITHIN):
            return await answer

    def listen(self, session: str, listener: Listener) -> None:
        self._listeners[session] = listener

    async def receive(self) -> None:
        """Until the connection ends; then nobody waits for an answer any more."""
        async for message in self._socket:
            self._take(message.json())
        for answer in self._answers.values():
            answer.set_exception(DevToolsError("Chromium closed the connection"))

    def _take(self, message: Params) -> None:
        if "id" in message:
            answer = self._answers.pop(message["id"])
            if answer.cancelled():
                return
            if "error" in message:
                answer.set_exception(DevToolsError(message["error"]["message"]))
            else:
                answer.set_result(message["result"])
        elif listener := self._listeners.get(message.get("sessionId", "")):
            listener(message["method"], message["params"])


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[DevTools]:
    async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
        tools = DevTools(socket)
        receiving = asyncio.create_task(tools.receive())
        try:
            yield tools
        finally:
            receiving.cancel()
            with suppress(asyncio.CancelledError):
                await receiving
