"""What only all packs together show: two packs with one identity, two definitions of one resource, more than a
workspace holds. A problem between two files stands in the later one, names the earlier one, and breaks both."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.key import Kind, normal_name
from reconciler.core.problem import Problem, Where
from reconciler.packs.document import PackDocument
from reconciler.packs.finding import shown
from reconciler.packs.mentions import mentions
from reconciler.packs.names import metastore_id
from reconciler.packs.placing import Placed
from reconciler.packs.tree import Loc

#: Databricks' limits per metastore. A workspace has one, and what others have in it is not known here.
LIMITS: Final[Mapping[Kind, int]] = {Kind.SHARE: 1_000, Kind.RECIPIENT: 5_000}


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
    yield from mentions(single)
    yield from _too_many(single)


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


def _too_many(packs: Sequence[Placed]) -> Iterator[Problem]:
    counts: Counter[tuple[Kind, str]] = Counter()
    for pack in packs:
        if pack.file.document is None or pack.workspace is None:
            continue
        for kind, number, _ in _names(pack.file.document):
            counts[kind, pack.workspace] += 1
            if counts[kind, pack.workspace] == LIMITS[kind] + 1:
                message = f"Databricks takes at most {LIMITS[kind]:,} {kind}s in one workspace, and this is one more"
                where = pack.file.places.value((kind.value, number))
                yield Problem(where, "workspace-too-many", message, "remove what is not needed any more")
