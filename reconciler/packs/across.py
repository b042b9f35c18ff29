"""What only all packs together show: two packs with one identity, two definitions of one resource, recipients that
another pack declares. A problem between two files stands in the later one, names the earlier one, and breaks both."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.key import Key, Kind, normal_name, recipient_key
from reconciler.core.problem import Problem, Where
from reconciler.packs.content import unknown_word
from reconciler.packs.document import PackDocument
from reconciler.packs.finding import MAX_PROBLEMS, nearest, shown
from reconciler.packs.names import metastore_id
from reconciler.packs.placing import Placed
from reconciler.packs.tree import Loc

_MAX_HINTS: Final = 50


@dataclass(frozen=True, slots=True)
class _Claim:
    """One file's claim to something that only one may have."""

    pack: Placed
    loc: Loc
    text: str

    @property
    def where(self) -> Where:
        return self.pack.file.places.value(self.loc)


def clashes(packs: Sequence[Placed]) -> Iterator[Problem]:
    """Pairs of files that cannot both be right."""
    copies: set[str] = set()
    for same in _grouped(_identities(packs)):
        copies.update(claim.pack.path for claim in same)
        first, *others = same
        for other in others:
            message = f"the pack {shown(str(other.pack.id))} stands in {first.pack.path} already"
            hint = "business line and project name together belong to one pack: rename one, or delete the copy"
            yield Problem(other.where, "pack-duplicate", message, hint, also=first.where)
    # Of two copies of one pack everything clashes; saying so once is enough.
    single = [pack for pack in packs if pack.path not in copies]
    yield from _clashing_resources(single)
    yield from _clashing_metastores(single)


def _identities(packs: Sequence[Placed]) -> Iterator[tuple[object, _Claim]]:
    for pack in packs:
        if pack.id is not None:
            yield pack.id, _Claim(pack, ("metadata", "project_name"), "")


def _clashing_resources(packs: Sequence[Placed]) -> Iterator[Problem]:
    for first, *others in _grouped(_resources(packs)):
        for other in (claim for claim in others if claim.pack is not first.pack):
            message = f"the {other.loc[0]} {shown(other.text)} is declared in {first.pack.path} as well"
            hint = "a resource belongs to one pack; other packs of the business line may refer to its recipients"
            yield Problem(other.where, "resource-duplicate", message, hint, also=first.where)


def _resources(packs: Sequence[Placed]) -> Iterator[tuple[object, _Claim]]:
    for pack in packs:
        if pack.file.document is None or pack.workspace is None:
            continue
        for kind, number, name in _names(pack.file.document):
            if normal_name(name):
                claim = _Claim(pack, (kind.value, number, "name"), name)
                yield (kind, pack.workspace, normal_name(name)), claim


def _names(document: PackDocument) -> Iterator[tuple[Kind, int, str]]:
    for number, recipient in enumerate(document.recipient):
        yield Kind.RECIPIENT, number, recipient.name
    for number, share in enumerate(document.share):
        yield Kind.SHARE, number, share.name


def _clashing_metastores(packs: Sequence[Placed]) -> Iterator[Problem]:
    for first, *others in _grouped(_metastores(packs)):
        for other in (claim for claim in others if claim.pack is not first.pack):
            message = (
                f"the metastore of {shown(other.text)} is that of {shown(first.text)} in {first.pack.path} already"
            )
            hint = "Databricks takes one recipient per metastore and workspace"
            yield Problem(other.where, "metastore-duplicate", message, hint, also=first.where)


def _metastores(packs: Sequence[Placed]) -> Iterator[tuple[object, _Claim]]:
    for pack in packs:
        if pack.file.document is None or pack.workspace is None:
            continue
        for number, entry in enumerate(pack.file.document.recipient):
            normal = metastore_id(entry.metastore_id or "") if entry.type.strip().upper() == "D2D" else None
            if normal:
                yield (pack.workspace, normal), _Claim(pack, ("recipient", number, "metastore_id"), entry.name)


def _grouped(claims: Iterator[tuple[object, _Claim]]) -> Iterator[list[_Claim]]:
    by_key: defaultdict[object, list[_Claim]] = defaultdict(list)
    for key, claim in claims:
        by_key[key].append(claim)
    return (same for same in by_key.values() if len(same) > 1)


@dataclass(frozen=True, slots=True)
class References:
    problems: tuple[Problem, ...] = ()
    #: By path of the file: recipients of other packs that its shares grant to.
    borrowed: Mapping[str, frozenset[Key]] = field(default_factory=dict)


def references(packs: Sequence[Placed], problems: Sequence[Problem]) -> References:
    """Resolves the recipients that shares name. A pack that waits for a broken one is broken, too, and so on."""
    causes: dict[str, Where] = {}
    for problem in problems:
        if problem.is_error:
            for where in filter(None, (problem.where, problem.also)):
                causes.setdefault(where.path, problem.where)
    declared = _declared(packs)
    hiding = [pack for pack in packs if _hides_recipients(pack)]
    while True:
        found = [(pack, each) for pack in packs for each in _resolved(pack, hiding, declared, causes)]
        said = [each for _, each in found if isinstance(each, Problem)]
        new = {problem.where.path: problem.where for problem in said if problem.where.path not in causes}
        if not new:
            break
        causes |= new
    borrowed: defaultdict[str, set[Key]] = defaultdict(set)
    for pack, each in found:
        if isinstance(each, Key):
            borrowed[pack.path].add(each)
    return References(tuple(said), {path: frozenset(keys) for path, keys in borrowed.items()})


_Declared = Mapping[tuple[str, str], Mapping[str, Placed]]


def _declared(packs: Sequence[Placed]) -> _Declared:
    """Who declares a recipient, by business line and workspace."""
    found: defaultdict[tuple[str, str], dict[str, Placed]] = defaultdict(dict)
    for pack in packs:
        if pack.file.document is not None and pack.workspace is not None and pack.line:
            for entry in pack.file.document.recipient:
                found[pack.line, pack.workspace].setdefault(normal_name(entry.name), pack)
    return found


def _resolved(
    pack: Placed, hiding: Sequence[Placed], declared: _Declared, causes: Mapping[str, Where]
) -> Iterator[Problem | Key]:
    document = pack.file.document
    if document is None or pack.workspace is None or not pack.line or _hides_recipients(pack):
        return
    own = {normal_name(entry.name) for entry in document.recipient}
    offered = declared.get((pack.line, pack.workspace), {})
    unread = next((other for other in hiding if other.line in {"", pack.line}), None)
    said = 0
    for loc, name in _references(document):
        normal = normal_name(name)
        owner = offered.get(normal, unread)
        if not normal or normal in own or said > MAX_PROBLEMS:
            continue
        if owner is not None and normal in offered and owner.path not in causes:
            yield recipient_key(name, pack.workspace)
            continue
        said += 1
        where = pack.file.places.value(loc)
        # Looking for similar names takes time, and nobody reads the fiftieth hint.
        known = sorted(own | offered.keys()) if said <= _MAX_HINTS else []
        if owner is not None:
            similar = "" if normal in offered else nearest(name, known)
            yield _waits(where, name, owner, causes, similar)
        else:
            message = f"no pack of this business line and workspace declares the recipient {shown(name)}"
            hint = unknown_word(name, known) if known else "declare it under `recipient:` in this file"
            yield Problem(where, "recipient-unknown", message, hint)


def _references(document: PackDocument) -> Iterator[tuple[Loc, str]]:
    for number, share in enumerate(document.share):
        for position, name in enumerate(share.recipients or ()):
            yield ("share", number, "recipients", position), name


def _waits(where: Where, name: str, owner: Placed, causes: Mapping[str, Where], similar: str) -> Problem:
    message = f"the recipient {shown(name)} belongs to {owner.path}, or may; that file has to be corrected first"
    hint = f'or did you mean "{similar}"?' if similar else ""
    return Problem(where, "waits-for-file", message, hint, also=causes.get(owner.path))


def _hides_recipients(pack: Placed) -> bool:
    if pack.file.document is None:
        return True
    return any(_is_about_a_name(loc) for loc in pack.file.settled)


def _is_about_a_name(loc: Loc) -> bool:
    return loc[:1] == ("recipient",) and (len(loc) <= 2 or loc[2:] == ("name",))
