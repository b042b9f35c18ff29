"""The checks of one recipient: what its type needs and takes, its addresses, properties and tokens."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.core.problem import Severity
from reconciler.packs.addresses import NotAnAddress, canonical_address
from reconciler.packs.document import MAX_ALLOWED_IPS, MAX_NAME, RecipientEntry
from reconciler.packs.durations import DAY, moment, seconds
from reconciler.packs.finding import Finding, shown
from reconciler.packs.names import metastore_id
from reconciler.packs.policies import check_policies
from reconciler.packs.texts import check_email, check_line, check_name, check_text, same_entries
from reconciler.packs.tree import Loc

#: What core takes when a pack leaves the overlap out.
_OVERLAP: Final = 7 * DAY
_MAX_LIFETIME: Final = 365 * DAY
_TOKEN_FIELDS: Final = ("expires_at", "token_lifetime", "rotate_every", "rotation_overlap")
#: What each type of recipient does not have.
_NOT_FOR: Final[Mapping[str, Sequence[str]]] = {
    "D2O": ("metastore_id", "federation_policies"),
    "OIDC": ("metastore_id", *_TOKEN_FIELDS),
    "D2D": ("allowed_ips", *_TOKEN_FIELDS, "federation_policies"),
}
#: Who has it, and what to write to keep it.
_INSTEAD: Final = {
    "metastore_id": "remove it, or make the recipient D2D",
    "allowed_ips": "remove them, or make the recipient D2O",
    "federation_policies": "remove them, or make the recipient OIDC",
}
_SPAN_HINT: Final = "write days, weeks or hours: 90d, 12w or 36h"
_RESERVED: Final = "databricks."


def check_recipient(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    yield from check_name(entry.name, (*loc, "name"), "recipient")
    yield from check_text(entry.comment, (*loc, "comment"))
    yield from check_line(entry.owner, (*loc, "owner"))
    if entry.email:
        yield from check_email(entry.email, (*loc, "email"))
    yield from _properties(entry.properties or {}, (*loc, "properties"))
    stated = entry.type.strip().upper()
    if stated not in _NOT_FOR:
        message = f"a recipient's type is D2O, OIDC or D2D, not {shown(entry.type)}"
        hint = "D2O reads with a token, OIDC signs in at its own identity provider, D2D is another Databricks metastore"
        yield Finding((*loc, "type"), "recipient-type-unknown", message, hint)
        return
    yield from _foreign_fields(entry, stated, loc)
    if stated == "D2D":
        yield from _metastore(entry, loc)
        return
    if stated == "D2O":
        yield from _needed_email(entry, loc)
        yield from _tokens(entry, loc)
    else:
        yield from check_policies(entry.federation_policies or (), (*loc, "federation_policies"))
    if entry.allowed_ips is not None:
        yield from _addresses(entry.allowed_ips, (*loc, "allowed_ips"))


def _foreign_fields(entry: RecipientEntry, stated: str, loc: Loc) -> Iterator[Finding]:
    for field in _NOT_FOR[stated]:
        if getattr(entry, field) is not None:
            hint = _INSTEAD.get(field, "remove it: only a D2O recipient has a token")
            message = f"{'an' if stated == 'OIDC' else 'a'} {stated} recipient has no {field}"
            yield Finding((*loc, field), "recipient-field-not-for-type", message, hint, at_key=True)


def _needed_email(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    if not entry.email:
        message = f"the D2O recipient {shown(entry.name)} needs an email"
        yield Finding((*loc, "email"), "recipient-email-missing", message, "say who gets the activation link")


def _metastore(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    hint = "ask the other side for its sharing identifier: SELECT CURRENT_METASTORE()"
    if not entry.metastore_id:
        message = f"the D2D recipient {shown(entry.name)} needs a metastore_id"
        yield Finding((*loc, "metastore_id"), "recipient-metastore-missing", message, hint)
    elif metastore_id(entry.metastore_id) is None:
        message = f"{shown(entry.metastore_id)} is not <cloud>:<region>:<uuid> with the cloud aws, azure or gcp"
        yield Finding((*loc, "metastore_id"), "recipient-metastore-invalid", message, hint)


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


def _properties(properties: Mapping[str, str], loc: Loc) -> Iterator[Finding]:
    for key, value in properties.items():
        at = (*loc, key)
        if not key.strip() or key != key.strip() or len(key) > MAX_NAME or not key.isprintable():
            message = f"{shown(key)} is not the name of a property"
            hint = f"1 to {MAX_NAME} visible characters, without blanks around them"
            yield Finding(at, "property-name-invalid", message, hint, at_key=True)
        elif key.lower().startswith(_RESERVED):
            message = f"the property {shown(key)} belongs to the server, as all that begin with {_RESERVED} do"
            yield Finding(
                at, "property-reserved", message, "remove it; partitions may ask for it all the same", at_key=True
            )
        yield from check_text(value, at)


def _tokens(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    if entry.expires_at is not None:
        if moment(entry.expires_at) is None:
            message = f"{shown(entry.expires_at)} is not a moment"
            yield Finding((*loc, "expires_at"), "expiry-invalid", message, "write 2027-06-30 or 2027-06-30T18:00:00Z")
        for field in ("token_lifetime", "rotate_every"):
            if getattr(entry, field) is not None:
                yield _clash(f"expires_at and {field} exclude each other", "keep one of the two", (*loc, field))
    yield from _spans(entry, loc)
    lifetime, every = _seconds(entry.token_lifetime), _seconds(entry.rotate_every)
    overlap = _OVERLAP if entry.rotation_overlap is None else _seconds(entry.rotation_overlap)
    if entry.rotation_overlap is not None and entry.rotate_every is None:
        yield _clash(
            "rotation_overlap means nothing without rotate_every",
            "add rotate_every, or remove it",
            (*loc, "rotation_overlap"),
        )
    if every is not None and overlap is not None and DAY <= every <= overlap:
        said = entry.rotation_overlap or "7d, which it is when left out"
        message = f"a token that is replaced every {entry.rotate_every} cannot go on beside the new one for {said}"
        yield Finding((*loc, "rotate_every"), "rotation-overlap-too-long", message, "write a shorter rotation_overlap")
    if lifetime is not None and every is not None and lifetime <= every:
        message = f"the token ends after {entry.token_lifetime}, before it is replaced after {entry.rotate_every}"
        hint = "let it live longer than rotate_every, or its reader is locked out in between"
        yield Finding((*loc, "token_lifetime"), "token-ends-before-rotation", message, hint, Severity.WARNING)


def _spans(entry: RecipientEntry, loc: Loc) -> Iterator[Finding]:
    limits = {"token_lifetime": (DAY, _MAX_LIFETIME), "rotate_every": (DAY, None), "rotation_overlap": (0, None)}
    for field, (least, most) in limits.items():
        text = getattr(entry, field)
        found = _seconds(text)
        at = (*loc, field)
        if text is not None and found is None:
            yield Finding(at, "duration-invalid", f"{shown(text)} is not a span of time", _SPAN_HINT)
        elif found is not None and found < least:
            yield Finding(at, "duration-out-of-range", f"{field} is less than a day", "write 1d or more")
        elif found is not None and most is not None and found > most:
            yield Finding(at, "duration-out-of-range", f"{field} is more than 365 days", "write 365d or less")


def _seconds(text: str | None) -> int | None:
    return None if text is None else seconds(text)


def _clash(message: str, hint: str, loc: Loc) -> Finding:
    return Finding(loc, "recipient-fields-clash", message, hint, at_key=True)
