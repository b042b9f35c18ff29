"""The only place where something is changed at Databricks: one core Call, one SDK call, one request."""

import urllib.parse
from typing import Final, assert_never

from databricks.sdk.service.sharing import (
    AuthenticationType,
    IpAccessList,
    OidcFederationPolicy,
    PermissionsChange,
    SecurablePropertiesKvPairs,
    SharedDataObjectUpdate,
)
from databricks.sdk.service.sharing import FederationPolicy as SdkPolicy

from reconciler.adapters.databricks.client import Client
from reconciler.adapters.databricks.data_objects import added, changed, removed
from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    Properties,
    Rename,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import Kind
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import DatabricksSharing, FederationPolicy, OidcSharing, OtherSharing, TokenSharing
from reconciler.ports.platform import RefusedError

#: Milliseconds by which our clock may be behind Databricks' and a request may be late: asking for more than is left of
#: a token's life is refused.
_MARGIN: Final = 60_000


def send(client: Client, call: Call, now: int) -> None:
    """Unmanaged fields are None to the SDK, which leaves them out; `""` it sends, which clears. `now` is in epoch
    milliseconds. Answers are dropped here: some hold an activation link."""
    name = path_segment(call.key.name)
    match call:
        case CreateRecipient() | UpdateRecipient() | DeleteRecipient():
            _send_recipient(client, call, name, now)
        case RotateToken():
            client.recipients.rotate_token(name, call.overlap_at(now + _MARGIN))
        case CreatePolicy():
            client.recipient_federation_policies.create(name, _policy(call.policy))
        case DeletePolicy():
            client.recipient_federation_policies.delete(name, path_segment(call.name))
        case CreateShare() | UpdateShare() | ChangeGrants() | DeleteShare():
            _send_share(client, call, name)
        case ChangeOwner():
            _change_owner(client, call, name)
        case Rename():
            _rename(client, call)
        case _:
            assert_never(call)


def path_segment(name: str) -> str:
    """The SDK puts names into paths as they are; `a/b`, `a?b` or `..` would ask for something else."""
    if name in {"", ".", ".."}:
        raise RefusedError(f"{name!r} is not a name")
    return urllib.parse.quote(name, safe="")


def _send_recipient(
    client: Client, call: CreateRecipient | UpdateRecipient | DeleteRecipient, name: str, now: int
) -> None:
    match call:
        case CreateRecipient():
            _create_recipient(client, call, now)
        case UpdateRecipient():
            client.recipients.update(
                name,
                comment=_given(call.comment),
                expiration_time=_end(call, now),
                ip_access_list=_access_list(call.allowed_ips),
                properties_kvpairs=_properties(call.properties),
            )
        case DeleteRecipient():
            client.recipients.delete(name)
        case _:
            assert_never(call)


def _send_share(client: Client, call: CreateShare | UpdateShare | ChangeGrants | DeleteShare, name: str) -> None:
    match call:
        case CreateShare():
            client.shares.create(call.key.name, comment=_given(call.comment), storage_root=_given(call.storage_root))
        case UpdateShare():
            client.shares.update(
                name,
                comment=_given(call.comment),
                storage_root=_given(call.storage_root),
                updates=_updates(call) or None,
            )
        case ChangeGrants():
            client.shares.update_permissions(name, changes=_changes(call), omit_permissions_list=True)
        case DeleteShare():
            client.shares.delete(name)
        case _:
            assert_never(call)


def _create_recipient(client: Client, call: CreateRecipient, now: int) -> None:
    metastore: str | None = None
    match call.authentication:
        case TokenSharing():
            kind = AuthenticationType.TOKEN
        case OidcSharing():
            kind = AuthenticationType.OIDC_FEDERATION
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
        expiration_time=_end(call, now),
        ip_access_list=_access_list(call.allowed_ips),
        properties_kvpairs=_properties(call.properties),
    )


def _change_owner(client: Client, call: ChangeOwner, name: str) -> None:
    match call.key.kind:
        case Kind.RECIPIENT:
            client.recipients.update(name, owner=call.owner)
        case Kind.SHARE:
            client.shares.update(name, owner=call.owner)
        case _:
            assert_never(call.key.kind)


def _rename(client: Client, call: Rename) -> None:
    old_name = path_segment(call.old_name)
    match call.key.kind:
        case Kind.RECIPIENT:
            client.recipients.update(old_name, new_name=call.key.name)
        case Kind.SHARE:
            client.shares.update(old_name, new_name=call.key.name)
        case _:
            assert_never(call.key.kind)


def _end(call: CreateRecipient | UpdateRecipient, now: int) -> int | None:
    if call.expires_in is not UNMANAGED:
        return now + call.expires_in * 1000
    return None if call.expires_at is UNMANAGED else call.expires_at


def _access_list(addresses: Managed[tuple[str, ...]]) -> IpAccessList | None:
    """An empty one goes out as `{}`, which is how the list is cleared (contract 1.5)."""
    return None if addresses is UNMANAGED else IpAccessList(list(addresses))


def _properties(properties: Managed[Properties]) -> SecurablePropertiesKvPairs | None:
    """None at all go out as `{}`, which clears them likewise."""
    return None if properties is UNMANAGED else SecurablePropertiesKvPairs(dict(properties))


def _policy(policy: FederationPolicy) -> SdkPolicy:
    return SdkPolicy(
        name=policy.name,
        comment=policy.comment or None,
        oidc_policy=OidcFederationPolicy(
            issuer=policy.issuer,
            subject_claim=policy.subject_claim.value,
            subject=policy.subject,
            audiences=sorted(policy.audiences),
        ),
    )


def _updates(call: UpdateShare) -> list[SharedDataObjectUpdate]:
    return [*map(removed, call.remove), *map(changed, call.change), *map(added, call.add)]


def _changes(call: ChangeGrants) -> list[PermissionsChange]:
    revoked = [PermissionsChange(principal=name, remove=["SELECT"]) for name in call.revoke]
    return revoked + [PermissionsChange(principal=name, add=["SELECT"]) for name in call.grant]


def _given(text: Managed[str]) -> str | None:
    return None if text is UNMANAGED else text
