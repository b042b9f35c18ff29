"""What stands around every request: its correlation id, the headers of its answer, one line in the log, and an answer
when something fails that nobody foresaw."""

import time
from urllib.parse import unquote_to_bytes

from loguru import logger
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.http.headers import correlation_of, protect, with_correlation
from reconciler.http.problems import HttpError, answer

#: Where `auth` says who calls, for the log.
CALLER = "sharepack.caller"


class Surroundings:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = with_correlation(scope)
        correlation_id = correlation_of(known)
        begun = time.perf_counter()
        status = 0

        async def protected(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                protect(MutableHeaders(scope=message), correlation_id)
            await send(message)

        with logger.contextualize(correlation_id=correlation_id):
            try:
                await self._answered(known, receive, protected)
            except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer and the log a line
                logger.opt(exception=error).error("a request failed")
                if not status:
                    problem = HttpError(500, "this is a fault of the server; its log says more", kind="fault")
                    await answer(known, problem)(known, receive, protected)
            finally:
                _tell(known, status, time.perf_counter() - begun)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"\x00" in unquote_to_bytes(scope["raw_path"]) or b"\x00" in unquote_to_bytes(scope["query_string"]):
            problem = HttpError(400, "an address has no NUL characters", kind="address")
            await answer(scope, problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    """Never the address as it was sent, which may hold what is nobody's business, and no header."""
    route = getattr(scope.get("route"), "path", "-")
    caller = scope.get("state", {}).get(CALLER, "-")
    told = logger.bind(method=scope["method"] if scope["method"].isalpha() else "-", route=route, status=status)
    told.bind(milliseconds=round(seconds * 1000, 1), caller=caller).info("request answered")
