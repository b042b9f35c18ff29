"""A recipient: who outside may be granted shares, and how it proves who it is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from reconciler.core.managed import UNMANAGED, Managed


@dataclass(frozen=True, slots=True)
class TokenSharing:
    """D2O: an outside partner that reads with a bearer token."""

    def __str__(self) -> str:
        return "D2O"


@dataclass(frozen=True, slots=True)
class OidcSharing:
    """D2O: an outside partner that signs in at its own identity provider (OIDC_FEDERATION)."""

    def __str__(self) -> str:
        return "D2O with OIDC"


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


Authentication: TypeAlias = TokenSharing | OidcSharing | DatabricksSharing | OtherSharing


def is_open(authentication: Authentication) -> bool:
    """Whether somebody outside Databricks reads (D2O), so that nothing but our own guards limits what they see."""
    return not isinstance(authentication, DatabricksSharing)


class SubjectClaim(StrEnum):
    """Values of `subject_claim` (contract 2.9)."""

    OID = "oid"
    AZP = "azp"
    GROUPS = "groups"
    SUB = "sub"


@dataclass(frozen=True, slots=True)
class FederationPolicy:
    """Whom an identity provider must name for an OIDC recipient to be let in. It cannot be changed, only replaced."""

    #: Lower-case letters, digits and hyphens; unique in its recipient.
    name: str
    issuer: str
    subject_claim: SubjectClaim
    subject: str
    audiences: frozenset[str] = frozenset()
    comment: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.subject_claim} {self.subject} at {self.issuer})"


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
    #: A user, group or service principal.
    owner: Managed[str] = UNMANAGED
    #: Names with their values, without the `databricks.*` ones, which belong to the server.
    properties: Managed[frozenset[tuple[str, str]]] = UNMANAGED
    #: When the newest token ends, in epoch milliseconds. It can only be brought forward (contract 2.3).
    expires_at: Managed[int] = UNMANAGED
    policies: Managed[frozenset[FederationPolicy]] = UNMANAGED
    #: Seconds that a token lives from when it is issued; less than the metastore's own limit. Kept in our record only.
    token_lifetime: Managed[int] = UNMANAGED
    #: Seconds after which a token is replaced by a new one. Kept in our record only.
    rotate_every: Managed[int] = UNMANAGED
    #: Seconds that the old token goes on working beside the new one. Kept in our record only.
    rotation_overlap: Managed[int] = UNMANAGED
    #: May not be deleted. Kept in our record only, so that lifting it and deleting are two commits.
    protect: bool = False
