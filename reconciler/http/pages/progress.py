"""How far a pack is, as it changes, for the page that shows it: server-sent events until it came to an end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from reconciler.core.permits import Caller
from reconciler.core.recorded import PackStatus
from reconciler.http.pages.pack import progress_words
from reconciler.http.pages.visiting import Visit, admitted
from reconciler.http.problems import HttpError
from reconciler.http.routes_events import Streams
from reconciler.ports.ledger_errors import LedgerError
from reconciler.ports.records import PackState

_RETRY: Final = "retry: 3000\n\n"


async def states(visit: Visit, caller: Caller, streams: Streams, share_pack_id: UUID) -> AsyncIterator[str]:
    """Ends with the first state that is final. Gives back the place that the caller took among the streams."""
    parts = visit.parts
    loop = asyncio.get_running_loop()
    begun_at = looked_at = loop.time()
    told = ""
    try:
        yield _RETRY
        while loop.time() - begun_at < parts.longest_stream:
            event, is_final = await _now(visit, share_pack_id)
            if event not in {"", told}:
                told = event
                yield event
            if is_final or await streams.stops_within(parts.events_every):
                return
            if loop.time() - looked_at >= parts.heartbeat_every:
                looked_at = loop.time()
                if not await _is_still_welcome(visit, caller):
                    return
                yield ": \n\n"
    finally:
        streams.leave(caller.name)


async def _now(visit: Visit, share_pack_id: UUID) -> tuple[str, bool]:
    """Nothing while the database does not answer: it is asked again."""
    with suppress(LedgerError):
        state = await visit.parts.archive.pack(share_pack_id)
        return ("", True) if state is None else (_event(state), _is_final(state))
    return "", False


def _event(state: PackState) -> str:
    # JSON has no bare line ends, which would end the event.
    return f"event: state\ndata: {json.dumps({'said': progress_words(state), 'is_final': _is_final(state)})}\n\n"


def _is_final(state: PackState) -> bool:
    return state.is_deleted or state.status is not PackStatus.IN_PROGRESS


async def _is_still_welcome(visit: Visit, caller: Caller) -> bool:
    """A key may have ended or been revoked since."""
    with suppress(LedgerError):
        try:
            return (await admitted(visit.request)).caller == caller
        except HttpError as problem:
            return problem.status != 401
    return True
