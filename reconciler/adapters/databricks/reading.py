"""What Databricks answers, as core values: names in lower case, lists as sets, nothing left out, nothing secret.

An answer that cannot be told truthfully (a type this program does not know, another name than the one asked for) is
a StrangeAnswerError, never a guess.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from databricks.sdk.service.catalog import TableType
from databricks.sdk.service.sharing import (
    AuthenticationType,
    PrivilegeAssignment,
    RecipientInfo,
    RecipientTokenInfo,
    SharedDataObject,
    ShareInfo,
)
from databricks.sdk.service.sharing import Privilege as SharePrivilege

from reconciler.core.actual import Found
from reconciler.core.key import normal_name
from reconciler.core.recipient import Authentication, DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.share import ObjectType, Share, SharedObject

#: `table_type` of the catalog → what it is in a share (contract 4.3). METRIC_VIEW has no known counterpart.
SHAREABLE: Final = {
    TableType.MANAGED: ObjectType.TABLE,
    TableType.EXTERNAL: ObjectType.TABLE,
    TableType.MANAGED_SHALLOW_CLONE: ObjectType.TABLE,
    TableType.EXTERNAL_SHALLOW_CLONE: ObjectType.TABLE,
    TableType.VIEW: ObjectType.VIEW,
    TableType.MATERIALIZED_VIEW: ObjectType.MATERIALIZED_VIEW,
    TableType.STREAMING_TABLE: ObjectType.STREAMING_TABLE,
    TableType.FOREIGN: ObjectType.FOREIGN_TABLE,
}

_OBJECT_TYPES: Final = {each.value: each for each in ObjectType}


class StrangeAnswerError(Exception):
    """Databricks answered, and this program cannot say what that means."""


def found_recipient(name: str, info: RecipientInfo) -> Found:
    _check_name("recipient", name, info.name)
    addresses = info.ip_access_list.allowed_ip_addresses if info.ip_access_list else None
    recipient = Recipient(
        name=normal_name(name),
        authentication=_authentication(info),
        allowed_ips=frozenset(canonical_range(address) for address in addresses or ()),
        comment=info.comment or "",
    )
    return Found(recipient, info.owner or "", info.updated_by or "", info.updated_at)


def found_share(name: str, info: ShareInfo, grants: Iterable[PrivilegeAssignment]) -> Found:
    _check_name("share", name, info.name)
    share = Share(
        name=normal_name(name),
        comment=info.comment or "",
        objects=frozenset(_shared_object(name, item) for item in info.objects or ()),
        recipients=frozenset(_readers(grants)),
    )
    return Found(share, info.owner or "", info.updated_by or "", info.updated_at)


def newest_link(info: RecipientInfo) -> str | None:
    """The activation link of the youngest token; None once it was used. Tokens come in no promised order."""
    if not info.tokens:
        return info.activation_url or None
    return max(info.tokens, key=_made_at).activation_url or None


def canonical_range(text: str) -> str:
    """`198.51.100.50` or `203.0.113.0/24`: a range of one address is that address. Anything else as Databricks says."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return text.strip().lower()
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _authentication(info: RecipientInfo) -> Authentication:
    match info.authentication_type:
        case AuthenticationType.TOKEN:
            return TokenSharing()
        case AuthenticationType.DATABRICKS:
            if not info.data_recipient_global_metastore_id:
                raise StrangeAnswerError(f"recipient {info.name!r} is of type DATABRICKS but names no metastore")
            return DatabricksSharing(info.data_recipient_global_metastore_id.lower())
        case None:
            raise StrangeAnswerError(f"recipient {info.name!r} signs in in a way this version does not know")
        case other:
            return OtherSharing(other.value)


def _shared_object(share: str, item: SharedDataObject) -> SharedObject:
    kind = _OBJECT_TYPES.get(item.data_object_type.value) if item.data_object_type else None
    if kind is None or not item.name:
        raise StrangeAnswerError(f"share {share!r} holds {item.name!r} of a type this version does not know")
    return SharedObject(normal_name(item.name), kind)


def _readers(grants: Iterable[PrivilegeAssignment]) -> Iterable[str]:
    """A deleted principal comes back with an empty name (contract 4.6)."""
    for grant in grants:
        if grant.principal and SharePrivilege.SELECT in (grant.privileges or ()):
            yield normal_name(grant.principal)


def _check_name(kind: str, asked: str, answered: str | None) -> None:
    if normal_name(answered or "") != normal_name(asked):
        raise StrangeAnswerError(f"asked for {kind} {asked!r}, Databricks answered for {answered!r}")


def _made_at(token: RecipientTokenInfo) -> int:
    return token.created_at or 0
