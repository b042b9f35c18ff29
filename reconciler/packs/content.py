"""The checks that one pack can be held to by itself, whatever the day and the files beside it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.key import normal_name
from reconciler.core.pack import DriftPolicy, Strategy
from reconciler.packs.document import Metadata, PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.finding import Finding, shown
from reconciler.packs.names import metastore_id
from reconciler.packs.objects import check_objects
from reconciler.packs.recipients import check_recipient
from reconciler.packs.reviewed import check_reviewed
from reconciler.packs.texts import check_email, check_line, check_name, check_text, check_title, same_entries
from reconciler.packs.tree import Loc

_STORAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*")


def check_pack(pack: PackDocument) -> Iterator[Finding]:
    yield from _metadata(pack.metadata)
    for number, recipient in enumerate(pack.recipient):
        yield from check_recipient(recipient, ("recipient", number))
        yield from _old_name(recipient, ("recipient", number))
    for number, share in enumerate(pack.share):
        yield from _share(share, ("share", number))
        yield from _old_name(share, ("share", number))
    yield from _same_names("recipient", [entry.name for entry in pack.recipient])
    yield from _same_names("share", [entry.name for entry in pack.share])
    yield from _same_metastores(pack.recipient)
    yield from check_reviewed(pack)


def _metadata(metadata: Metadata) -> Iterator[Finding]:
    yield from check_email(metadata.requestor, ("metadata", "requestor"))
    for field in ("project_name", "business_line"):
        yield from check_title(getattr(metadata, field), ("metadata", field))
    yield from check_text(metadata.description, ("metadata", "description"))
    if metadata.region:
        yield from check_title(metadata.region, ("metadata", "region"))
    if metadata.strategy is not None and metadata.strategy.strip().upper() not in set(Strategy):
        message = f"the strategy is NEW or UPDATE, not {shown(metadata.strategy)}"
        yield Finding(("metadata", "strategy"), "strategy-unknown", message, "or leave it out: it is derived")
    yield from check_drift(metadata.drift, ("metadata", "drift"))


def check_drift(text: str | None, loc: Loc) -> Iterator[Finding]:
    if text is not None and text.strip().lower() not in set(DriftPolicy):
        message = f"drift is correct or report, not {shown(text)}"
        hint = "correct puts back what was changed by hand, report only tells it"
        yield Finding(loc, "drift-unknown", message, hint)


def _share(entry: ShareEntry, loc: Loc) -> Iterator[Finding]:
    yield from check_name(entry.name, (*loc, "name"), "share")
    yield from check_text(entry.comment, (*loc, "comment"))
    yield from check_line(entry.owner, (*loc, "owner"))
    if entry.storage_root is not None and not _STORAGE.fullmatch(entry.storage_root.strip()):
        message = f"{shown(entry.storage_root)} is not the URL of cloud storage"
        hint = "write it like abfss://container@account.dfs.core.windows.net/path, or leave the key out"
        yield Finding((*loc, "storage_root"), "storage-root-invalid", message, hint)
    yield from check_objects(entry.data_objects or (), (*loc, "data_objects"))
    readers = entry.recipients or ()
    for number, text in enumerate(readers):
        if not text.strip():
            yield Finding((*loc, "recipients", number), "text-empty", "a recipient's name is empty", "remove the entry")
    yield from same_entries(readers, map(normal_name, readers), (*loc, "recipients"))


def _old_name(entry: RecipientEntry | ShareEntry, loc: Loc) -> Iterator[Finding]:
    if entry.renamed_from is None:
        return
    at = (*loc, "renamed_from")
    yield from check_name(entry.renamed_from, at, str(loc[0]))
    if normal_name(entry.renamed_from) == normal_name(entry.name):
        message = f"{shown(entry.renamed_from)} is the name it has; letter case does not matter"
        yield Finding(at, "renamed-from-itself", message, "write the name it had before, or remove it")


def _same_names(kind: str, names: Sequence[str]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        normal = normal_name(name)
        if normal and first.setdefault(normal, number) != number:
            also: Loc = (kind, first[normal], "name")
            message = f"the {kind} {shown(name)} is declared twice in this pack; letter case does not matter"
            yield Finding((kind, number, "name"), "name-duplicate", message, "join the two, or rename one", also=also)


def _same_metastores(entries: Sequence[RecipientEntry]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        normal = metastore_id(entry.metastore_id or "")
        if normal and entry.type.strip().upper() == "D2D" and first.setdefault(normal, number) != number:
            also: Loc = ("recipient", first[normal], "metastore_id")
            message = (
                f"the metastore {shown(normal)} is that of the recipient {shown(entries[first[normal]].name)} already"
            )
            yield Finding(
                ("recipient", number, "metastore_id"),
                "metastore-duplicate",
                message,
                "Databricks takes one recipient per metastore: grant to that one",
                also=also,
            )
