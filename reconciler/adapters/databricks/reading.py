"""What Databricks answers, as core values: names in lower case, lists as sets, nothing left out, nothing secret.

An answer that cannot be told truthfully (a type this program does not know, another name than the one asked for) is
a StrangeAnswerError, never a guess.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from databricks.sdk.service.sharing import (
    AuthenticationType,
    PrivilegeAssignment,
    RecipientInfo,
    RecipientTokenInfo,
    ShareInfo,
    ShareToPrivilegeAssignment,
)
from databricks.sdk.service.sharing import FederationPolicy as SdkPolicy
from databricks.sdk.service.sharing import Privilege as SharePrivilege

from reconciler.adapters.databricks.data_objects import found_object, is_denied
from reconciler.adapters.databricks.strange import StrangeAnswerError
from reconciler.core.actual import Found, Observed, Token, Unreadable
from reconciler.core.key import normal_name
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.share import Share

#: Properties that begin so belong to the server (contract 2.3).
_SERVERS_OWN: Final = "databricks."
_CLAIMS: Final = {each.value: each for each in SubjectClaim}


def found_recipient(name: str, info: RecipientInfo, policies: Iterable[SdkPolicy] | None = ()) -> Found:
    """`policies` are those of an OIDC recipient, None where they are not told; others have none."""
    _check_name("recipient", name, info.name)
    authentication = _authentication(info)
    tokens = _tokens(info)
    has_policies = policies is not None and isinstance(authentication, OidcSharing)
    recipient = Recipient(
        name=normal_name(name),
        authentication=authentication,
        allowed_ips=_allowed_ips(authentication, info),
        comment=info.comment or "",
        owner=info.owner or "",
        properties=_properties(info),
        expires_at=_expires_at(info, tokens),
        policies=found_policies(name, policies or ()) if has_policies else UNMANAGED,
    )
    return Found(recipient, info.owner or "", info.updated_by or "", info.updated_at, tokens=tokens)


def found_share(name: str, info: ShareInfo, grants: Iterable[PrivilegeAssignment]) -> Found:
    _check_name("share", name, info.name)
    objects = [(found_object(name, item), is_denied(item)) for item in info.objects or ()]
    share = replace(
        _share(name, info),
        objects=frozenset(item for item, _ in objects),
        recipients=frozenset(readers(grants)),
    )
    denied = frozenset(item for item, denied in objects if denied)
    return Found(share, info.owner or "", info.updated_by or "", info.updated_at, denied=denied)


def listed_recipient(info: RecipientInfo) -> Observed:
    """What a list tells of a recipient. One that is strange is none of the others' business."""
    try:
        return found_recipient(info.name or "", info, None)
    except StrangeAnswerError as strange:
        return Unreadable(str(strange))


def listed_share(info: ShareInfo) -> Found:
    return Found(_share(info.name or "", info), info.owner or "", info.updated_by or "", info.updated_at)


def found_policies(recipient: str, policies: Iterable[SdkPolicy]) -> frozenset[FederationPolicy]:
    return frozenset(_policy(recipient, each) for each in policies)


def readers(grants: Iterable[PrivilegeAssignment]) -> Iterable[str]:
    """A deleted principal comes back with an empty name (contract 4.6)."""
    for grant in grants:
        if grant.principal and SharePrivilege.SELECT in (grant.privileges or ()):
            yield normal_name(grant.principal)


def readable_shares(permissions: Iterable[ShareToPrivilegeAssignment]) -> Iterable[str]:
    """By their normal names, what a recipient may read."""
    for each in permissions:
        granted = (privilege for grant in each.privilege_assignments or () for privilege in grant.privileges or ())
        if each.share_name and SharePrivilege.SELECT in granted:
            yield normal_name(each.share_name)


def uses_policies(info: RecipientInfo) -> bool:
    return info.authentication_type is AuthenticationType.OIDC_FEDERATION


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


def _share(name: str, info: ShareInfo) -> Share:
    """All but what is in it and who may read it."""
    return Share(
        name=normal_name(name),
        comment=info.comment or "",
        owner=info.owner or "",
        storage_root=info.storage_root or "",
    )


def _authentication(info: RecipientInfo) -> Authentication:
    match info.authentication_type:
        case AuthenticationType.TOKEN:
            return TokenSharing()
        case AuthenticationType.OIDC_FEDERATION:
            return OidcSharing()
        case AuthenticationType.DATABRICKS:
            if not info.data_recipient_global_metastore_id:
                raise StrangeAnswerError(f"recipient {info.name!r} is of type DATABRICKS but names no metastore")
            return DatabricksSharing(info.data_recipient_global_metastore_id.lower())
        case None:
            raise StrangeAnswerError(f"recipient {info.name!r} signs in in a way this version does not know")
        case other:
            return OtherSharing(other.value)


def _allowed_ips(authentication: Authentication, info: RecipientInfo) -> Managed[frozenset[str]]:
    """Whom a D2D recipient lets in is not ours to say: it can have no list (contract 2.2)."""
    addresses = (info.ip_access_list.allowed_ip_addresses if info.ip_access_list else None) or ()
    if isinstance(authentication, DatabricksSharing) and not addresses:
        return UNMANAGED
    return frozenset(map(canonical_range, addresses))


def _properties(info: RecipientInfo) -> frozenset[tuple[str, str]]:
    held = (info.properties_kvpairs.properties if info.properties_kvpairs else None) or {}
    return frozenset((name, value) for name, value in held.items() if not name.startswith(_SERVERS_OWN))


def _tokens(info: RecipientInfo) -> tuple[Token, ...]:
    """Newest first. An activation link stands in each of them, and stays here."""
    newest_first = sorted(info.tokens or (), key=_made_at, reverse=True)
    return tuple(Token(each.id or "", _made_at(each), each.expiration_time or None) for each in newest_first)


def _expires_at(info: RecipientInfo, tokens: tuple[Token, ...]) -> Managed[int]:
    newest = tokens[0].expires_at if tokens else None
    return newest or info.expiration_time or UNMANAGED


def _policy(recipient: str, policy: SdkPolicy) -> FederationPolicy:
    oidc = policy.oidc_policy
    claim = _CLAIMS.get(oidc.subject_claim) if oidc else None
    if oidc is None or claim is None or not (policy.name and oidc.issuer and oidc.subject):
        raise StrangeAnswerError(f"recipient {recipient!r} has a federation policy this version does not know")
    return FederationPolicy(
        name=policy.name,
        issuer=oidc.issuer,
        subject_claim=claim,
        subject=oidc.subject,
        audiences=frozenset(oidc.audiences or ()),
        comment=policy.comment or "",
    )


def _check_name(kind: str, asked: str, answered: str | None) -> None:
    if normal_name(answered or "") != normal_name(asked):
        raise StrangeAnswerError(f"asked for {kind} {asked!r}, Databricks answered for {answered!r}")


def _made_at(token: RecipientTokenInfo) -> int:
    return token.created_at or 0
