"""The network side: an aiohttp server in a thread of its own."""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.github.api import answer
from tests.github.exchange import Asked, Caller, RefusedError, Reply
from tests.github.faults import Fault
from tests.github.forms import Forms
from tests.github.records import Seen
from tests.github.state import World

_STOP_SECONDS = 5.0


class Server:
    """`prefix`: of the paths of the API, `/api/v3` as on GitHub Enterprise Server or nothing."""

    def __init__(self, world: World, prefix: str) -> None:
        self._world = world
        self._prefix = prefix
        self.faults: list[Fault] = []
        self.forms = Forms(world, "", "")

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Gives the address of the API."""
        loop, is_up, failure = asyncio.new_event_loop(), threading.Event(), list[BaseException]()
        stopping = asyncio.Event()

        async def serve() -> None:
            runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.5)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                site = f"http://127.0.0.1:{runner.addresses[0][1]}"
                self.forms = Forms(self._world, f"{site}{self._prefix}", site)
                is_up.set()
                await stopping.wait()
            finally:
                await runner.cleanup()

        def run() -> None:
            try:
                loop.run_until_complete(serve())
            except OSError as error:
                failure.append(error)
            finally:
                loop.close()
                is_up.set()

        thread = threading.Thread(target=run, name="github stand-in", daemon=True)
        thread.start()
        is_up.wait()
        if failure:
            raise failure[0]
        try:
            yield self.forms.api
        finally:
            loop.call_soon_threadsafe(stopping.set)
            thread.join(_STOP_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = self._path(request.rel_url.raw_path)
        asked = Asked(request.method, path, dict(request.query), request.headers, await request.read())
        fault = self._strike(asked)
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        reply, who = await asyncio.to_thread(self._answer, asked, fault)
        with self._world.lock:
            sent = json.loads(asked.raw) if asked.raw.startswith(b"{") else None
            self._world.seen.append(
                Seen(asked.method, asked.path, dict(asked.query), sent, who.login, reply.status if reply else 0)
            )
        if reply is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return self._response(reply)

    def _path(self, path: str) -> str:
        if self._prefix and path.startswith(self._prefix):
            return path.removeprefix(self._prefix)
        # GraphQL has a place of its own: https://docs.github.com/en/enterprise-server/graphql
        return path.removeprefix("/api") if self._prefix and path == "/api/graphql" else path

    def _strike(self, asked: Asked) -> Fault | None:
        with self._world.lock:
            for fault in self.faults:
                if fault.matches(asked.method, asked.path):
                    fault.times -= 1
                    return fault
        return None

    def _answer(self, asked: Asked, fault: Fault | None) -> tuple[Reply | None, Caller]:
        who = Caller()
        with self._world.lock:
            if fault is None or fault.is_after or fault.only_slows:
                reply, who = answer(self._world, self.forms, asked)
                if fault is None or fault.only_slows:
                    return reply, who
        if fault.is_dropped:
            return None, who
        if fault.text is not None:
            return Reply(fault.status, fault.text, dict(fault.headers)), who
        return RefusedError(fault.status, fault.message, headers=dict(fault.headers)).reply(), who

    def _response(self, reply: Reply) -> web.Response:
        headers = {
            "X-GitHub-Request-Id": uuid.uuid4().hex,
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4999",
            "X-RateLimit-Reset": str(int(time.time()) + 3600),
            **reply.headers,
        }
        if reply.status == 204:
            return web.Response(status=204, headers=headers)
        if isinstance(reply.data, str):
            return web.Response(status=reply.status, text=reply.data, content_type="text/html", headers=headers)
        return web.json_response(reply.data, status=reply.status, headers=headers)
