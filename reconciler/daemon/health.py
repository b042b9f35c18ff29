"""Says over HTTP whether the process lives, whether it can do its work, and what it counts. What that means is asked of
whoever starts it; nothing a client sends is repeated, and no answer is waited for longer than a few seconds."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, TypeVar

from aiohttp import web

from reconciler.daemon.scrubbing import Scrubber

T = TypeVar("T")

#: Seconds for an answer to be found; whoever asks gives up about then.
ANSWER_SECONDS: Final = 5.0
#: Seconds a connection lasts at most, however slowly it sends.
CONNECTION_SECONDS: Final = 15.0
_CONTENT_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"
_REASONS: Final = {
    errno.EADDRINUSE: "another process uses it; stop that one or give another port",
    errno.EACCES: "this account may not listen there; give a port above 1023",
    errno.EADDRNOTAVAIL: "this machine does not have that address; give one it has, or 0.0.0.0 for all",
}


class HealthServerError(Exception):
    """The health endpoints cannot be served; says where, why and what to do."""


class Condition(StrEnum):
    OK = "ok"
    #: It works, but not as it should.
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Part:
    condition: Condition = Condition.OK
    #: What is the matter, for people; empty when nothing is.
    words: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the process needs for its work. Without queue, Git or Databricks it goes on, more slowly or with the last
    good commit; without the database it does nothing."""

    database: Part
    queue: Part
    git: Part
    databricks: Part
    is_stopping: bool = False

    @property
    def is_ready(self) -> bool:
        return not self.is_stopping and self.database.condition is not Condition.DOWN

    @property
    def summary(self) -> str:
        if self.is_stopping:
            return "stopping"
        if not self.is_ready:
            return "down"
        parts = (self.database, self.queue, self.git, self.databricks)
        return "ok" if all(part.condition is Condition.OK for part in parts) else "degraded"

    def document(self) -> dict[str, Any]:
        parts = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "is_stopping"}
        return {
            "status": self.summary,
            "parts": {name: {"status": part.condition, "words": part.words} for name, part in parts.items()},
        }


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@asynccontextmanager
async def serve_health(
    host: str,
    port: int,
    *,
    is_alive: Callable[[], str],
    is_ready: Callable[[], Awaitable[Readiness]],
    metrics: Callable[[], Awaitable[bytes]],
    scrub: Callable[[str], str] | None = None,
) -> AsyncIterator[Address]:
    """`/livez`, `/readyz` and `/metrics`, as long as the context is open. `is_alive` answers "" when all is well, or
    why not. Port 0: any that is free. Raises HealthServerError."""
    server = _Server(_Endpoints(is_alive, is_ready, metrics, scrub or Scrubber()))
    runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        bound = runner.addresses[0]
        yield Address(str(bound[0]), int(bound[1]))
    finally:
        await runner.cleanup()


async def _listen(runner: web.ServerRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        words = _REASONS.get(number or 0) or "it cannot be listened on; give an address and a port of this machine"
    else:
        return
    raise HealthServerError(f"health endpoints on port {port} of {host}: {words}")


class _Endpoints:
    def __init__(
        self,
        is_alive: Callable[[], str],
        is_ready: Callable[[], Awaitable[Readiness]],
        metrics: Callable[[], Awaitable[bytes]],
        scrub: Callable[[str], str],
    ) -> None:
        self._is_alive, self._is_ready, self._metrics, self._scrub = is_alive, is_ready, metrics, scrub

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        answers = {"/livez": self._livez, "/readyz": self._readyz, "/metrics": self._measured}
        found = answers.get(request.path)
        if found is None:
            return _text(404, "not found; there are /livez, /readyz and /metrics")
        if request.method not in {"GET", "HEAD"}:
            return _text(405, "only GET and HEAD", Allow="GET, HEAD")
        try:
            return await found()
        except Exception as error:  # noqa: BLE001 - whatever fails behind it, the answer is "not well"
            return _text(503, f"no answer: {type(error).__name__}")

    async def _livez(self) -> web.Response:
        reason = self._is_alive()
        return _text(503, self._scrub(reason)) if reason else _text(200, "ok")

    async def _readyz(self) -> web.Response:
        readiness = await _in_time(self._is_ready())
        body = self._scrub(json.dumps(readiness.document(), ensure_ascii=False, indent=2) + "\n")
        status = 200 if readiness.is_ready else 503
        return _closing(web.Response(status=status, text=body, content_type="application/json"))

    async def _measured(self) -> web.Response:
        body = await _in_time(self._metrics())
        return _closing(web.Response(body=body, headers={"Content-Type": _CONTENT_TYPE}))


async def _in_time(answer: Awaitable[T]) -> T:
    async with asyncio.timeout(ANSWER_SECONDS):
        return await answer


def _text(status: int, words: str, **headers: str) -> web.Response:
    return _closing(web.Response(status=status, text=f"{words}\n", headers=headers))


def _closing(response: web.Response) -> web.Response:
    """Who asks comes back in seconds at the earliest, and a connection kept meanwhile helps nobody."""
    response.force_close()
    response.headers["Server"] = "sharepack"
    response.headers["Cache-Control"] = "no-store"
    return response


class _Connection(web.RequestHandler):
    """Lives for a bounded time, and says of what it cannot read only that."""

    __slots__ = ("_end",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._end = asyncio.get_running_loop().call_later(CONNECTION_SECONDS, transport.close)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - aiohttp's signature
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        phrase = "error"
        with suppress(ValueError):
            phrase = HTTPStatus(status).phrase
        return _text(status, phrase)


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        loop = asyncio.get_running_loop()
        return _Connection(
            self,
            loop=loop,
            # None turns it off; the annotation does not know.
            access_log=None,  # type: ignore[arg-type]
            keepalive_timeout=ANSWER_SECONDS,
            lingering_time=1.0,
        )
