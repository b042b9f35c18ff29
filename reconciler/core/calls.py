"""Every change we ever make at Databricks, one frozen dataclass per API call. UNMANAGED fields are not sent."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Authentication, FederationPolicy
from reconciler.core.resource import Resource
from reconciler.core.share import SharedObject

#: More updates in one share PATCH are refused (contract 4.4).
OBJECT_UPDATES_PER_CALL: Final = 100

#: Names and values of recipient properties, sorted.
Properties: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CreateRecipient:
    key: Key
    authentication: Authentication
    allowed_ips: Managed[tuple[str, ...]] = UNMANAGED
    comment: Managed[str] = UNMANAGED
    properties: Managed[Properties] = UNMANAGED
    #: Epoch milliseconds.
    expires_at: Managed[int] = UNMANAGED
    #: Seconds from when the call is made; never together with `expires_at`.
    expires_in: Managed[int] = UNMANAGED


@dataclass(frozen=True, slots=True)
class UpdateRecipient:
    key: Key
    #: The whole list: Databricks replaces it; the empty one opens access from anywhere.
    allowed_ips: Managed[tuple[str, ...]] = UNMANAGED
    comment: Managed[str] = UNMANAGED
    #: All of them: Databricks replaces the map and keeps its own `databricks.*`.
    properties: Managed[Properties] = UNMANAGED
    #: Epoch milliseconds; can only be brought forward.
    expires_at: Managed[int] = UNMANAGED
    #: Seconds from when the call is made; never together with `expires_at`.
    expires_in: Managed[int] = UNMANAGED


@dataclass(frozen=True, slots=True)
class RotateToken:
    """A new token, with a new activation link; the old one goes on for `overlap` seconds (0: it ends now)."""

    key: Key
    #: The token that was the newest when this was decided. Once another is newer, the rotation has been done.
    token_id: str
    overlap: int
    #: When that token ends by itself, in epoch milliseconds; UNMANAGED: never.
    ends_at: Managed[int] = UNMANAGED

    def overlap_at(self, now: int) -> int:
        """Seconds that can be asked for at `now`, in epoch milliseconds: the old token's end cannot be put off, and
        asking for more than is left of it is refused (contract 2.5)."""
        if self.ends_at is UNMANAGED:
            return self.overlap
        return max(0, min(self.overlap, (self.ends_at - now) // 1000))


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    key: Key
    policy: FederationPolicy


@dataclass(frozen=True, slots=True)
class DeletePolicy:
    key: Key
    name: str


@dataclass(frozen=True, slots=True)
class DeleteRecipient:
    key: Key


@dataclass(frozen=True, slots=True)
class CreateShare:
    """A new share is always empty (contract 4.1)."""

    key: Key
    comment: Managed[str] = UNMANAGED
    storage_root: Managed[str] = UNMANAGED


@dataclass(frozen=True, slots=True)
class UpdateShare:
    key: Key
    comment: Managed[str] = UNMANAGED
    storage_root: Managed[str] = UNMANAGED
    remove: tuple[SharedObject, ...] = ()
    add: tuple[SharedObject, ...] = ()
    #: Objects that stay, with only what changes (and, where known, the alias they have: contract 4.4).
    change: tuple[SharedObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeGrants:
    """SELECT on a share, given to and taken from recipients by name."""

    key: Key
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteShare:
    key: Key


@dataclass(frozen=True, slots=True)
class ChangeOwner:
    """A request of its own: an administrator who is not the owner may send nothing else (contract 4.5)."""

    key: Key
    owner: str


@dataclass(frozen=True, slots=True)
class Rename:
    """In place: token, activation link, grants and history stay."""

    #: What it is called afterwards.
    key: Key
    old_name: str


Call: TypeAlias = (
    CreateRecipient
    | UpdateRecipient
    | RotateToken
    | CreatePolicy
    | DeletePolicy
    | DeleteRecipient
    | CreateShare
    | UpdateShare
    | ChangeGrants
    | DeleteShare
    | ChangeOwner
    | Rename
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call, and what our record says of the resource once it has succeeded (None: it is gone)."""

    call: Call
    after: Resource | None

    @property
    def key(self) -> Key:
        return self.call.key
