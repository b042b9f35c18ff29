"""What exists in a workspace as entries of a pack: as little as it takes to say it, so that a plan of it is empty."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import DatabricksSharing, FederationPolicy, OidcSharing, OtherSharing, Recipient
from reconciler.core.share import TABLE_LIKE, ObjectType, Share, SharedObject
from reconciler.packs.document import (
    MAX_TEXT,
    DataObjectEntry,
    FederationPolicyEntry,
    RecipientEntry,
    ShareEntry,
)
from reconciler.packs.names import control_character
from reconciler.packs.partitions import partition_words


@dataclass(frozen=True, slots=True)
class NotDeclarable:
    """Why no pack can declare it, or part of it."""

    reason: str


def recipient_entry(recipient: Recipient, email: str) -> tuple[RecipientEntry | None, Sequence[NotDeclarable]]:
    """The entry, unless no pack can declare the recipient, and what of it is left alone because it cannot be said.
    `email`: of whoever is to hand out its activation links; Databricks knows none."""
    metastore = None
    match recipient.authentication:
        case OtherSharing(kind):
            return None, [NotDeclarable(f"it signs in by {kind}, which packs cannot declare")]
        case DatabricksSharing(metastore_id):
            kind, metastore = "D2D", metastore_id
        case OidcSharing():
            kind = "OIDC"
        case _:
            kind = "D2O"
    left: list[NotDeclarable] = []
    policies = [] if recipient.policies is UNMANAGED else sorted(recipient.policies, key=str)
    says_policies = recipient.policies is not UNMANAGED and _all_sayable(
        left, "policies", [text for each in policies for text in (each.subject, each.comment)]
    )
    properties = {} if recipient.properties is UNMANAGED else dict(sorted(recipient.properties))
    says_properties = _all_sayable(left, "properties", [*properties, *properties.values()])
    entry = RecipientEntry(
        name=recipient.name,
        type=kind,
        email=email if kind == "D2O" else None,
        metastore_id=metastore,
        allowed_ips=_some(recipient.allowed_ips) if kind != "D2D" else None,
        comment=_comment(left, recipient.comment),
        properties=(properties or None) if says_properties else None,
        federation_policies=tuple(map(_policy, policies)) if says_policies else None,
        adopt=True,
    )
    return entry, left


def share_entry(share: Share, undeclared: frozenset[str]) -> tuple[ShareEntry, Sequence[NotDeclarable]]:
    """The entry, and what of the share it leaves alone because it cannot be said. `undeclared`: recipients that no pack
    can declare; with one of them, who reads the share is left unmanaged."""
    left: list[NotDeclarable] = []
    objects = frozenset() if share.objects is UNMANAGED else share.objects
    readers = frozenset() if share.recipients is UNMANAGED else share.recipients
    if any(item.type is ObjectType.NOTEBOOK_FILE for item in objects):
        left.append(NotDeclarable("its data objects, as Databricks does not give back the content of its notebooks"))
    if readers & undeclared:
        names = ", ".join(sorted(readers & undeclared))
        left.append(NotDeclarable(f"its recipients, as packs cannot declare {names}"))
    has_notebooks = any(item.type is ObjectType.NOTEBOOK_FILE for item in objects)
    entry = ShareEntry(
        name=share.name,
        comment=_comment(left, share.comment),
        recipients=None if readers & undeclared else tuple(sorted(readers)),
        data_objects=None
        if has_notebooks
        else tuple(_object(item, objects, left) for item in sorted(objects, key=_order)),
        adopt=True,
    )
    return entry, left


def _object(item: SharedObject, others: frozenset[SharedObject], left: list[NotDeclarable]) -> str | DataObjectEntry:
    """A plain name where that means the same object and asks for no options."""
    is_own = item.shared_as == item.name.partition(".")[2] and sum(other.name == item.name for other in others) == 1
    alias = None if item.shared_as is UNMANAGED or is_own else item.shared_as
    entry = DataObjectEntry(
        name=written_name(item.name),
        type=str(item.type) if _is_type_needed(item, others) else None,
        shared_as=None if alias is None or item.type is ObjectType.SCHEMA else str(alias),
        comment=_comment(left, item.comment, f" on {item.name}"),
        partitions=_partitions(item),
        history=True if item.history is True else None,
        cdf=True if item.cdf is True and item.history is not True else None,
        start_version=item.start_version or None if isinstance(item.start_version, int) else None,
    )
    return entry.name if entry == DataObjectEntry(name=entry.name) else entry


def _is_type_needed(item: SharedObject, others: frozenset[SharedObject]) -> bool:
    if item.type is ObjectType.FEATURE_SPEC:
        return True
    is_alone = sum(other.name == item.name for other in others) == 1
    return item.type not in TABLE_LIKE and item.type is not ObjectType.SCHEMA and not is_alone


def _partitions(item: SharedObject) -> tuple[str, ...] | None:
    if item.partitions is UNMANAGED or not item.partitions:
        return None
    return tuple(sorted(map(partition_words, item.partitions)))


def _policy(policy: FederationPolicy) -> FederationPolicyEntry:
    return FederationPolicyEntry(
        name=policy.name,
        issuer=policy.issuer,
        subject_claim=policy.subject_claim.value,
        subject=policy.subject,
        audiences=tuple(sorted(policy.audiences)) or None,
        comment=policy.comment or None,
    )


def written_name(name: str) -> str:
    """A full name as packs write it: parts with anything unusual in back-quotes."""
    return ".".join(part if part.replace("_", "").isalnum() else _quoted(part) for part in name.split("."))


def _quoted(part: str) -> str:
    is_plain = not any(each.isspace() or each == "`" for each in part)
    return part if is_plain else "`" + part.replace("`", "``") + "`"


def _some(items: object) -> tuple[str, ...] | None:
    return tuple(sorted(items)) or None if isinstance(items, frozenset) else None


def _comment(left: list[NotDeclarable], comment: Managed[str], where: str = "") -> str | None:
    if comment is UNMANAGED or not comment:
        return None
    return comment if _all_sayable(left, f"comment{where}", [comment]) else None


def _all_sayable(left: list[NotDeclarable], what: str, texts: Sequence[str]) -> bool:
    """Whether a file can hold them; when not, that is told."""
    is_sayable = all(len(text) <= MAX_TEXT and not control_character(text) for text in texts)
    if not is_sayable:
        left.append(NotDeclarable(f"its {what}, as a pack cannot hold a text that is so long, or has such characters"))
    return is_sayable


def _order(item: SharedObject) -> tuple[str, str, str]:
    return item.name, str(item.type), str(item.shared_as)
