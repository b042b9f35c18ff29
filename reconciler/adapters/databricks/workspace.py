"""One workspace, asked and changed from a thread. Everything it gives back is a core value."""

from collections.abc import Callable, Iterator, Mapping
from typing import assert_never

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sharing import GetSharePermissionsResponse, PrivilegeAssignment

from reconciler.adapters.databricks.connection import Connection
from reconciler.adapters.databricks.failures import ABSENT, MissingError
from reconciler.adapters.databricks.performing import path_segment, send
from reconciler.adapters.databricks.reading import (
    SHAREABLE,
    StrangeAnswerError,
    found_recipient,
    found_share,
    newest_link,
)
from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.calls import Call
from reconciler.core.key import Key, Kind
from reconciler.core.share import ObjectType
from reconciler.ports.platform import CallReceipt, RefusedError, UnavailableError


class Workspace:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def calls_made(self) -> Mapping[str, int]:
        return self._connection.calls_made

    def observe(self, key: Key) -> Observed:
        try:
            return self._found(key)
        except MissingError as missing:
            is_this = missing.code in ABSENT or missing.code == f"{key.kind.value.upper()}_DOES_NOT_EXIST"
            return Absent() if is_this else Unreadable(str(missing))
        except (UnavailableError, RefusedError, StrangeAnswerError) as failure:
            return Unreadable(str(failure))

    def object_types(self, name: str) -> Mapping[str, ObjectType | None]:
        """An entry for `name`; none when it could not be looked up."""
        try:
            return {name: self._object_type(path_segment(name))}
        except (UnavailableError, RefusedError, StrangeAnswerError):
            return {}

    def perform(self, call: Call) -> CallReceipt:
        return CallReceipt(self._connection.write(lambda client: send(client, call)))

    def activation_link(self, key: Key) -> str | None:
        name = path_segment(key.name)
        return self._connection.read(lambda client: newest_link(client.recipients.get(name)))

    def close(self) -> None:
        self._connection.close()

    def _found(self, key: Key) -> Found:
        name = path_segment(key.name)
        match key.kind:
            case Kind.RECIPIENT:
                return found_recipient(key.name, self._connection.read(lambda client: client.recipients.get(name)))
            case Kind.SHARE:
                # Without include_shared_data every share looks empty (contract 9, 20).
                info = self._connection.read(lambda client: client.shares.get(name, include_shared_data=True))
                return found_share(key.name, info, self._grants(name))
            case _:
                assert_never(key.kind)

    def _grants(self, name: str) -> Iterator[PrivilegeAssignment]:
        """All pages: the SDK reads one, and a page may be empty and still name a next one (contract 1.9)."""
        token: str | None = None
        while True:
            page = self._grant_page(name, token)
            yield from page.privilege_assignments or ()
            token = page.next_page_token
            if not token:
                return

    def _grant_page(self, name: str, token: str | None) -> GetSharePermissionsResponse:
        try:
            return self._connection.read(lambda client: client.shares.share_permissions(name, page_token=token))
        except MissingError:
            raise StrangeAnswerError(f"share {name!r} was there and its grants were not; read it again") from None

    def _object_type(self, name: str) -> ObjectType | None:
        try:
            kind = self._connection.read(lambda client: client.tables.get(name)).table_type
        except MissingError as missing:
            # A missing catalog or schema holds nothing else either.
            is_alone = missing.code not in {"CATALOG_DOES_NOT_EXIST", "SCHEMA_DOES_NOT_EXIST"}
            return self._other_type(name) if is_alone else None
        if kind not in SHAREABLE:
            raise StrangeAnswerError(f"{name} is a {kind.value if kind else 'table'} of no known shareable type")
        return SHAREABLE[kind]

    def _other_type(self, name: str) -> ObjectType | None:
        """Volumes, functions and models have names of three parts too."""
        lookups: tuple[tuple[ObjectType, Callable[[WorkspaceClient], object]], ...] = (
            (ObjectType.VOLUME, lambda client: client.volumes.read(name)),
            (ObjectType.FUNCTION, lambda client: client.functions.get(name)),
            (ObjectType.MODEL, lambda client: client.registered_models.get(name)),
        )
        for kind, look in lookups:
            try:
                self._connection.read(look)
            except MissingError:
                continue
            return kind
        return None
