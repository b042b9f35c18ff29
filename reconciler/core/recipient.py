"""A recipient: who outside may be granted shares, and how it proves who it is."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.managed import UNMANAGED, Managed


@dataclass(frozen=True, slots=True)
class TokenSharing:
    """D2O: an outside partner that reads with a bearer token."""

    def __str__(self) -> str:
        return "D2O"


@dataclass(frozen=True, slots=True)
class DatabricksSharing:
    """D2D: another Databricks metastore."""

    #: `<cloud>:<region>:<uuid>`, lower case.
    metastore_id: str

    def __str__(self) -> str:
        return f"D2D with metastore {self.metastore_id}"


@dataclass(frozen=True, slots=True)
class OtherSharing:
    """A way to authenticate that exists at Databricks and that no pack can declare (yet)."""

    authentication_type: str

    def __str__(self) -> str:
        return self.authentication_type


Authentication: TypeAlias = TokenSharing | DatabricksSharing | OtherSharing


@dataclass(frozen=True, slots=True)
class Recipient:
    name: str
    #: Fixed at creation; another one means another recipient.
    authentication: Authentication
    #: Whom to hand the activation link to. Kept in our record only: Databricks has no place for it.
    email: Managed[str] = UNMANAGED
    #: Canonical IPv4 addresses and CIDR ranges; the empty set lets everybody in.
    allowed_ips: Managed[frozenset[str]] = UNMANAGED
    comment: Managed[str] = UNMANAGED
