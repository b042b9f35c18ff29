"""Where people review changes: pull requests, their reviews and comments, commit statuses, one issue for drift."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from reconciler.ports.pull_request_errors import PullRequestsError

__all__ = [
    "Approval",
    "PullRequest",
    "PullRequests",
    "PullRequestsError",
    "Said",
    "State",
]


@dataclass(frozen=True, slots=True)
class PullRequest:
    number: int
    title: str
    #: Login of who opened it.
    author: str
    #: Full id of its newest commit.
    head: str
    #: The branch it goes into, such as `main`.
    base: str
    #: For people.
    url: str
    #: It comes from another repository.
    is_fork: bool = False
    is_draft: bool = False
    is_merged: bool = False
    #: The commit that merged it; empty while it is not merged.
    merge_commit: str = ""
    merged_by: str = ""
    merged_at: datetime | None = None
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Approval:
    by: str
    #: `review`, `environment NAME`, `merge`, or `words` (somebody wrote so; see `Said`).
    how: str
    at: datetime
    #: The commit that was approved; empty where the host does not say.
    commit: str = ""

    def __str__(self) -> str:
        return f"{self.by} ({self.how})"


@dataclass(frozen=True, slots=True)
class Said:
    """A comment, or the words of a review, by somebody who may write to the repository."""

    by: str
    text: str
    at: datetime


class State(StrEnum):
    """Of a commit, for one `context`."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


class PullRequests(Protocol):
    """Of one repository. Every method raises PullRequestsError."""

    @property
    def repository(self) -> str:
        """`owner/name`."""

    async def open_ones(self) -> Sequence[PullRequest]:
        """Oldest first."""

    async def get(self, number: int) -> PullRequest: ...

    async def propose(self, branch: str, title: str, body: str, base: str = "") -> PullRequest:
        """The open pull request of `branch`, which is in the repository itself, into `base` (empty: the default
        branch); opened when there is none. Doing it twice opens one, and leaves what somebody made of its words."""

    async def behind(self, commit: str) -> Sequence[PullRequest]:
        """Merged pull requests by which this commit came in; usually one, none for a direct push."""

    async def approvals(self, number: int) -> Sequence[Approval]:
        """Reviews that approve and still stand (the last word of each reviewer), oldest first; of any commit."""

    async def environment_approvals(self, run_id: int) -> Sequence[Approval]:
        """Who let a workflow run into its environment."""

    async def said(self, number: int) -> Sequence[Said]:
        """What people with write access who are not bots said there, oldest first."""

    async def comment(self, number: int, marker: str, body: str) -> str:
        """Post the comment that carries `marker` (an HTML comment, the first line of `body`), or replace the text of
        the one that does and is our own. Returns its URL."""

    async def commented(self, number: int, marker: str) -> str | None:
        """The text of our own comment with that marker."""

    async def label(self, number: int, labels: Collection[str], family: str) -> None:
        """The pull request carries these of all the labels that begin with `family`; others stay."""

    async def status(self, commit: str, context: str, state: State, words: str, url: str = "") -> None:
        """What the check named `context` says of a commit; `words` are cut to what the host takes."""

    async def issue(self, marker: str, title: str, body: str | None) -> str | None:
        """One open issue with `marker` in its text: opened or brought up to date, or closed when `body` is None (with
        nothing done when there is none). Returns its URL."""

    async def close(self) -> None: ...
