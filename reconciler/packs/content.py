"""The checks that one pack can be held to by itself: names, addresses, what a type of recipient needs, duplicates."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.key import normal_name
from reconciler.packs.addresses import NotAnAddress, canonical_address
from reconciler.packs.document import (
    MAX_ALLOWED_IPS,
    MAX_NAME,
    MAX_TEXT,
    Metadata,
    PackDocument,
    RecipientEntry,
    ShareEntry,
)
from reconciler.packs.finding import Finding, meant, shown
from reconciler.packs.names import control_character, is_email, is_name, metastore_id, name_like, object_name
from reconciler.packs.tree import Loc


def check_pack(pack: PackDocument) -> Iterator[Finding]:
    yield from _metadata(pack.metadata)
    for number, recipient in enumerate(pack.recipient):
        yield from _recipient(recipient, ("recipient", number))
    for number, share in enumerate(pack.share):
        yield from _share(share, ("share", number))
    yield from _same_names("recipient", [entry.name for entry in pack.recipient])
    yield from _same_names("share", [entry.name for entry in pack.share])
    yield from _same_metastores(pack.recipient)


def _metadata(metadata: Metadata) -> Iterator[Finding]:
    yield from _email(metadata.requestor, ("metadata", "requestor"))
    for field in ("project_name", "business_line"):
        yield from _title(getattr(metadata, field), ("metadata", field))
    yield from _text(metadata.description, ("metadata", "description"))
    if metadata.region:
        yield from _title(metadata.region, ("metadata", "region"))
    if metadata.strategy is not None and metadata.strategy.strip().upper() not in {"NEW", "UPDATE"}:
        message = f"the strategy is NEW or UPDATE, not {shown(metadata.strategy)}"
        yield Finding(("metadata", "strategy"), "strategy-unknown", message, "or leave it out: it is derived")


def _recipient(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    yield from _name(entry.name, (*loc, "name"), "recipient")
    yield from _text(entry.comment, (*loc, "comment"))
    if entry.email:
        yield from _email(entry.email, (*loc, "email"))
    match entry.type.strip().upper():
        case "D2O":
            yield from _token_recipient(entry, loc)
        case "D2D":
            yield from _databricks_recipient(entry, loc)
        case _:
            message = f"a recipient's type is D2O or D2D, not {shown(entry.type)}"
            hint = "D2O reads with a token, D2D is another Databricks metastore"
            yield Finding((*loc, "type"), "recipient-type-unknown", message, hint)


def _token_recipient(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    if not entry.email:
        message = f"the D2O recipient {shown(entry.name)} needs an email"
        yield Finding((*loc, "email"), "recipient-email-missing", message, "say who gets the activation link")
    if entry.metastore_id is not None:
        yield Finding(
            (*loc, "metastore_id"),
            "recipient-field-not-for-type",
            "a D2O recipient has no metastore_id",
            "remove it, or make the recipient D2D",
            at_key=True,
        )
    if entry.allowed_ips is not None:
        yield from _addresses(entry.allowed_ips, (*loc, "allowed_ips"))


def _databricks_recipient(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    hint = "ask the other side for its sharing identifier: SELECT CURRENT_METASTORE()"
    if not entry.metastore_id:
        message = f"the D2D recipient {shown(entry.name)} needs a metastore_id"
        yield Finding((*loc, "metastore_id"), "recipient-metastore-missing", message, hint)
    elif metastore_id(entry.metastore_id) is None:
        message = f"{shown(entry.metastore_id)} is not <cloud>:<region>:<uuid> with the cloud aws, azure or gcp"
        yield Finding((*loc, "metastore_id"), "recipient-metastore-invalid", message, hint)
    if entry.allowed_ips is not None:
        yield Finding(
            (*loc, "allowed_ips"),
            "recipient-field-not-for-type",
            "a D2D recipient has no allowed_ips",
            "remove them, or make the recipient D2O",
            at_key=True,
        )


def _addresses(texts: Sequence[str], loc: Loc) -> Iterator[Finding]:
    addresses = [canonical_address(text) for text in texts]
    for number, found in enumerate(addresses):
        if isinstance(found, NotAnAddress):
            yield Finding((*loc, number), found.rule, found.message, found.hint)
    if len(texts) > MAX_ALLOWED_IPS:
        message = f"{len(texts)} allowed IPs are more than the {MAX_ALLOWED_IPS} that Databricks takes"
        yield Finding((*loc, MAX_ALLOWED_IPS), "allowed-ips-too-many", message, "join neighbours into ranges")
    normal = [None if isinstance(found, NotAnAddress) else found for found in addresses]
    yield from same_entries(texts, normal, loc)


def _share(entry: ShareEntry, loc: Loc) -> Iterator[Finding]:
    yield from _name(entry.name, (*loc, "name"), "share")
    yield from _text(entry.comment, (*loc, "comment"))
    objects = entry.data_objects or ()
    names = [object_name(text) for text in objects]
    for number, text in enumerate(objects):
        if names[number] is None:
            message = f"{shown(text)} is not catalog.schema.table or catalog.schema"
            yield Finding((*loc, "data_objects", number), "data-object-invalid", message, _object_hint(text))
    yield from same_entries(objects, names, (*loc, "data_objects"))
    readers = entry.recipients or ()
    for number, text in enumerate(readers):
        if not text.strip():
            yield Finding((*loc, "recipients", number), "text-empty", "a recipient's name is empty", "remove the entry")
    yield from same_entries(readers, map(normal_name, readers), (*loc, "recipients"))


def _object_hint(text: str) -> str:
    parts = [part.strip() for part in text.split(".")]
    if len(parts) == 1:
        return "name the catalog and the schema as well"
    if not all(parts):
        return "a part between two dots is empty"
    if len(parts) > 3:
        return "a name has at most three parts, and a dot inside a part is not allowed"
    return f"at most {MAX_NAME} characters a part; no slash; a part with a space needs back-quotes: `my table`"


def same_entries(texts: Sequence[str], normal: Iterable[str | None], loc: Loc) -> Iterator[Finding]:
    """A finding for each text that says the same as an earlier one; what has no normal form is left to other checks."""
    first: dict[str, int] = {}
    for number, same in enumerate(normal):
        if same and first.setdefault(same, number) != number:
            text, earlier = texts[number], texts[first[same]]
            also = "" if earlier == text else f", as {shown(earlier)}"
            message = f"{shown(text)} stands in this list already{also}"
            yield Finding((*loc, number), "list-duplicate", message, "remove one of the two", also=(*loc, first[same]))


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


def _name(text: str, loc: Loc, kind: str) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(loc, "text-empty", f"the {kind}'s name is empty", "write a name")
    elif len(text.strip()) > MAX_NAME:
        message = f"the {kind}'s name has {len(text.strip())} characters"
        yield Finding(loc, "name-too-long", message, f"use at most {MAX_NAME}")
    elif not is_name(text.strip()):
        message = f"{shown(text)} is not a name: no spaces, dots, slashes or control characters"
        yield Finding(loc, "name-invalid", message, f'write for example "{name_like(text)}"')


def _title(text: str, loc: Loc) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(loc, "text-empty", f'"{loc[-1]}" is empty', "write a value")
    elif len(text) > MAX_NAME:
        yield _too_long(text, loc, MAX_NAME)
    elif bad := control_character(text) or ("U+000A" if "\n" in text or "\t" in text else ""):
        yield _control(bad, loc)


def _text(text: str | None, loc: Loc) -> Iterator[Finding]:
    if text is not None and len(text) > MAX_TEXT:
        yield _too_long(text, loc, MAX_TEXT)
    elif text and (bad := control_character(text)):
        yield _control(bad, loc)


def _too_long(text: str, loc: Loc, limit: int) -> Finding:
    return Finding(loc, "text-too-long", f'"{loc[-1]}" has {len(text):,} characters', f"use at most {limit:,}")


def _control(bad: str, loc: Loc) -> Finding:
    message = f'"{loc[-1]}" holds the character {bad}, which is not seen or moves what is'
    return Finding(loc, "text-control-character", message, "remove it")


def _email(text: str, loc: Loc) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(loc, "text-empty", f'"{loc[-1]}" is empty', "write an e-mail address")
    elif not is_email(text.strip()):
        yield Finding(loc, "email-invalid", f"{shown(text)} is not an e-mail address", "write it like ann@example.com")


def unknown_word(word: str, known: Sequence[str]) -> str:
    return meant(word, known, f"known are {', '.join(sorted(known)[:10]) or 'none'}")
