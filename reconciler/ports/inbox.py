"""Packs handed in over HTTP, from the moment they are accepted until they are submitted: so that nothing is lost or
done twice whenever the process ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from reconciler.core.key import PackId


class UploadStatus(StrEnum):
    #: Accepted; not known to be in Git.
    RECEIVED = "received"
    #: In Git, and the pack's rows say IN_PROGRESS; not known to be submitted. Or a pull request is open for it.
    COMMITTED = "committed"
    SUBMITTED = "submitted"
    #: The file has problems; nothing was committed.
    REJECTED = "rejected"
    #: Nothing was committed: Git could not be written, a later file of the pack came first, it does not go with
    #: the other packs any more, or its pull request was closed. `reason` says which.
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self not in {UploadStatus.RECEIVED, UploadStatus.COMMITTED}


@dataclass(frozen=True, slots=True)
class Upload:
    id: UUID
    pack: PackId
    path: str
    #: The file that the pack had before, when it is another one; empty otherwise.
    former_path: str
    content: bytes
    #: SHA-256 of `content`, in hex.
    digest: str
    workspace: str
    requestor: str
    #: `Caller.name` of who handed it in.
    caller: str
    status: UploadStatus = UploadStatus.RECEIVED
    commit: str = ""
    #: Number of the pull request, when it goes by one.
    pull_request: int | None = None
    #: Problems (as JSON text) or why it failed.
    reason: str = ""
    received_at: datetime | None = None
    #: None before it is in Git.
    share_pack_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """The pack's rows."""

    share_pack_id: UUID
    share_pack_name: str


class Inbox(Protocol):
    """Every method is one transaction and raises LedgerError."""

    async def receive(self, upload: Upload, *, anew: bool = False) -> Upload:
        """Keep it; or give back the newest one of the same pack when that has the same digest and neither failed nor
        was rejected: the same file handed in again is the same upload. Whoever of several comes first is kept. What
        comes back has its content.
        `anew`: Git has something else by now, so one that is final does not count."""

    async def reject(self, upload: Upload) -> None:
        """Keep it as REJECTED, content left out."""

    async def committed(self, upload: Upload, commit: str, *, strategy: str, share_pack_name: str) -> Entered:
        """It is in Git: status COMMITTED, and the rows of tenant, project, pack (IN_PROGRESS) and request are there. A
        pack that is on record keeps its id and name. Said again, nothing is written."""

    async def proposed(self, upload: Upload, commit: str, pull_request: int) -> None:
        """It is in a pull request."""

    async def end(self, upload_id: UUID, status: UploadStatus, reason: str = "") -> None:
        """SUBMITTED or FAILED; the content is dropped, and one that has ended before stays as it was. When nothing came
        of it, the pack's row says again what it said before; that of a new pack says FAILED, with the reason."""

    async def unfinished(self, older_than: float) -> Sequence[Upload]:
        """RECEIVED or COMMITTED for so many seconds at least, oldest first, with content."""

    async def find(self, upload_id: UUID) -> Upload | None:
        """Content left out."""

    async def uploads(self, pack: PackId, limit: int = 20) -> Sequence[Upload]:
        """Of a pack, newest first, content left out."""
