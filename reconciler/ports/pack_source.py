"""Where packs come from: a folder of a Git repository, or a plain folder."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from reconciler.core.desired import Revision


class PackSourceError(Exception):
    """The packs cannot be read: no such folder, no such commit, Git refuses. Says what to do."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"{what} {advice}".rstrip())
        self.what = what
        self.advice = advice


class NoFolderError(PackSourceError):
    """The commit has no packs folder, or nothing in it."""


@dataclass(frozen=True, slots=True)
class PackFiles:
    revision: Revision
    #: Every file of the packs folder by path relative to the repository (or folder), forward slashes.
    files: Mapping[str, bytes]
    #: The packs folder itself, relative to the repository (or folder); "" when it is the top.
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands in the packs folder at a commit, unread."""

    #: Without the digest of the contents.
    revision: Revision
    #: As in PackFiles.
    folder: str
    #: Path to the id of its content: the same id, the same bytes.
    ids: Mapping[str, str]


class Ancestry(Enum):
    """How a newer commit stands to an older one, as far as a clone can tell."""

    #: It is the older one or descends from it.
    DESCENDS = "descends"
    #: It is an ancestor of the older one.
    REWOUND = "rewound"
    #: They have a common past, and neither descends from the other.
    DIVERGED = "diverged"
    #: They have no commit in common.
    UNRELATED = "unrelated"
    #: The clone is shallow, and its history ends before it reaches the older one.
    CUT_OFF = "cut off"
    #: The clone is whole and does not hold the older one.
    UNKNOWN = "unknown"
    #: There is no Git repository.
    NO_HISTORY = "no history"


@dataclass(frozen=True, slots=True)
class Gaps:
    """Paths that the packs folder has in HEAD and that do not lie in the working tree; sorted."""

    #: A sparse checkout leaves them out.
    sparse: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class PackSource(Protocol):
    @property
    def has_commits(self) -> bool:
        """Whether there is a Git repository; without one packs are only read as they lie there."""

    async def committed(self, revision: str = "HEAD") -> PackFiles:
        """The files at a commit. Raises PackSourceError, also when the folder is not in Git."""

    async def working_tree(self) -> PackFiles:
        """The files as they lie there; `is_committed` says whether they are exactly those of HEAD."""

    async def listed(self, revision: str) -> Listing | None:
        """The files at a commit, without their contents; None where they cannot be told apart that way. Raises
        PackSourceError."""

    async def identified(self, files: Mapping[str, bytes], like: str) -> Mapping[str, str]:
        """Path to the id that `listed` would tell of this content; `like` is one that it told."""

    async def contents(self, ids: Mapping[str, str]) -> Mapping[str, bytes]:
        """Of paths with their ids, as `listed` told them. Raises PackSourceError."""

    async def gaps(self) -> Gaps:
        """What the working tree lacks of HEAD. Raises PackSourceError."""

    async def descends_from_all(self, older: Collection[str], newer: str) -> bool:
        """Whether `newer` descends from each of these commits (full ids), in one go. False means: ask `ancestry`."""

    async def ancestry(self, older: str, newer: str) -> Ancestry:
        """Raises PackSourceError when there is no commit `newer`, or the history between them is damaged."""

    async def fetch(self) -> None:
        """Bring what the remote has to this clone; nothing where there is no remote. Raises PackSourceError."""

    async def newest(self, revision: str = "") -> str:
        """The full id of the commit `revision` names now; by default that of the upstream of the branch that is checked
        out, or of HEAD where there is none. For a folder outside Git, the digest of its files. Raises
        PackSourceError."""

    async def followed(self, revision: str = "") -> str:
        """What the remote calls the branch that `newest` follows, such as `main`; empty when it follows none."""

    async def merge_base(self, older: str, newer: str) -> str:
        """The full id of the newest commit from which both descend: where a branch left the other. Raises
        PackSourceError, which explains a clone that is too shallow to tell."""

    async def came_in(self, paths: Collection[str], since: str, until: str) -> Sequence[str]:
        """Commits on the first-parent line from `since` (not included; "": from the beginning) to `until` that changed
        one of these paths (files or folders, relative to the repository), oldest first, as full ids. A merge stands for
        all it brought. Raises PackSourceError."""

    async def fetch_pull(self, number: int) -> str:
        """Bring a pull request to this clone, as it would be once merged where the host offers that, else as it is.
        Returns the full id of the commit. Nothing of it is checked out. Raises PackSourceError."""

    async def changed(self, wait: float) -> bool:
        """Waits at most `wait` seconds for something to change in the folder or in the commits; whether it did. Missing
        a change is no harm: who asks compares anyway."""
