"""The network side: reads requests, waits as long as the latency says, breaks what a fault says, writes the log.

Rules run in one event loop without waiting in between, so every request sees and leaves the state whole.
"""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

from reconciler.sandbox.api import Answer, answer, route_of
from reconciler.sandbox.control import PREFIX, control_reply
from reconciler.sandbox.errors import ApiError
from reconciler.sandbox.faults import FaultRule
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.request_log import LogEntry, body_without_secrets, without_secrets
from reconciler.sandbox.seed import Seed
from reconciler.sandbox.wire import JSON, ApiRequest, Reply, error_reply, read_target
from reconciler.sandbox.world import World

#: requests the log holds: about half a kilobyte each, and 64 million characters of bodies in all
LOG_CAPACITY = 50_000
_STOP_SECONDS = 5.0


class Sandbox:
    """A Databricks workspace to talk to. Several may run in one process, each with a port of its own."""

    def __init__(
        self,
        seed: Seed,
        knobs: Knobs | None = None,
        state_file: Path | None = None,
        *,
        log_capacity: int = LOG_CAPACITY,
    ) -> None:
        self._world = World(seed, knobs or Knobs(), state_file, log_capacity)

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serves in this event loop and gives the address, `http://127.0.0.1:PORT`."""
        server = web.Server(self._handle, access_log=None)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            bound = runner.addresses[0]
            url = f"http://{host}:{bound[1]}"
            self._world.listening(url)
            yield url
        finally:
            await runner.cleanup()

    @contextmanager
    def serving(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serves in a thread of its own, for callers that are not asynchronous."""
        thread = _ServerThread(self, host, port)
        thread.start()
        try:
            yield thread.address()
        finally:
            thread.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        came_at = asyncio.get_running_loop().time()
        path, query = read_target(request.raw_path)
        asked = ApiRequest(request.method, path, query, request.headers, await request.content.read())
        request_id = str(uuid.uuid4())
        if path.startswith(PREFIX):
            reply = control_reply(self._world, asked, request_id)
            self._world.save()
            return self._response(reply, request_id)
        self._world.under_way += 1
        try:
            return await self._carry_out(request, asked, request_id, came_at)
        finally:
            self._world.under_way -= 1

    async def _carry_out(
        self, request: web.BaseRequest, asked: ApiRequest, request_id: str, came_at: float
    ) -> web.StreamResponse:
        """A read is done before the wait: of many that came together and are due together, none then waits for the work
        of the others. A write is done after it: whoever is killed meanwhile leaves one that is still on its way."""
        is_read = asked.method == "GET"
        if not is_read:
            await self._wait(came_at)
        fault = self._world.faults.strike(asked.method, asked.path)
        if fault is not None and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        given, is_dropped = self._answer(asked, request_id, fault)
        self._record(asked, request_id, given, fault, is_dropped=is_dropped)
        if is_read:
            await self._wait(came_at)
        if is_dropped and request.transport is not None:
            request.transport.abort()
        return self._response(given.reply, request_id)

    async def _wait(self, came_at: float) -> None:
        """Until the latency is over, counted from when the request came."""
        if self._world.latency_ms:
            due_at = came_at + self._world.latency_ms / 1000
            await asyncio.sleep(max(0.0, due_at - asyncio.get_running_loop().time()))

    def _answer(self, asked: ApiRequest, request_id: str, fault: FaultRule | None) -> tuple[Answer, bool]:
        world = self._world
        if fault is not None and not (fault.after_handler or fault.delay_only):
            return Answer(_fault_reply(fault, request_id), route_of(asked)), fault.drop_connection
        given = answer(world.state, world.sessions, world.throttle, asked, request_id)
        world.save()
        if fault is None or fault.delay_only:
            return given, False
        return Answer(_fault_reply(fault, request_id), given.route, given.principal), fault.drop_connection

    def _record(
        self, asked: ApiRequest, request_id: str, given: Answer, fault: FaultRule | None, *, is_dropped: bool
    ) -> None:
        path, query = without_secrets(asked.path, asked.raw_query)
        entry = LogEntry(
            sequence=self._world.log.next_sequence(),
            at=self._world.state.clock.now(),
            method=asked.method,
            path=path,
            query=query,
            body=body_without_secrets(asked.body),
            principal=given.principal,
            status=None if is_dropped else given.reply.status,
            request_id=request_id,
            route=given.route,
            fault=None if fault is None else fault.moment,
        )
        self._world.log.add(entry)

    def _response(self, reply: Reply, request_id: str) -> web.Response:
        headers = {
            "X-Request-Id": request_id,
            "X-Databricks-Org-Id": str(self._world.state.seed.workspace_id),
            **reply.headers,
        }
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type, headers=headers)


class _ServerThread(threading.Thread):
    """Runs a sandbox in an event loop of its own until told to stop."""

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        super().__init__(name="sandbox", daemon=True)
        self._sandbox, self._host, self._port = sandbox, host, port
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._is_up = threading.Event()
        self._url = ""
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._loop.close()
            self._is_up.set()

    def address(self) -> str:
        self._is_up.wait()
        if self._failure is not None:
            raise self._failure
        return self._url

    def stop(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self.join(_STOP_SECONDS)

    async def _serve(self) -> None:
        async with self._sandbox.serve(self._host, self._port) as self._url:
            self._is_up.set()
            await self._stopping.wait()


def _fault_reply(fault: FaultRule, request_id: str) -> Reply:
    if fault.body is None:
        return error_reply(
            ApiError(fault.status, fault.error_code, fault.message, retry_after=fault.retry_after), request_id
        )
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if isinstance(fault.body, str):
        kind = "text/html" if fault.body.startswith("<") else "text/plain"
        return Reply(fault.status, fault.body.encode(), kind, headers)
    return Reply(fault.status, json.dumps(fault.body).encode(), JSON, headers)
