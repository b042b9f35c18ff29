"""What exists in a workspace as entries of a pack: as little as it takes to say it, so that a plan of it is empty."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import DatabricksSharing, FederationPolicy, OidcSharing, OtherSharing, Recipient
from reconciler.core.share import TABLE_LIKE, ObjectType, Share, SharedObject
from reconciler.packs.document import DataObjectEntry, FederationPolicyEntry, RecipientEntry, ShareEntry
from reconciler.packs.partitions import partition_words


@dataclass(frozen=True, slots=True)
class NotDeclarable:
    """Why no pack can declare it, or part of it."""

    reason: str


def recipient_entry(recipient: Recipient, email: str) -> RecipientEntry | NotDeclarable:
    """`email`: of whoever is to hand out its activation links; Databricks knows none."""
    metastore = None
    match recipient.authentication:
        case OtherSharing(kind):
            return NotDeclarable(f"it signs in by {kind}, which packs cannot declare")
        case DatabricksSharing(metastore_id):
            kind, metastore = "D2D", metastore_id
        case OidcSharing():
            kind = "OIDC"
        case _:
            kind = "D2O"
    policies = None if recipient.policies is UNMANAGED else tuple(map(_policy, sorted(recipient.policies, key=str)))
    return RecipientEntry(
        name=recipient.name,
        type=kind,
        email=email if kind == "D2O" else None,
        metastore_id=metastore,
        allowed_ips=_some(recipient.allowed_ips) if kind == "D2O" else None,
        comment=_text(recipient.comment),
        properties=None if recipient.properties is UNMANAGED else dict(sorted(recipient.properties)) or None,
        federation_policies=policies,
        adopt=True,
    )


def share_entry(share: Share, undeclared: frozenset[str]) -> tuple[ShareEntry, Sequence[NotDeclarable]]:
    """The entry, and what of the share it leaves alone because it cannot be said. `undeclared`: recipients that no pack
    can declare; with one of them, who reads the share is left unmanaged."""
    left = []
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
        comment=_text(share.comment),
        recipients=None if readers & undeclared else tuple(sorted(readers)),
        data_objects=None if has_notebooks else tuple(_object(item, objects) for item in sorted(objects, key=_order)),
        adopt=True,
    )
    return entry, left


def _object(item: SharedObject, others: frozenset[SharedObject]) -> str | DataObjectEntry:
    """A plain name where that means the same object and asks for no options."""
    is_own = item.shared_as == item.name.partition(".")[2] and sum(other.name == item.name for other in others) == 1
    alias = None if item.shared_as is UNMANAGED or is_own else item.shared_as
    entry = DataObjectEntry(
        name=written_name(item.name),
        type=str(item.type) if _is_type_needed(item, others) else None,
        shared_as=None if alias is None or item.type is ObjectType.SCHEMA else str(alias),
        comment=_text(item.comment),
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


def _text(text: object) -> str | None:
    return text if isinstance(text, str) and text else None


def _order(item: SharedObject) -> tuple[str, str, str]:
    return item.name, str(item.type), str(item.shared_as)
