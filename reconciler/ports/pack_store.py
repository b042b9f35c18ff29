"""Writing packs: a commit to the repository that everything else only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class PackStoreError(Exception):
    """The repository cannot be written: no such repository, no rights, no answer, too many others at once. Nothing was
    committed where anybody can see it. Says what to do, without credentials."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"{what} {advice}".rstrip())
        self.what = what
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Put:
    """One change of the packs folder."""

    #: Path relative to the repository -> content; None takes the file away.
    files: Mapping[str, bytes | None]
    message: str
    #: `Name <mail>` of who asked for it.
    author: str


@dataclass(frozen=True, slots=True)
class Stored:
    #: Full id: the new commit, or the one that holds these very files already.
    commit: str
    is_new: bool


class PackStore(Protocol):
    async def put(self, put: Put, branch: str = "") -> Stored:
        """Commit on top of what the remote (or, without one, the repository) has now, and push. The history stays a
        line: whoever else pushes meanwhile, the change goes on top. No working tree is touched. With `branch`, that
        branch begins at the followed one when it is new. Doing it twice commits once. Raises PackStoreError."""
