"""A checked document to the core's values: names and addresses in their normal form, absent fields unmanaged."""

from collections.abc import Sequence

from reconciler.core.key import Key, PackId, normal_name, recipient_key, share_key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import Declared, SharePack, Strategy
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.share import Share, SharedObject
from reconciler.packs.addresses import canonical_address
from reconciler.packs.document import PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.names import metastore_id, object_name
from reconciler.packs.parsing import ParsedFile


def share_pack(file: ParsedFile, document: PackDocument, workspace: str, borrowed: frozenset[Key]) -> SharePack:
    """Only for a file without errors: nothing is checked again here."""
    metadata = document.metadata
    return SharePack(
        id=PackId.of(metadata.business_line, metadata.project_name),
        path=file.path,
        requestor=metadata.requestor.strip(),
        workspace=workspace,
        resources=dict([*_recipients(file, document, workspace), *_shares(file, document, workspace)]),
        region=_managed(None if metadata.region is None else metadata.region.strip().upper()),
        description=_managed(metadata.description),
        stated_strategy=None if metadata.strategy is None else Strategy(metadata.strategy.strip().upper()),
        file_format=file.file_format,
        borrowed=borrowed,
    )


def _recipients(file: ParsedFile, document: PackDocument, workspace: str) -> Sequence[tuple[Key, Declared]]:
    return [
        (
            recipient_key(entry.name, workspace),
            Declared(_recipient(entry), file.places.value(("recipient", n)), entry.adopt),
        )
        for n, entry in enumerate(document.recipient)
    ]


def _shares(file: ParsedFile, document: PackDocument, workspace: str) -> Sequence[tuple[Key, Declared]]:
    return [
        (share_key(entry.name, workspace), Declared(_share(entry), file.places.value(("share", n)), entry.adopt))
        for n, entry in enumerate(document.share)
    ]


def _recipient(entry: RecipientEntry) -> Recipient:
    metastore = metastore_id(entry.metastore_id or "") if entry.type.strip().upper() == "D2D" else None
    return Recipient(
        name=normal_name(entry.name),
        authentication=TokenSharing() if metastore is None else DatabricksSharing(metastore),
        email=_managed(None if entry.email is None else entry.email.strip()),
        allowed_ips=UNMANAGED if entry.allowed_ips is None else frozenset(map(_address, entry.allowed_ips)),
        comment=_managed(entry.comment),
    )


def _share(entry: ShareEntry) -> Share:
    objects, readers = entry.data_objects, entry.recipients
    return Share(
        name=normal_name(entry.name),
        comment=_managed(entry.comment),
        objects=UNMANAGED if objects is None else frozenset(SharedObject(_object_name(text)) for text in objects),
        recipients=UNMANAGED if readers is None else frozenset(map(normal_name, readers)),
    )


def _address(text: str) -> str:
    found = canonical_address(text)
    return found if isinstance(found, str) else text


def _object_name(text: str) -> str:
    return object_name(text) or text


def _managed(text: str | None) -> Managed[str]:
    return UNMANAGED if text is None else text
