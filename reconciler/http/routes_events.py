"""What happens to packs, as server-sent events: a line of the record each, from where the listener has left off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse

from reconciler.core.permits import Caller
from reconciler.http import models
from reconciler.http.answers import answers
from reconciler.http.auth import Doorkeeper, Reader
from reconciler.http.limits import too_often
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError
from reconciler.http.routes_packs import parts_of
from reconciler.ports.archive import Happening
from reconciler.ports.ledger_errors import LedgerError

router: Final = APIRouter(prefix="/workflow")

#: Streams at once, in all and of one caller.
_MOST: Final = 200
_MOST_OF_ONE: Final = 20
_NUMBER: Final = r"^[0-9]{0,18}$"
_DESCRIBED: Final[dict[str, Any]] = {
    "description": "Events `sharepack`, whose data is an `Event` as JSON; comments are signs of life.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


class Streams:
    """Who listens, and whether it is time to stop."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self._open: dict[str, int] = {}

    def enter(self, name: str) -> None:
        """Raises HttpError (429)."""
        if sum(self._open.values()) >= _MOST or self._open.get(name, 0) >= _MOST_OF_ONE:
            raise too_often(30)
        self._open[name] = self._open.get(name, 0) + 1

    def leave(self, name: str) -> None:
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]

    async def stops_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        return self.stopping.is_set()


@router.get(
    "/events",
    tags=["Events"],
    summary="What happens, as it happens",
    response_class=StreamingResponse,
    responses=answers(status_200=_DESCRIBED),
)
async def events(
    request: Request,
    caller: Reader,
    *,
    sharepack: Annotated[UUID | None, Query(description="Only of this share pack.")] = None,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", pattern=_NUMBER)] = "",
) -> StreamingResponse:
    """From the event after `Last-Event-ID` on, or from now on. The stream ends after an hour at most: come back with
    the id of the last event."""
    parts = parts_of(request)
    after = int(last_event_id or 0) or await parts.archive.newest_happening()
    streams: Streams = request.app.state.streams
    streams.enter(caller.name)
    return StreamingResponse(
        _Stream(parts, streams, request, caller).lines(after, sharepack), media_type="text/event-stream"
    )


class _Stream:
    def __init__(self, parts: Parts, streams: Streams, request: Request, caller: Caller) -> None:
        self._parts, self._streams, self._request, self._caller = parts, streams, request, caller

    async def lines(self, after: int, only: UUID | None) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        begun_at = told_at = loop.time()
        try:
            yield "retry: 3000\n\n"
            while loop.time() - begun_at < self._parts.longest_stream:
                happened = await self._happened(after)
                for each in happened:
                    after = each.number
                    if only is None or each.state.share_pack_id == only:
                        yield event_text(each, self._parts.scrub)
                        told_at = loop.time()
                if loop.time() - told_at >= self._parts.heartbeat_every:
                    if not await self._is_still_welcome():
                        return
                    yield f"id: {after}\n: \n\n"
                    told_at = loop.time()
                if not happened and await self._streams.stops_within(self._parts.events_every):
                    return
        finally:
            self._streams.leave(self._caller.name)

    async def _happened(self, after: int) -> tuple[Happening, ...]:
        """Nothing while the database does not answer: it is asked again, and nothing is lost."""
        with suppress(LedgerError):
            return tuple(await self._parts.archive.happenings(after, self._caller.lines))
        return ()

    async def _is_still_welcome(self) -> bool:
        """A key may have ended or been revoked since."""
        doorkeeper: Doorkeeper = self._request.app.state.doorkeeper
        with suppress(LedgerError):
            try:
                return await doorkeeper.admit(self._request.scope) == self._caller
            except HttpError as problem:
                return problem.status != 401
        return True


def event_text(happening: Happening, scrub: Callable[[str], str]) -> str:
    state = happening.state
    data = models.Event(
        share_pack_id=state.share_pack_id,
        share_pack_name=state.share_pack_name,
        business_line=state.pack.business_line,
        project_name=state.pack.project_name,
        status=state.status.value,
        provisioning_status=scrub(state.provisioning_status),
        error_message=scrub(state.error_message),
        at=happening.at,
    )
    # JSON has no bare line ends, which would end the event.
    return f"id: {happening.number}\nevent: sharepack\ndata: {data.model_dump_json(by_alias=True)}\n\n"
