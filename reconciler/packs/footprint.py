"""What of a pack others can stumble over, and what of others it stands on, as plain texts: they tell which packs to
read again when one has changed. Too much here costs time; too little would miss a clash."""

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from reconciler.core.key import Key, Kind, PackId, normal_name
from reconciler.core.share import ObjectType
from reconciler.packs.document import PackDocument, RecipientEntry
from reconciler.packs.file_names import name
from reconciler.packs.names import metastore_id
from reconciler.packs.notebooks import notebook_entries
from reconciler.packs.objects import known
from reconciler.packs.parsing import ParsedFile
from reconciler.packs.reviewed import allowed_key, released_key

#: Of a pack that can only be judged beside all others.
EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Footprint:
    #: What only one pack may have. Whoever has or names the same may be touched when this pack changes.
    declares: frozenset[str] = frozenset()
    #: What is looked up in other packs, or among the files beside it.
    mentions: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.declares | self.mentions

    def joined(self, other: "Footprint") -> "Footprint":
        return Footprint(self.declares | other.declares, self.mentions | other.mentions)


class Footprints(Mapping[str, Footprint]):
    """Of many packs, by path. They are looked through as plain texts: to make a footprint of each of ten thousand takes
    longer than to find the few that matter."""

    def __init__(self, texts: Mapping[str, tuple[Collection[str], Collection[str]]]) -> None:
        """What each declares and mentions."""
        self._texts = texts

    @classmethod
    def of(cls, footprints: Mapping[str, Footprint]) -> "Footprints":
        return cls({path: (each.declares, each.mentions) for path, each in footprints.items()})

    def __getitem__(self, path: str) -> Footprint:
        declares, mentions = self._texts[path]
        return Footprint(frozenset(declares), frozenset(mentions))

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, path: object) -> bool:
        return path in self._texts

    def declaring(self, names: AbstractSet[str]) -> Iterator[str]:
        """The packs that declare one of them."""
        return (path for path, (declares, _) in self._texts.items() if not names.isdisjoint(declares))

    def mentioning(self, names: AbstractSet[str]) -> Iterator[str]:
        return (path for path, (_, mentions) in self._texts.items() if not names.isdisjoint(mentions))

    def changed(self, gone: AbstractSet[str], new: Mapping[str, Footprint]) -> "Footprints":
        left = {path: texts for path, texts in self._texts.items() if path not in gone}
        return Footprints(left | {path: (each.declares, each.mentions) for path, each in new.items()})


def of_key(key: Key) -> str:
    """In any workspace: that of a pack depends on more than its file."""
    return f"{key.kind.value}:{key.name}"


def of_file(path: str) -> Footprint:
    """Of a file beside the packs, such as a notebook, wherever it lies."""
    return Footprint(frozenset({_file(path)}))


def footprint(file: ParsedFile) -> Footprint:
    pack = PackId.of(file.business_line, file.project_name)
    identity = {f"pack:{pack.business_line_key}/{pack.project_key}"} if pack.project_key else set()
    if file.document is None:
        return Footprint(frozenset(identity))
    return Footprint(frozenset(identity | set(_declared(file.document))), frozenset(_mentioned(file.document)))


def _declared(pack: PackDocument) -> Iterator[str]:
    for entry in pack.recipient:
        yield f"{Kind.RECIPIENT.value}:{normal_name(entry.name)}"
        if (metastore := _metastore(entry)) is not None:
            yield f"metastore:{metastore}"
    for share in pack.share:
        yield f"{Kind.SHARE.value}:{normal_name(share.name)}"
    # An old name is claimed as much as the new one.
    for kind, entries in ((Kind.RECIPIENT, pack.recipient), (Kind.SHARE, pack.share)):
        for each in entries:
            if each.renamed_from:
                yield f"{kind.value}:{normal_name(each.renamed_from)}"


def _metastore(entry: RecipientEntry) -> str | None:
    return None if entry.metastore_id is None else metastore_id(entry.metastore_id)


def _mentioned(pack: PackDocument) -> Iterator[str]:
    for share in pack.share:
        yield from (f"{Kind.RECIPIENT.value}:{normal_name(each)}" for each in share.recipients or ())
        if share.recipients is None and any(known(item).kind is ObjectType.SCHEMA for item in share.data_objects or ()):
            # Whom it was granted to by hand may be anybody, and what they are is told by the pack that declares them.
            yield EVERYTHING
    keys = [*map(released_key, pack.release), *(allowed_key(entry.action) for entry in pack.allow)]
    yield from (of_key(key) for key in keys if key is not None)
    for _, item in notebook_entries(pack):
        yield _file(item.content or "")


def _file(path: str) -> str:
    return f"file:{name(path.strip())}"
