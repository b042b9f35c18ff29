"""Which pack an id means, for a caller who may see it. What they may not see is answered like what is not there, after
the same questions to the database."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from reconciler.core.permits import Caller
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError
from reconciler.ports.inbox import Upload
from reconciler.ports.records import PackState


@dataclass(frozen=True, slots=True)
class OnRecord:
    state: PackState


@dataclass(frozen=True, slots=True)
class HandedIn:
    """Not on record as a pack: on its way, refused, or waiting for review."""

    upload: Upload


Found: TypeAlias = OnRecord | HandedIn


async def find(parts: Parts, caller: Caller, share_pack_id: UUID) -> Found:
    """By the id of a pack or of an upload. Raises HttpError (404)."""
    state = await parts.archive.pack(share_pack_id)
    if state is not None and caller.may_read(state.pack.business_line):
        return OnRecord(state)
    upload = await parts.inbox.find(share_pack_id)
    if upload is None or not (caller.may_read(upload.pack.business_line) or _is_own(upload, caller)):
        raise missing()
    if upload.share_pack_id is not None:
        entered = await parts.archive.pack(upload.share_pack_id)
        if entered is not None and caller.may_read(entered.pack.business_line):
            return OnRecord(entered)
    return HandedIn(upload)


def _is_own(upload: Upload, caller: Caller) -> bool:
    """A file that could not be read is nobody's business but its sender's."""
    return not upload.pack.business_line and upload.caller == caller.name


async def find_on_record(parts: Parts, caller: Caller, share_pack_id: UUID) -> PackState:
    """Raises HttpError (404)."""
    found = await find(parts, caller, share_pack_id)
    if isinstance(found, HandedIn):
        raise missing()
    return found.state


def missing() -> HttpError:
    return HttpError(404, "there is nothing of this id that you may see", kind="not-found")
