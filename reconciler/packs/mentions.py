"""Entries that speak of a resource by its name, held against the packs that declare it: `renamed_from`, `release` and
`allow`. Where two packs both claim an old name both are wrong; otherwise only the entry that speaks is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.core.key import Key, Kind, normal_name, recipient_key, share_key
from reconciler.core.problem import Problem, Severity, Where
from reconciler.packs.finding import shown
from reconciler.packs.placing import Placed
from reconciler.packs.reviewed import allowed_key, is_about_declared, released_key
from reconciler.packs.shape import is_settled
from reconciler.packs.tree import Loc


class _Declared(NamedTuple):
    pack: Placed
    #: The old name that it claims, and where.
    old: Key | None = None
    old_at: Where | None = None


def mentions(packs: Sequence[Placed]) -> Iterator[Problem]:
    declared: dict[Key, _Declared] = {}
    for pack in packs:
        for key, found in _declarations(pack):
            declared.setdefault(key, found)
    yield from _renames(declared)
    old_names = {found.old: found for found in declared.values() if found.old is not None}
    for pack in packs:
        if pack.file.document is not None and pack.workspace is not None:
            yield from _releases(pack, pack.workspace, declared, old_names)
            yield from _allowances(pack, pack.workspace, declared)


def _declarations(pack: Placed) -> Iterator[tuple[Key, _Declared]]:
    document, workspace = pack.file.document, pack.workspace
    if document is None or workspace is None:
        return
    places = pack.file.places
    recipients = [(recipient_key(entry.name, workspace), entry.renamed_from) for entry in document.recipient]
    shares = [(share_key(entry.name, workspace), entry.renamed_from) for entry in document.share]
    for kind, entries in ((Kind.RECIPIENT, recipients), (Kind.SHARE, shares)):
        for number, (key, old_name) in enumerate(entries):
            at: Loc = (kind.value, number, "renamed_from")
            old = Key(kind, normal_name(old_name or ""), workspace)
            if old.name and old != key and not is_settled(at, pack.file.settled):
                yield key, _Declared(pack, old, places.value(at))
            elif key.name:
                yield key, _Declared(pack)


def _renames(declared: Mapping[Key, _Declared]) -> Iterator[Problem]:
    first: dict[Key, _Declared] = {}
    for key, found in declared.items():
        if found.old is None or found.old_at is None:
            continue
        other = declared.get(found.old)
        earlier = first.setdefault(found.old, found)
        if other is not None:
            message = f"the {key.kind} {shown(found.old.name)} is declared {_in(other, found.pack)}: it is not renamed"
            hint = "remove that entry, or this renamed_from"
            yield Problem(found.old_at, "renamed-from-declared", message, hint)
        elif earlier is not found:
            message = f"the {key.kind} {shown(found.old.name)} is renamed {_in(earlier, found.pack)} already"
            hint = "it can become one of the two"
            yield Problem(found.old_at, "renamed-from-twice", message, hint, also=earlier.old_at)


def _releases(
    pack: Placed, workspace: str, declared: Mapping[Key, _Declared], old_names: Mapping[Key, _Declared]
) -> Iterator[Problem]:
    for number, text in enumerate(pack.file.document.release if pack.file.document else ()):
        key = released_key(text, workspace)
        if key is None:
            continue
        where = pack.file.places.value(("release", number))
        if key in declared and declared[key].pack.path == pack.path:
            message = f"{shown(str(key))} is declared {_in(declared[key], pack)}, and what is released is not"
            yield Problem(where, "release-declared", message, "remove that entry, or do not release it")
        elif key in declared:
            # One commit may let go of it here and take it over there; the entry that stays behind does no harm.
            message = f"{shown(str(key))} is declared {_in(declared[key], pack)}"
            hint = "remove this entry once it has been applied"
            yield Problem(where, "release-declared", message, hint, Severity.WARNING)
        elif key in old_names:
            message = (
                f"{shown(str(key))} is to be renamed {_in(old_names[key], pack)}, and what is released is left alone"
            )
            yield Problem(where, "release-declared", message, "remove that renamed_from, or do not release it")


def _allowances(pack: Placed, workspace: str, declared: Mapping[Key, _Declared]) -> Iterator[Problem]:
    for number, entry in enumerate(pack.file.document.allow if pack.file.document else ()):
        key = allowed_key(entry.action, workspace)
        found = None if key is None else declared.get(key)
        where = pack.file.places.value(("allow", number, "action"))
        if found is not None and found.pack.path != pack.path:
            message = (
                f"{shown(str(key))} is declared in {found.pack.path}, and only that pack can allow what happens to it"
            )
            yield Problem(where, "allow-foreign", message, "move the entry there")
        elif key is not None and found is None and is_about_declared(entry.action):
            message = f"this pack declares no {key.kind} {shown(key.name)}: the exception means nothing"
            yield Problem(where, "allow-without-resource", message, "correct the name, or remove it", Severity.WARNING)


def _in(found: _Declared, pack: Placed) -> str:
    return "in this pack" if found.pack.path == pack.path else f"in {found.pack.path}"
