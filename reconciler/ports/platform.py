"""Databricks, as the stages see it: read what is asked about, perform one call. Two failures exist, no others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.actual import Actual
from reconciler.core.calls import Call
from reconciler.core.key import Key, Kind
from reconciler.core.recipient import FederationPolicy
from reconciler.core.resolve import Catalog, Sought
from reconciler.core.rights import Caller


@dataclass(frozen=True, slots=True)
class CallReceipt:
    """Databricks did what was asked."""

    #: `X-Request-Id` of the answer; empty where there was none.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the pages of a list told. The fields they do not carry are UNMANAGED: a share's objects and recipients, a
    recipient's policies, and perhaps its tokens."""

    resources: Actual
    #: How many there were.
    pages: int


class UnavailableError(Exception):
    """Databricks cannot be reached or asks to wait; trying again later can help."""

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        maybe_done: bool = False,
        throttled: bool = False,
        understood: bool = True,
        request_id: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        #: Seconds Databricks asks to wait.
        self.retry_after = retry_after
        #: The request may have taken effect although no answer said so: read before repeating it.
        self.maybe_done = maybe_done
        #: Too many requests (429): everybody who calls this workspace should wait.
        self.throttled = throttled
        #: False: nobody knows whether trying again can help (an error without a known code, an answer that is none).
        self.understood = understood
        self.request_id = request_id


class RefusedError(Exception):
    """Databricks said no; the same call will be refused again until somebody changes something."""

    def __init__(self, reason: str, *, code: str = "", request_id: str = "", missing: bool = False) -> None:
        super().__init__(f"{code}: {reason}" if code else reason)
        self.reason = reason
        #: Databricks' `error_code`, such as PERMISSION_DENIED.
        self.code = code
        self.request_id = request_id
        #: Something the call names does not exist (404). Right after it was made, that passes.
        self.missing = missing


class Platform(Protocol):
    async def observe(self, keys: Collection[Key]) -> Actual:
        """An entry for every key, read in parallel; 404 is Absent, any other failure is Unreadable."""

    async def look_up(self, workspace: str, sought: Collection[Sought]) -> Catalog:
        """What the catalog says of each object, asked in parallel and once for each; None when there is no such object.

        With a type that is not UNMANAGED the object is looked for where such objects are; when something else has the
        name (a view that was said to be a table), that is what is answered. What could not be looked up (no privilege,
        no answer) is left out. A right that could not be found out is taken for given: then Databricks will say.
        """

    async def caller(self, workspace: str) -> Caller:
        """Who calls, and what the metastore lets it do; asked once. Raises UnavailableError or RefusedError."""

    async def names(self, workspace: str, kind: Kind) -> frozenset[str]:
        """The normal names of all recipients or shares the caller can see, all pages. Raises like `perform`."""

    async def listed(self, workspace: str, kind: Kind) -> Listed:
        """All recipients or shares the caller can see, as far as a list tells. Raises like `perform`."""

    async def grants(self, keys: Collection[Key]) -> Mapping[Key, frozenset[str] | None]:
        """Normal names: of a share the recipients that may read it, of a recipient the shares it may read. None where
        it is not told; a recipient that is not there (any more) reads none."""

    async def policies(self, recipients: Collection[Key]) -> Mapping[Key, frozenset[FederationPolicy] | None]:
        """Of recipients with OIDC; None where they are not told."""

    async def recipient_of(self, workspace: str, metastore_id: str) -> str | None:
        """The normal name of the recipient that stands for this metastore, whoever made it; None when there is none
        the caller can see. Raises like `perform`."""

    async def perform(self, call: Call) -> CallReceipt:
        """Carry out one call, once. Raises UnavailableError or RefusedError."""

    async def activation_link(self, key: Key) -> str | None:
        """The one-time link of a token recipient, straight from Databricks; None when there is none (any more)."""

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Requests of this process so far, by what came of them: `done`, `refused`, `throttled`, `unavailable` (surely
        without effect, or a read) and `unknown` (a write without an answer)."""

    async def close(self) -> None: ...
