"""Steps that open more than their author may see, or take what cannot be given back: each is held until it is allowed
by name. What Git must attest is `core.guard`'s, how much may go at once `core.limits`'."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final

from reconciler.core.access import overlay
from reconciler.core.allowance import lift_of
from reconciler.core.changes import ElementAdded, FieldChange, TokenRotated, moment_text
from reconciler.core.guard import Objection
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.severity import Effect, effect
from reconciler.core.share import ObjectType, Share
from reconciler.core.verdict import Adopt, Create, Delete, Rename, Replace, Update, Verdict

#: Ranges of more than 2^24 addresses: the whole Internet in up to 256 lines.
_WIDEST_PREFIX: Final = 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a step is judged by besides itself."""

    recorded: Resource | None
    #: Epoch milliseconds.
    now: int
    #: Names of recipients known to be Databricks metastores; any other is taken for an outside partner.
    metastores: frozenset[str] = field(default_factory=frozenset)
    #: The recipient that stands for the metastore of a new one already; empty when there is none.
    metastore_recipient: str = ""


def access_objections(key: Key, verdict: Verdict, around: Surroundings) -> Iterator[Objection]:
    yield from _protected(verdict, around)
    match verdict:
        case Create(after):
            yield from _metastore_taken(after, around)
            yield from _expiry(None, after, around.now)
            yield from _whole_schemas(key, None, after, around)
        case Update(before, after, changes) | Adopt(before, after, changes) | Rename(before, after, changes):
            yield from _addresses(key, before, after, changes)
            is_rotated = any(isinstance(change, TokenRotated) for change in changes)
            yield from _expiry(None if is_rotated else before, after, around.now)
            yield from _storage_root(before, changes)
            yield from _whole_schemas(key, before, after, around)
        case Replace(before, after):
            yield from _replacement(key, before, after)
            # What cannot be made must not be deleted first.
            yield from _metastore_taken(after, around)
            yield from _expiry(None, after, around.now)
        case _:
            return


def _protected(verdict: Verdict, around: Surroundings) -> Iterator[Objection]:
    if around.recorded is None or not around.recorded.protect:
        return
    if isinstance(verdict, Delete | Replace) or effect(verdict) is Effect.REVOKES_ALL:
        yield Objection(
            "protected",
            "it is protected (`protect: true` on record)",
            "write `protect: false` on it, apply that, then do this in a commit of its own",
        )


def _metastore_taken(after: Resource, around: Surroundings) -> Iterator[Objection]:
    """Databricks takes one recipient for each metastore (contract 2.7)."""
    other = around.metastore_recipient
    if other and other != after.name:
        yield Objection(
            "metastore-taken",
            f"its metastore is the recipient {other} already, and Databricks takes one for each",
            f"declare that one, with `adopt: true` when no pack made it; or `renamed_from: {other}` when one did",
        )


def _replacement(key: Key, before: Resource, after: Resource) -> Iterator[Objection]:
    if isinstance(before, Recipient) and isinstance(after, Recipient):
        yield Objection(
            "recipient-replaced",
            f"it is {before.authentication}, the pack wants {after.authentication}; that is fixed at creation, so it "
            "would be deleted and made anew: its partner loses access until it has signed in again",
            "give the new recipient another name, move the grants, then remove this one; or allow it by name",
            lift_of("replace", key),
        )


def _addresses(key: Key, before: Resource, after: Resource, changes: Collection[FieldChange]) -> Iterator[Objection]:
    if not isinstance(before, Recipient) or not isinstance(after, Recipient):
        return
    was = frozenset() if before.allowed_ips is UNMANAGED else before.allowed_ips
    if was and after.allowed_ips == frozenset():
        yield Objection(
            "ip-list-emptied",
            "its list of addresses would be empty, which lets every address in",
            "keep at least one address, leave the list out to leave it alone, or allow it by name",
            lift_of("open-ips", key),
        )
    wide = [str(each.element) for each in changes if isinstance(each, ElementAdded) and _is_wide(each)]
    if wide:
        yield Objection(
            "ip-list-wide-open",
            f"{', '.join(wide)} lets (nearly) every address in",
            "name the partner's own ranges, or allow it by name",
            lift_of("any-ip", key),
        )


def _is_wide(change: ElementAdded) -> bool:
    if change.field != "allowed_ips":
        return False
    try:
        return ip_network(str(change.element)).prefixlen < _WIDEST_PREFIX
    except ValueError:
        return False


def _expiry(before: Resource | None, after: Resource, now: int) -> Iterator[Objection]:
    if not isinstance(after, Recipient) or after.expires_at is UNMANAGED:
        return
    ends = before.expires_at if isinstance(before, Recipient) else UNMANAGED
    if after.expires_at == ends:
        return
    if after.expires_at <= now:
        yield Objection(
            "expiry-past",
            f"its token would end at once: {moment_text(after.expires_at)} lies in the past",
            "write a day to come; to end its access, take its grants away",
        )
    elif ends is not UNMANAGED and after.expires_at > ends:
        yield Objection(
            "expiry-not-extendable",
            f"its token ends on {moment_text(ends)}, and Databricks only lets that be brought forward",
            f"rotate it for a longer one: sharepack rotate {after.name}",
        )


def _storage_root(before: Resource, changes: Collection[FieldChange]) -> Iterator[Objection]:
    """Contract 4.5."""
    objects = before.objects if isinstance(before, Share) else UNMANAGED
    notebooks = [] if objects is UNMANAGED else [item for item in objects if item.type == ObjectType.NOTEBOOK_FILE]
    if notebooks and any(change.field == "storage_root" for change in changes):
        yield Objection(
            "storage-root-fixed",
            "its storage root cannot be changed while it holds notebooks",
            "write the storage root it has; or remove the notebooks, apply that, change it, and share them again",
        )


def _whole_schemas(key: Key, before: Resource | None, after: Resource, around: Surroundings) -> Iterator[Objection]:
    if not isinstance(after, Share):
        return
    was = before if isinstance(before, Share) else Share(after.name)
    pairs = _pairs(overlay(was, after)) - _pairs(was)
    known = _pairs(around.recorded) if isinstance(around.recorded, Share) else frozenset()
    outside: dict[str, list[str]] = {}
    for recipient, schema in sorted(pairs - known):
        if recipient not in around.metastores:
            outside.setdefault(recipient, []).append(schema)
    for recipient, schemas in outside.items():
        yield Objection(
            "whole-schema-to-outsider",
            f"{recipient}, a D2O recipient, would read all of {', '.join(schemas)}, with every table added to it later",
            "share the tables by name, or allow it by name",
            lift_of("whole-schema", key, recipient),
        )


def _pairs(share: Share) -> frozenset[tuple[str, str]]:
    objects = frozenset() if share.objects is UNMANAGED else share.objects
    readers = frozenset() if share.recipients is UNMANAGED else share.recipients
    schemas = [item.name for item in objects if item.type == ObjectType.SCHEMA]
    return frozenset((reader, schema) for reader in readers for schema in schemas)
