"""What Databricks says about one resource. Only a 404 on the very name is absence; anything else is unreadable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.key import Key
from reconciler.core.resource import Resource
from reconciler.core.share import SharedObject


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a recipient, without anything secret. Times are epoch milliseconds."""

    id: str
    created_at: int
    #: None: it never ends.
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The resource as it is: every field that can be read has a value, none is UNMANAGED."""

    resource: Resource
    owner: str = ""
    updated_by: str = ""
    #: Epoch milliseconds; None where Databricks does not tell.
    updated_at: int | None = None
    #: Of a recipient with tokens: those listed, newest first.
    tokens: tuple[Token, ...] = ()
    #: Of a share: objects its owner may no longer read, so that nobody gets them (status PERMISSION_DENIED).
    denied: frozenset[SharedObject] = frozenset()


@dataclass(frozen=True, slots=True)
class Absent:
    """Databricks answered 404 for this name."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Refused or unreachable: the resource may or may not exist."""

    reason: str
    #: Databricks asked everybody to wait, so many seconds (0: it did not say how many); None: it is not that.
    retry_after: float | None = field(default=None, compare=False)


Observed: TypeAlias = Found | Absent | Unreadable
Actual: TypeAlias = Mapping[Key, Observed]
