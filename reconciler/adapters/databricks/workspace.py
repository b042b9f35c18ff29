"""One workspace, asked and changed from a thread. Everything it gives back is a core value."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeVar, assert_never

from databricks.sdk.service.sharing import FederationPolicy as SdkPolicy
from databricks.sdk.service.sharing import (
    GetRecipientSharePermissionsResponse,
    GetSharePermissionsResponse,
    PrivilegeAssignment,
    ShareToPrivilegeAssignment,
)

from reconciler.adapters.databricks.catalog import Entry, Held, Metastore, Missing, Place
from reconciler.adapters.databricks.catalog_reading import read_entry, read_groups, read_held, read_me, read_metastore
from reconciler.adapters.databricks.client import Client
from reconciler.adapters.databricks.connection import Connection
from reconciler.adapters.databricks.failures import ABSENT, MissingError
from reconciler.adapters.databricks.performing import path_segment, send
from reconciler.adapters.databricks.reading import (
    found_policies,
    found_recipient,
    found_share,
    listed_recipient,
    listed_share,
    newest_link,
    readable_shares,
    readers,
    uses_policies,
)
from reconciler.adapters.databricks.strange import StrangeAnswerError
from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.calls import Call
from reconciler.core.key import Key, Kind, normal_name
from reconciler.core.recipient import FederationPolicy
from reconciler.core.rights import Caller
from reconciler.ports.platform import CallReceipt, Listed, RefusedError, UnavailableError

T = TypeVar("T")


class Workspace:
    """All methods but `observe` raise UnavailableError or RefusedError."""

    def __init__(self, connection: Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._clock = clock

    @property
    def calls_made(self) -> Mapping[str, int]:
        return self._connection.calls_made

    @property
    def outcomes(self) -> Mapping[str, int]:
        return self._connection.outcomes

    @property
    def is_held_up(self) -> bool:
        """Whether the next request has to wait, or would not get through."""
        return self._connection.is_held_up

    def observe(self, key: Key) -> Observed:
        try:
            return self._found(key)
        except MissingError as missing:
            is_this = missing.code in ABSENT or missing.code == f"{key.kind.value.upper()}_DOES_NOT_EXIST"
            return Absent() if is_this else Unreadable(str(missing))
        except (UnavailableError, RefusedError, StrangeAnswerError) as failure:
            return Unreadable(str(failure))

    def perform(self, call: Call) -> CallReceipt:
        now = int(self._clock() * 1000)
        return CallReceipt(self._connection.write(lambda client: send(client, call, now)))

    def activation_link(self, key: Key) -> str | None:
        name = path_segment(key.name)
        return self._connection.read(lambda client: newest_link(client.recipients.get(name)))

    def names(self, kind: Kind) -> frozenset[str]:
        """All pages; the SDK goes on as long as a next one is named, also from an empty one."""
        match kind:
            case Kind.RECIPIENT:
                names = self._read(lambda client: [each.name for each in client.recipients.list()])
            case Kind.SHARE:
                names = self._read(lambda client: [each.name for each in client.shares.list_shares()])
            case _:
                assert_never(kind)
        return frozenset(normal_name(name) for name in names if name)

    def listed(self, kind: Kind, workspace: str) -> Listed:
        match kind:
            case Kind.RECIPIENT:
                items, pages = self._connection.read_pages(
                    lambda client: [(each.name, listed_recipient(each)) for each in client.recipients.list()]
                )
            case Kind.SHARE:
                items, pages = self._connection.read_pages(
                    lambda client: [(each.name, listed_share(each)) for each in client.shares.list_shares()]
                )
            case _:
                assert_never(kind)
        resources: dict[Key, Observed] = {}
        for name, seen in items:
            key = Key(kind, normal_name(name or ""), workspace)
            # Renamed or made anew while the pages were turned: what it is now, only a read of its own can tell.
            resources[key] = Unreadable("it is listed twice") if resources.get(key, seen) != seen else seen
        return Listed(resources, pages)

    def grants(self, key: Key) -> frozenset[str]:
        name = path_segment(key.name)
        match key.kind:
            case Kind.SHARE:
                return self._told(lambda: frozenset(readers(self._grants(name))))
            case Kind.RECIPIENT:
                return frozenset(readable_shares(self._readable(name)))
            case _:
                assert_never(key.kind)

    def policies(self, recipient: Key) -> frozenset[FederationPolicy]:
        return self._told(lambda: found_policies(recipient.name, self._policies(path_segment(recipient.name))))

    def recipient_of(self, metastore_id: str) -> str | None:
        found = self._read(
            lambda client: [
                each.name for each in client.recipients.list(data_recipient_global_metastore_id=metastore_id)
            ]
        )
        return next((normal_name(name) for name in found if name), None)

    def me(self) -> Caller:
        return self._read(read_me)

    def metastore(self) -> Metastore:
        return self._read(read_metastore)

    def catalog_entry(self, place: Place, name: str) -> Entry | Missing:
        path = path_segment(name)
        try:
            return self._read(lambda client: read_entry(client, place, name, path))
        except MissingError as missing:
            is_above = missing.code in {"CATALOG_DOES_NOT_EXIST", "SCHEMA_DOES_NOT_EXIST"}
            return Missing.ALL if is_above else Missing.IT

    def held_on(self, securable: str, name: str) -> Held:
        path = path_segment(name)
        return self._read(lambda client: read_held(client, securable, path))

    def groups_of(self, principal: str) -> frozenset[str] | None:
        """None when it cannot be told."""
        try:
            return self._read(lambda client: read_groups(client, principal))
        except RefusedError:
            return None

    def close(self) -> None:
        self._connection.close()

    def _read(self, ask: Callable[[Client], T]) -> T:
        return self._told(lambda: self._connection.read(ask))

    def _told(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except StrangeAnswerError as strange:
            reason = str(strange)
        raise RefusedError(reason)

    def _found(self, key: Key) -> Found:
        name = path_segment(key.name)
        match key.kind:
            case Kind.RECIPIENT:
                recipient = self._connection.read(lambda client: client.recipients.get(name))
                policies = self._policies(name) if uses_policies(recipient) else ()
                return found_recipient(key.name, recipient, policies)
            case Kind.SHARE:
                # Without include_shared_data every share looks empty (contract 9, 20).
                info = self._connection.read(lambda client: client.shares.get(name, include_shared_data=True))
                return found_share(key.name, info, self._grants(name))
            case _:
                assert_never(key.kind)

    def _policies(self, name: str) -> list[SdkPolicy]:
        try:
            return self._connection.read(lambda client: list(client.recipient_federation_policies.list(name)))
        except MissingError:
            raise StrangeAnswerError(f"recipient {name!r} was there and its policies were not; read it again") from None

    def _grants(self, name: str) -> Iterator[PrivilegeAssignment]:
        """All pages: the SDK reads one, and a page may be empty and still name a next one (contract 1.9)."""
        token: str | None = None
        while True:
            page = self._grant_page(name, token)
            yield from page.privilege_assignments or ()
            token = page.next_page_token
            if not token:
                return

    def _readable(self, name: str) -> Iterator[ShareToPrivilegeAssignment]:
        """All pages, of a recipient. One that is gone can read nothing."""
        token: str | None = None
        try:
            while True:
                page = self._connection.read(partial(_readable_page, name=name, token=token))
                yield from page.permissions_out or ()
                token = page.next_page_token
                if not token:
                    return
        except MissingError as missing:
            if missing.code not in {*ABSENT, "RECIPIENT_DOES_NOT_EXIST"}:
                raise

    def _grant_page(self, name: str, token: str | None) -> GetSharePermissionsResponse:
        try:
            return self._connection.read(lambda client: client.shares.share_permissions(name, page_token=token))
        except MissingError:
            raise StrangeAnswerError(f"share {name!r} was there and its grants were not; read it again") from None


def _readable_page(client: Client, name: str, token: str | None) -> GetRecipientSharePermissionsResponse:
    return client.recipients.share_permissions(name, page_token=token)
