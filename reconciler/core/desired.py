"""All packs of one revision, merged: the state Git asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.key import Key, PackId
from reconciler.core.pack import Declared, SharePack
from reconciler.core.problem import Problem
from reconciler.core.tenant import Tenants


@dataclass(frozen=True, slots=True)
class Revision:
    """Where the packs were read: a commit, or a folder as it lies there."""

    #: Full commit id; empty for a folder that is not in Git.
    commit: str = ""
    #: False when the files read differ from the commit, or there is none: nothing is deleted or revoked then.
    is_committed: bool = False
    branch: str = ""
    author: str = ""
    #: Digest over the paths and bytes of all pack files read.
    content: str = ""

    def __str__(self) -> str:
        if not self.commit:
            return "folder outside Git"
        return self.commit[:12] if self.is_committed else f"{self.commit[:12]} with uncommitted changes"


@dataclass(frozen=True, slots=True)
class Desired:
    revision: Revision
    packs: Mapping[PackId, SharePack]
    #: Everything wrong in any file. A pack with an error is not in `packs`.
    problems: Sequence[Problem] = ()
    #: Business lines (case-folded) in which some pack could not be read; "" when even that is unknown.
    unreadable_lines: frozenset[str] = field(default_factory=frozenset)
    #: Packs that stand in a file with errors, as far as they could be told, with the path of that file.
    broken: Mapping[PackId, str] = field(default_factory=dict)
    tenants: Tenants = field(default_factory=Tenants)

    def declared(self, key: Key) -> tuple[PackId, Declared] | None:
        """Who declares `key`, and how. At most one pack does: a second definition is a Problem."""
        for pack in self.packs.values():
            if key in pack.resources:
                return pack.id, pack.resources[key]
        return None
