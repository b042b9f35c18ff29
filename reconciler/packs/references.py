"""Resolves the recipients that shares name: of the same pack, of the same business line, or of one that lends them. A
pack that waits for a broken one is broken, too, and so on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from reconciler.core.key import Key, normal_name, recipient_key
from reconciler.core.problem import Problem, Where
from reconciler.core.tenant import Tenants
from reconciler.packs.document import PackDocument
from reconciler.packs.finding import enough, nearest, shown
from reconciler.packs.placing import Placed
from reconciler.packs.texts import unknown_word
from reconciler.packs.tree import Loc

_MAX_HINTS: Final = 50
#: Names that are looked through for similar ones, in all: some seconds.
MAX_COMPARED: Final = 500_000
_EVERY_LINE: Final = "*"


@dataclass(frozen=True, slots=True)
class References:
    problems: tuple[Problem, ...] = ()
    #: By path of the file: recipients of other packs that its shares grant to.
    borrowed: Mapping[str, frozenset[Key]] = field(default_factory=dict)


class _Asked(NamedTuple):
    """A recipient that is not of the pack that grants to it."""

    loc: Loc
    name: str
    #: Who declares it in this workspace, lent or not.
    found: Placed | None
    #: Who declares it and lends it.
    owner: Placed | None

    def is_met(self, causes: Mapping[str, Where]) -> bool:
        return self.owner is not None and self.owner.path not in causes


def references(packs: Sequence[Placed], problems: Sequence[Problem], tenants: Tenants) -> References:
    causes: dict[str, Where] = {}
    for problem in problems:
        if problem.is_error:
            for where in filter(None, (problem.where, problem.also)):
                causes.setdefault(where.path, problem.where)
    offers = _offers(packs, tenants)
    asked = [(pack, found) for pack in packs if (found := list(_asked(pack, offers)))]
    _break_in_turn(asked, causes)
    said: list[Problem] = []
    borrowed: dict[str, frozenset[Key]] = {}
    for pack, wanted in asked:
        said.extend(_problems(pack, wanted, offers, causes))
        workspace = pack.workspace or ""
        keys = frozenset(recipient_key(each.name, workspace) for each in wanted if each.is_met(causes))
        if keys:
            borrowed[pack.path] = keys
    return References(tuple(said), borrowed)


def _break_in_turn(asked: Sequence[tuple[Placed, Sequence[_Asked]]], causes: dict[str, Where]) -> None:
    """Adds the packs that do not get what they ask for, then those that ask these, and so on; each is looked at when
    something has changed for it."""
    by_path = {pack.path: (pack, wanted) for pack, wanted in asked}
    askers: defaultdict[str, list[str]] = defaultdict(list)
    for pack, wanted in asked:
        for each in wanted:
            if each.owner is not None:
                askers[each.owner.path].append(pack.path)
    concerned = set(by_path)
    while concerned:
        new: dict[str, Where] = {}
        for path in concerned - causes.keys():
            pack, wanted = by_path[path]
            unmet = list(enough(each for each in wanted if not each.is_met(causes)))
            if unmet:
                new[path] = pack.file.places.value(unmet[-1].loc)
        causes |= new
        concerned = {asker for path in new for asker in askers[path]}


@dataclass(slots=True)
class _Offers:
    """Who declares which recipient, and who may grant to whose."""

    tenants: Tenants
    #: By workspace and name. A second declaration is a problem of its own.
    declared: Mapping[tuple[str, str], Placed]
    #: The new name of a recipient, by workspace and the name it had.
    renamed: Mapping[tuple[str, str], str]
    #: Packs whose recipients cannot be told.
    hiding: Sequence[Placed]
    #: Packs whose workspace cannot be told, by the names of their recipients.
    unplaced: Mapping[str, Sequence[Placed]]
    _hiding_from: dict[str, Placed | None] = field(default_factory=dict)
    _known: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    _to_compare: int = 0

    def lends(self, lender: str, borrower: str) -> bool:
        tenant = self.tenants.by_line.get(lender)
        return lender == borrower or (tenant is not None and not tenant.lends_to.isdisjoint({borrower, _EVERY_LINE}))

    def may_lend(self, lender: str, borrower: str) -> bool:
        """Also when the lender, or what its business line says in tenants.yaml, cannot be told."""
        is_told = not self.tenants.is_declared or lender in self.tenants.by_line
        return not lender or not is_told or self.lends(lender, borrower)

    def withheld(self, borrower: str, name: str) -> Placed | None:
        """A pack that may declare it, once it is corrected."""
        if borrower not in self._hiding_from:
            self._hiding_from[borrower] = self._lending(self.hiding, borrower)
        return self._lending(self.unplaced.get(name, ()), borrower) or self._hiding_from[borrower]

    def _lending(self, packs: Sequence[Placed], borrower: str) -> Placed | None:
        return next((pack for pack in packs if self.may_lend(pack.line, borrower)), None)

    def similar(self, workspace: str, borrower: str, own: AbstractSet[str]) -> Sequence[str]:
        """Names to look for similar ones in; none when so many have been looked through that it takes too long."""
        key = (workspace, borrower)
        if key not in self._known:
            there = ((name, pack) for (at, name), pack in self.declared.items() if at == workspace)
            self._known[key] = [name for name, pack in there if self.lends(pack.line, borrower)]
        self._to_compare -= len(self._known[key]) + len(own)
        return sorted({*own, *self._known[key]}) if self._to_compare >= 0 else []


def _offers(packs: Sequence[Placed], tenants: Tenants) -> _Offers:
    declared: dict[tuple[str, str], Placed] = {}
    renamed: dict[tuple[str, str], str] = {}
    unplaced: defaultdict[str, list[Placed]] = defaultdict(list)
    for pack in packs:
        for entry in pack.file.document.recipient if pack.file.document is not None else ():
            name = normal_name(entry.name)
            if pack.workspace is None:
                unplaced[name].append(pack)
            elif pack.line:
                declared.setdefault((pack.workspace, name), pack)
                renamed[pack.workspace, normal_name(entry.renamed_from or "")] = entry.name.strip()
    hiding = [pack for pack in packs if _hides_recipients(pack)]
    return _Offers(tenants, declared, renamed, hiding, unplaced, _to_compare=MAX_COMPARED)


def _asked(pack: Placed, offers: _Offers) -> Iterator[_Asked]:
    document, workspace = pack.file.document, pack.workspace
    if document is None or workspace is None or not pack.line or _hides_recipients(pack):
        return
    own = _own(document)
    for loc, name in _references(document):
        normal = normal_name(name)
        if normal and normal not in own:
            found = offers.declared.get((workspace, normal))
            owner = found if found is not None and offers.lends(found.line, pack.line) else None
            yield _Asked(loc, name, found, owner)


def _problems(
    pack: Placed, wanted: Sequence[_Asked], offers: _Offers, causes: Mapping[str, Where]
) -> Iterator[Problem]:
    own = _own(pack.file.document) if pack.file.document is not None else frozenset()
    workspace = pack.workspace or ""
    for number, each in enumerate(enough(each for each in wanted if not each.is_met(causes))):
        # Nobody reads the fiftieth hint.
        known = offers.similar(workspace, pack.line, own) if number < _MAX_HINTS else []
        where, normal = pack.file.places.value(each.loc), normal_name(each.name)
        withheld = each.owner or offers.withheld(pack.line, normal)
        if withheld is not None:
            yield _waits(where, each.name, withheld, causes, "" if each.owner else nearest(each.name, known))
        elif each.found is not None:
            yield _not_lent(where, each.name, each.found, pack, offers)
        else:
            message = f"no pack of this business line and workspace declares the recipient {shown(each.name)}"
            hint = unknown_word(each.name, known) if known else "declare it under `recipient:` in this file"
            if new_name := offers.renamed.get((workspace, normal)):
                hint = f"it is renamed: write {shown(new_name)}"
            yield Problem(where, "recipient-unknown", message, hint)


def _own(document: PackDocument) -> AbstractSet[str]:
    return {normal_name(entry.name) for entry in document.recipient}


def _references(document: PackDocument) -> Iterator[tuple[Loc, str]]:
    for number, share in enumerate(document.share):
        for position, name in enumerate(share.recipients or ()):
            yield ("share", number, "recipients", position), name


def _waits(where: Where, name: str, owner: Placed, causes: Mapping[str, Where], similar: str) -> Problem:
    message = f"the recipient {shown(name)} belongs to {owner.path}, or may; that file has to be corrected first"
    hint = f'or did you mean "{similar}"?' if similar else ""
    return Problem(where, "waits-for-file", message, hint, also=causes.get(owner.path))


def _not_lent(where: Where, name: str, found: Placed, pack: Placed, offers: _Offers) -> Problem:
    lender, borrower = (shown(" ".join(each.file.business_line.split())) for each in (found, pack))
    message = f"the recipient {shown(name)} belongs to the business line {lender}, which does not lend it to {borrower}"
    place = "in tenants.yaml" if offers.tenants.is_declared else "in a tenants.yaml that names every business line"
    return Problem(where, "recipient-not-lent", message, f"add {borrower} to lends_recipients_to of {lender} {place}")


def _hides_recipients(pack: Placed) -> bool:
    if pack.file.document is None:
        return True
    return any(_is_about_a_name(loc) for loc in pack.file.settled)


def _is_about_a_name(loc: Loc) -> bool:
    return loc[:1] == ("recipient",) and (len(loc) <= 2 or loc[2:] == ("name",))
