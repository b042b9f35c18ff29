"""Runs the application under uvicorn in the loop that is there, and says where. Whoever starts it owns the signals."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from reconciler.http.routes_events import Streams

#: Bytes of a request line and its headers.
_HEADER_BYTES: Final = 32_768
_CONNECTIONS: Final = 1_000
_STOP_SECONDS: Final = 5
_KEEP_ALIVE_SECONDS: Final = 30
_REASONS: Final = {
    errno.EADDRINUSE: "another process uses it; stop that one or give another port",
    errno.EACCES: "this account may not listen there; give a port above 1023",
    errno.EADDRNOTAVAIL: "this machine does not have that address; give one it has, or 0.0.0.0 for all",
}


class ServingError(Exception):
    """The API cannot be served; says where, why and what to do."""


@asynccontextmanager
async def serve(app: FastAPI, host: str, port: int, stop: asyncio.Event) -> AsyncIterator[str]:
    """Gives the address, such as `http://127.0.0.1:8000`; port 0 takes any that is free. `stop` is set when the server
    ends by itself; when it is set from outside, no more requests are taken, and streams end. Raises ServingError."""
    bound = _bound(host, port)
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve(sockets=[bound]))
    task.add_done_callback(lambda _: stop.set())
    stopping = asyncio.create_task(_stop(app, server, stop))
    try:
        await _started(server, task)
        yield _address(bound)
    finally:
        stop.set()
        await stopping
        await task
        bound.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are somebody else's."""
        yield


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # What proxies say is looked at in `headers`, and only when they are trusted.
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.setblocking(False)  # noqa: FBT003 - its only argument
        except BaseException:
            bound.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        words = _REASONS.get(number, "it cannot be listened on; give an address and a port of this machine")
    else:
        return bound
    raise ServingError(f"the API on port {port} of {host}: {words}")


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    while not server.started:
        if task.done():
            raise ServingError("the API could not be started; the log says why")
        await asyncio.sleep(0.01)


async def _stop(app: FastAPI, server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    streams: Streams = app.state.streams
    streams.stopping.set()
    server.should_exit = True
