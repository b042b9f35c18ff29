"""What the stand-in remembers."""

from dataclasses import dataclass, field
from datetime import datetime

#: From least to most; `triage` and `maintain` are told as `read` and `write` by the API.
ROLES = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass
class User:
    login: str
    id: int
    is_bot: bool = False
    role: str = "read"


@dataclass
class Label:
    id: int
    name: str
    color: str
    description: str | None


@dataclass
class Comment:
    id: int
    user: User
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass
class Review:
    id: int
    user: User
    state: str
    body: str
    commit_id: str
    submitted_at: datetime


@dataclass
class Issue:
    """A pull request is one as well, with the same number."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    state: str = "open"
    state_reason: str | None = None
    labels: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Pull:
    issue: Issue
    id: int
    branch: str
    base: str
    head: str
    #: Of `base` when it was last looked at.
    base_commit: str
    #: Login of the owner of the repository that the branch is in; None: ours.
    fork: str | None = None
    is_draft: bool = False
    #: The trial merge, or what merged it.
    merge_commit: str | None = None
    is_mergeable: bool = True
    merged_at: datetime | None = None
    merged_by: User | None = None
    #: Commits that came to `base` with it, and its own before that.
    introduced: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.issue.number


@dataclass
class Status:
    id: int
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: User
    created_at: datetime


@dataclass
class RunApproval:
    user: User
    state: str
    environment: str
    comment: str


@dataclass
class Run:
    id: int
    head_sha: str
    event: str
    created_at: datetime
    updated_at: datetime
    approvals: list[RunApproval] = field(default_factory=list)


@dataclass
class Token:
    """`kind`: workflow, personal or app; what it may do as `permissions` in a workflow says it."""

    kind: str
    user: User
    permissions: dict[str, str]


@dataclass
class AppRecord:
    id: int
    slug: str
    user: User
    installation: int
    permissions: dict[str, str]
    public_key: bytes


@dataclass
class Seen:
    """A request, for tests to look at."""

    method: str
    path: str
    query: dict[str, str]
    body: object
    login: str
    status: int
