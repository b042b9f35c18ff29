"""Resolves the recipients that shares name: of the same pack, of the same business line, or of one that lends them. A
pack that waits for a broken one is broken, too, and so on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.key import Key, normal_name, recipient_key
from reconciler.core.problem import Problem, Where
from reconciler.core.tenant import Tenants
from reconciler.packs.document import PackDocument
from reconciler.packs.finding import MAX_PROBLEMS, nearest, shown
from reconciler.packs.placing import Placed
from reconciler.packs.texts import unknown_word
from reconciler.packs.tree import Loc

_MAX_HINTS: Final = 50
_EVERY_LINE: Final = "*"


@dataclass(frozen=True, slots=True)
class References:
    problems: tuple[Problem, ...] = ()
    #: By path of the file: recipients of other packs that its shares grant to.
    borrowed: Mapping[str, frozenset[Key]] = field(default_factory=dict)


def references(packs: Sequence[Placed], problems: Sequence[Problem], tenants: Tenants) -> References:
    causes: dict[str, Where] = {}
    for problem in problems:
        if problem.is_error:
            for where in filter(None, (problem.where, problem.also)):
                causes.setdefault(where.path, problem.where)
    offers = _offers(packs, tenants)
    while True:
        found = [(pack, each) for pack in packs for each in _resolved(pack, offers, causes)]
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


@dataclass(frozen=True, slots=True)
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

    def lends(self, lender: str, borrower: str) -> bool:
        tenant = self.tenants.by_line.get(lender)
        return lender == borrower or (tenant is not None and not tenant.lends_to.isdisjoint({borrower, _EVERY_LINE}))

    def may_lend(self, lender: str, borrower: str) -> bool:
        """Also when the lender, or what its business line says in tenants.yaml, cannot be told."""
        is_told = not self.tenants.is_declared or lender in self.tenants.by_line
        return not lender or not is_told or self.lends(lender, borrower)

    def withheld(self, borrower: str, name: str) -> Placed | None:
        """A pack that may declare it, once it is corrected."""
        candidates = (*self.unplaced.get(name, ()), *self.hiding)
        return next((pack for pack in candidates if self.may_lend(pack.line, borrower)), None)

    def known(self, workspace: str, borrower: str) -> Sequence[str]:
        return sorted(
            name for (at, name), pack in self.declared.items() if at == workspace and self.lends(pack.line, borrower)
        )


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
    return _Offers(tenants, declared, renamed, [pack for pack in packs if _hides_recipients(pack)], unplaced)


def _resolved(pack: Placed, offers: _Offers, causes: Mapping[str, Where]) -> Iterator[Problem | Key]:
    document, workspace = pack.file.document, pack.workspace
    if document is None or workspace is None or not pack.line or _hides_recipients(pack):
        return
    own = {normal_name(entry.name) for entry in document.recipient}
    said = 0
    for loc, name in _references(document):
        normal = normal_name(name)
        if not normal or normal in own or said > MAX_PROBLEMS:
            continue
        found = offers.declared.get((workspace, normal))
        owner = found if found is not None and offers.lends(found.line, pack.line) else None
        if owner is not None and owner.path not in causes:
            yield recipient_key(name, workspace)
            continue
        said += 1
        # Looking for similar names takes time, and nobody reads the fiftieth hint.
        known = sorted({*own, *offers.known(workspace, pack.line)}) if said <= _MAX_HINTS else []
        where = pack.file.places.value(loc)
        withheld = owner or offers.withheld(pack.line, normal)
        if withheld is not None:
            yield _waits(where, name, withheld, causes, "" if owner is not None else nearest(name, known))
        elif found is not None:
            yield _not_lent(where, name, found, pack, offers)
        else:
            message = f"no pack of this business line and workspace declares the recipient {shown(name)}"
            hint = unknown_word(name, known) if known else "declare it under `recipient:` in this file"
            if new_name := offers.renamed.get((workspace, normal)):
                hint = f"it is renamed: write {shown(new_name)}"
            yield Problem(where, "recipient-unknown", message, hint)


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
