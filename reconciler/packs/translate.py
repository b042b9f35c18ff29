"""A checked document to the core's values: names and addresses in their normal form, absent fields unmanaged."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeVar

from reconciler.core.allowance import normal_lift
from reconciler.core.key import Key, PackId, normal_name, recipient_key, share_key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import Allowance, Declared, DriftPolicy, SharePack, Strategy
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.share import NotebookContent, ObjectType, Partition, Share, SharedObject
from reconciler.packs.addresses import canonical_address
from reconciler.packs.document import DataObjectEntry, FederationPolicyEntry, PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.durations import day, epoch_ms, moment, seconds
from reconciler.packs.names import are_usual_tables, metastore_id, object_name
from reconciler.packs.notebooks import Beside
from reconciler.packs.objects import Listed, known
from reconciler.packs.parsing import ParsedFile
from reconciler.packs.partitions import NotAPartition, partition
from reconciler.packs.reviewed import released_key

T = TypeVar("T")


def share_pack(
    file: ParsedFile, document: PackDocument, workspace: str, borrowed: frozenset[Key], beside: Beside
) -> SharePack:
    """Only for a file without errors: nothing is checked again here."""
    metadata = document.metadata
    shares = _shares(file, document, workspace, beside)
    return SharePack(
        id=PackId.of(metadata.business_line, metadata.project_name),
        path=file.path,
        requestor=metadata.requestor.strip(),
        workspace=workspace,
        resources=dict([*_recipients(file, document, workspace), *shares]),
        region=_managed(None if metadata.region is None else metadata.region.strip().upper()),
        description=_managed(metadata.description),
        stated_strategy=None if metadata.strategy is None else Strategy(metadata.strategy.strip().upper()),
        file_format=file.file_format,
        borrowed=borrowed,
        drift=UNMANAGED if metadata.drift is None else DriftPolicy(metadata.drift.strip().lower()),
        allowances=tuple(_allowances(file, document)),
        released=frozenset(key for key in (released_key(text, workspace) for text in document.release) if key),
    )


def _recipients(file: ParsedFile, document: PackDocument, workspace: str) -> Iterator[tuple[Key, Declared]]:
    for number, entry in enumerate(document.recipient):
        where = file.places.value(("recipient", number))
        declared = Declared(_recipient(entry), where, entry.adopt, normal_name(entry.renamed_from or ""))
        yield recipient_key(entry.name, workspace), declared


def _shares(file: ParsedFile, document: PackDocument, workspace: str, beside: Beside) -> Iterator[tuple[Key, Declared]]:
    for number, entry in enumerate(document.share):
        where = file.places.value(("share", number))
        share = _share(entry, file.path, beside)
        yield (
            share_key(entry.name, workspace),
            Declared(share, where, entry.adopt, normal_name(entry.renamed_from or "")),
        )


def _allowances(file: ParsedFile, document: PackDocument) -> Sequence[Allowance]:
    return [
        Allowance(
            normal_lift(entry.action) or "",
            day(entry.until) or date.min,
            entry.reason.strip(),
            file.places.value(("allow", n)),
        )
        for n, entry in enumerate(document.allow)
    ]


def _recipient(entry: RecipientEntry) -> Recipient:
    policies, end = entry.federation_policies, moment(entry.expires_at or "")
    return Recipient(
        name=normal_name(entry.name),
        authentication=_authentication(entry),
        email=_managed(_stripped(entry.email)),
        allowed_ips=UNMANAGED if entry.allowed_ips is None else frozenset(map(_address, entry.allowed_ips)),
        comment=_managed(entry.comment),
        owner=_managed(_stripped(entry.owner)),
        properties=UNMANAGED if entry.properties is None else frozenset(entry.properties.items()),
        expires_at=UNMANAGED if end is None else epoch_ms(end),
        policies=UNMANAGED if policies is None else frozenset(map(_policy, policies)),
        token_lifetime=_seconds(entry.token_lifetime),
        rotate_every=_seconds(entry.rotate_every),
        rotation_overlap=_seconds(entry.rotation_overlap),
        protect=entry.protect,
    )


def _authentication(entry: RecipientEntry) -> Authentication:
    match entry.type.strip().upper():
        case "OIDC":
            return OidcSharing()
        case "D2D":
            return DatabricksSharing(metastore_id(entry.metastore_id or "") or "")
        case _:
            return TokenSharing()


def _policy(entry: FederationPolicyEntry) -> FederationPolicy:
    return FederationPolicy(
        name=entry.name.strip(),
        issuer=entry.issuer.strip(),
        subject_claim=SubjectClaim(entry.subject_claim.strip().lower()),
        subject=entry.subject.strip(),
        audiences=frozenset(map(str.strip, entry.audiences or ())),
        comment=entry.comment or "",
    )


def _share(entry: ShareEntry, pack_path: str, beside: Beside) -> Share:
    objects, readers = entry.data_objects, entry.recipients
    return Share(
        name=normal_name(entry.name),
        comment=_managed(entry.comment),
        objects=UNMANAGED if objects is None else _objects(objects, pack_path, beside),
        recipients=UNMANAGED if readers is None else frozenset(map(normal_name, readers)),
        owner=_managed(_stripped(entry.owner)),
        storage_root=_managed(_stripped(entry.storage_root)),
        protect=entry.protect,
    )


def _objects(items: Sequence[Listed], pack_path: str, beside: Beside) -> frozenset[SharedObject]:
    if are_usual_tables(items):
        return frozenset(map(SharedObject, items))
    return frozenset(_object(item, pack_path, beside) for item in items)


def _object(item: Listed, pack_path: str, beside: Beside) -> SharedObject:
    if isinstance(item, str):
        return SharedObject(object_name(item) or item)
    told = known(item)
    return SharedObject(
        name=told.name or item.name,
        type=UNMANAGED if item.type is None else ObjectType(item.type.strip().upper()),
        shared_as=UNMANAGED if item.shared_as is None else told.alias,
        comment=_managed(item.comment),
        partitions=UNMANAGED if item.partitions is None else frozenset(map(_partition, item.partitions)),
        history=_managed(item.history),
        cdf=_managed(item.cdf),
        start_version=_managed(item.start_version),
        content=_content(item, pack_path, beside),
    )


def _partition(text: str) -> Partition:
    found = partition(text)
    return frozenset() if isinstance(found, NotAPartition) else found


def _content(item: DataObjectEntry, pack_path: str, beside: Beside) -> Managed[NotebookContent]:
    if item.content is None:
        return UNMANAGED
    source = beside.read(pack_path, item.content)
    return NotebookContent(hashlib.sha256(source).hexdigest(), source)


def _address(text: str) -> str:
    found = canonical_address(text)
    return found if isinstance(found, str) else text


def _seconds(text: str | None) -> Managed[int]:
    found = None if text is None else seconds(text)
    return UNMANAGED if found is None else found


def _stripped(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _managed(value: T | None) -> Managed[T]:
    return UNMANAGED if value is None else value
