"""Every change we ever make at Databricks, one frozen dataclass per API call. UNMANAGED fields are not sent."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Authentication
from reconciler.core.resource import Resource
from reconciler.core.share import SharedObject

#: More updates in one share PATCH are refused (contract 4.4).
OBJECT_UPDATES_PER_CALL: Final = 100


@dataclass(frozen=True, slots=True)
class CreateRecipient:
    key: Key
    authentication: Authentication
    allowed_ips: Managed[tuple[str, ...]] = UNMANAGED
    comment: Managed[str] = UNMANAGED


@dataclass(frozen=True, slots=True)
class UpdateRecipient:
    key: Key
    #: The whole list: Databricks replaces it; the empty one opens access from anywhere.
    allowed_ips: Managed[tuple[str, ...]] = UNMANAGED
    comment: Managed[str] = UNMANAGED


@dataclass(frozen=True, slots=True)
class DeleteRecipient:
    key: Key


@dataclass(frozen=True, slots=True)
class CreateShare:
    """A new share is always empty (contract 4.1)."""

    key: Key
    comment: Managed[str] = UNMANAGED


@dataclass(frozen=True, slots=True)
class UpdateShare:
    key: Key
    comment: Managed[str] = UNMANAGED
    remove: tuple[SharedObject, ...] = ()
    add: tuple[SharedObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeGrants:
    """SELECT on a share, given to and taken from recipients by name."""

    key: Key
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteShare:
    key: Key


Call: TypeAlias = (
    CreateRecipient | UpdateRecipient | DeleteRecipient | CreateShare | UpdateShare | ChangeGrants | DeleteShare
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call, and what our record says of the resource once it has succeeded (None: it is gone)."""

    call: Call
    after: Resource | None

    @property
    def key(self) -> Key:
        return self.call.key
