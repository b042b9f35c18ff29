"""GitHub's JSON to values. Raises LookupError, TypeError, ValueError or AttributeError for anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.ports.pull_requests import PullRequest


@dataclass(frozen=True, slots=True)
class Author:
    #: Empty for an account that is gone.
    login: str
    is_person: bool


@dataclass(frozen=True, slots=True)
class Comment:
    id: int
    url: str
    author: Author
    text: str
    #: When it was last changed.
    at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    author: Author
    #: `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    state: str
    text: str
    at: datetime
    commit: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """What somebody said about letting a run into environments."""

    author: Author
    is_approved: bool
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    commit: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Issue:
    number: int
    url: str
    author: Author
    text: str
    labels: frozenset[str]
    is_pull_request: bool


@dataclass(frozen=True, slots=True)
class Repository:
    full_name: str
    default_branch: str


def pull_request(data: Mapping[str, Any]) -> PullRequest:
    """Also of an entry of a list, where who merged it is not told."""
    merged_at = data["merged_at"]
    head, base = data["head"], data["base"]
    is_merged = merged_at is not None
    return PullRequest(
        number=int(data["number"]),
        title=str(data["title"]),
        author=author(data["user"]).login,
        head=str(head["sha"]),
        base=str(base["ref"]),
        url=str(data["html_url"]),
        # The repository of a head is null when it was deleted; ours is not.
        is_fork=head["repo"] is None or head["repo"]["id"] != base["repo"]["id"],
        is_draft=bool(data.get("draft")),
        is_merged=is_merged,
        # Before, it is that of a trial merge.
        merge_commit=str(data["merge_commit_sha"] or "") if is_merged else "",
        merged_by=author(data.get("merged_by")).login,
        merged_at=moment(merged_at) if is_merged else None,
        labels=_labels(data["labels"]),
    )


def comment(data: Mapping[str, Any]) -> Comment:
    at = moment(data["updated_at"] or data["created_at"])
    return Comment(int(data["id"]), str(data["html_url"]), author(data["user"]), str(data["body"] or ""), at)


def review(data: Mapping[str, Any]) -> Review | None:
    """None for one that was not submitted yet."""
    if data["state"] == "PENDING" or not data.get("submitted_at"):
        return None
    commit = str(data["commit_id"] or "")
    at = moment(data["submitted_at"])
    return Review(author(data["user"]), str(data["state"]), str(data["body"] or ""), at, commit)


def deployment(data: Mapping[str, Any]) -> Deployment:
    names = tuple(str(each["name"]) for each in data["environments"])
    return Deployment(author(data["user"]), data["state"] == "approved", names)


def run(data: Mapping[str, Any]) -> Run:
    return Run(str(data["head_sha"]), moment(data["updated_at"]))


def issue(data: Mapping[str, Any]) -> Issue:
    return Issue(
        number=int(data["number"]),
        url=str(data["html_url"]),
        author=author(data["user"]),
        text=str(data["body"] or ""),
        labels=_labels(data["labels"]),
        is_pull_request="pull_request" in data,
    )


def may_write(data: Mapping[str, Any]) -> bool:
    """`permission` knows admin, write, read and none; maintainers are told as write, triage as read:
    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user"""
    return data["permission"] in {"admin", "maintain", "write"}


def login(data: Mapping[str, Any]) -> str:
    return str(data["data"]["viewer"]["login"])


def repository(data: Mapping[str, Any]) -> Repository:
    return Repository(str(data["full_name"]), str(data["default_branch"]))


def author(data: Mapping[str, Any] | None) -> Author:
    if data is None:
        return Author("", is_person=False)
    return Author(str(data["login"]), is_person=data["type"] == "User")


def label_name(data: Mapping[str, Any]) -> str:
    return str(data["name"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _labels(data: Any) -> frozenset[str]:
    # Those of an issue may be plain names.
    return frozenset(each if isinstance(each, str) else label_name(each) for each in data)
