"""API keys: who made them, for whom, and until when. The secret of a key is known to its holder alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reconciler.core.permits import Right


@dataclass(frozen=True, slots=True)
class ApiKey:
    #: Eight characters, part of the key and no secret.
    id: str
    #: For people, such as `portal`.
    name: str
    right: Right
    #: As they were written; None: all of them.
    lines: tuple[str, ...] | None
    created_by: str
    created_at: datetime | None = None
    #: None: it does not end by itself.
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    #: To the minute.
    used_at: datetime | None = None


class Keyring(Protocol):
    """Every method raises LedgerError."""

    async def add(self, key: ApiKey, digest: bytes) -> None:
        """`digest`: SHA-256 of the secret part, which is 256 random bits."""

    async def find(self, key_id: str) -> tuple[ApiKey, bytes] | None:
        """With its digest, also when it has ended or was revoked."""

    async def used(self, key_id: str) -> None: ...

    async def keys(self) -> Sequence[ApiKey]:
        """Newest first, ended ones too."""

    async def revoke(self, key_id: str, by: str) -> bool:
        """False: there is no such key, or it was revoked before."""
