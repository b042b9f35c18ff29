"""The only place where something is changed at Databricks: one core Call, one SDK call, one request."""

import urllib.parse
from typing import assert_never

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sharing import (
    AuthenticationType,
    IpAccessList,
    PermissionsChange,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import DatabricksSharing, OtherSharing, TokenSharing
from reconciler.core.share import SharedObject
from reconciler.ports.platform import RefusedError


def send(client: WorkspaceClient, call: Call) -> None:
    """Unmanaged fields are None to the SDK, which leaves them out; `""` it sends, which clears."""
    name = path_segment(call.key.name)
    match call:
        case CreateRecipient():
            _create_recipient(client, call)
        case UpdateRecipient():
            client.recipients.update(name, comment=_given(call.comment), ip_access_list=_access_list(call.allowed_ips))
        case DeleteRecipient():
            client.recipients.delete(name)
        case CreateShare():
            client.shares.create(call.key.name, comment=_given(call.comment))
        case UpdateShare():
            client.shares.update(name, comment=_given(call.comment), updates=_updates(call) or None)
        case ChangeGrants():
            client.shares.update_permissions(name, changes=_changes(call), omit_permissions_list=True)
        case DeleteShare():
            client.shares.delete(name)
        case _:
            assert_never(call)


def path_segment(name: str) -> str:
    """The SDK puts names into paths as they are; `a/b`, `a?b` or `..` would ask for something else."""
    if name in {"", ".", ".."}:
        raise RefusedError(f"{name!r} is not a name")
    return urllib.parse.quote(name, safe="")


def _create_recipient(client: WorkspaceClient, call: CreateRecipient) -> None:
    metastore: str | None = None
    match call.authentication:
        case TokenSharing():
            kind = AuthenticationType.TOKEN
        case DatabricksSharing():
            kind, metastore = AuthenticationType.DATABRICKS, call.authentication.metastore_id
        case OtherSharing():
            raise RefusedError(f"recipients of type {call.authentication} are not made by this program")
        case _:
            assert_never(call.authentication)
    client.recipients.create(
        call.key.name,
        kind,
        comment=_given(call.comment),
        data_recipient_global_metastore_id=metastore,
        ip_access_list=_access_list(call.allowed_ips),
    )


def _access_list(addresses: Managed[tuple[str, ...]]) -> IpAccessList | None:
    """An empty one goes out as `{}`, which is how the list is cleared (contract 1.5)."""
    return None if addresses is UNMANAGED else IpAccessList(list(addresses))


def _updates(call: UpdateShare) -> list[SharedDataObjectUpdate]:
    return [_update(SharedDataObjectUpdateAction.REMOVE, item) for item in call.remove] + [
        _update(SharedDataObjectUpdateAction.ADD, item) for item in call.add
    ]


def _update(action: SharedDataObjectUpdateAction, item: SharedObject) -> SharedDataObjectUpdate:
    kind = None if item.type is UNMANAGED else SharedDataObjectDataObjectType(item.type.value)
    return SharedDataObjectUpdate(action, SharedDataObject(name=item.name, data_object_type=kind))


def _changes(call: ChangeGrants) -> list[PermissionsChange]:
    revoked = [PermissionsChange(principal=name, remove=["SELECT"]) for name in call.revoke]
    return revoked + [PermissionsChange(principal=name, add=["SELECT"]) for name in call.grant]


def _given(text: Managed[str]) -> str | None:
    return None if text is UNMANAGED else text
