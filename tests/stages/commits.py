"""A PackSource in memory: commits by name, which branches leave where a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from reconciler.core.desired import Revision
from reconciler.core.recorded import RecordedState
from reconciler.packs.snapshot import Snapshot, decode, encode
from reconciler.ports.pack_source import Listing, PackFiles
from reconciler.stages.propose import Before

FOLDER = "packs"


@dataclass
class Commits:
    """Of what a source is asked, what reading packs needs."""

    files: Mapping[str, Mapping[str, bytes]]
    base: str = "before"
    #: How often a commit was read as a whole.
    whole: int = 0
    #: Paths of which the content was asked for.
    asked: list[str] = field(default_factory=list)

    async def committed(self, revision: str = "HEAD") -> PackFiles:
        self.whole += 1
        return PackFiles(Revision(revision, is_committed=True), self.files[revision], FOLDER)

    async def working_tree(self) -> PackFiles:
        self.whole += 1
        return PackFiles(Revision("after", content="all"), self.files["after"], FOLDER)

    async def identified(self, files: Mapping[str, bytes], like: str) -> Mapping[str, str]:
        assert len(like) == 40
        return {path: sha1(data, usedforsecurity=False).hexdigest() for path, data in files.items()}

    async def listed(self, revision: str) -> Listing:
        ids = {path: sha1(data, usedforsecurity=False).hexdigest() for path, data in self.files[revision].items()}
        return Listing(Revision(revision, is_committed=True), FOLDER, ids)

    async def contents(self, ids: Mapping[str, str]) -> Mapping[str, bytes]:
        self.asked.extend(ids)
        known = {
            sha1(data, usedforsecurity=False).hexdigest(): data
            for files in self.files.values()
            for data in files.values()
        }
        return {path: known[oid] for path, oid in ids.items()}

    async def merge_base(self, older: str, newer: str) -> str:
        return self.base


@dataclass
class InMemory:
    """Snapshots that went through their written form."""

    kept: list[bytes] = field(default_factory=list)

    def basis(self, *parts: str) -> str:
        return "/".join(parts)

    def newest(self, basis: str, today: object) -> Any:
        for data in reversed(self.kept):
            found = decode(data)
            assert found is not None
            if found.basis == basis:
                yield found

    def keep(self, snapshot: Snapshot) -> None:
        self.kept.append(encode(snapshot))


@dataclass
class Record:
    """A ledger that knows but what is recorded."""

    state: RecordedState = field(default_factory=RecordedState)
    asked: int = 0

    async def recorded(self, keys: object, packs: object) -> RecordedState:
        self.asked += 1
        return self.state


def known(snapshots: InMemory, record: Record) -> Before:
    return Before(snapshots, record)  # type: ignore[arg-type]
