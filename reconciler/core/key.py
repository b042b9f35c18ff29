"""The identity of a resource and of a pack, normalised so that `==` decides, with one text form used everywhere."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    RECIPIENT = "recipient"
    SHARE = "share"

    #: As the text's, with which it is equal, and which is known already. A plan looks up very many keys.
    __hash__ = str.__hash__


def normal_name(name: str) -> str:
    """Databricks stores names lower-cased and finds them in any case (contract 2.8)."""
    return name.strip().lower()


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One resource in one workspace; `str(key)` is `share/finance_q1_share`."""

    kind: Kind
    name: str
    #: Base URL of the workspace, without a trailing slash.
    workspace: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def recipient_key(name: str, workspace: str) -> Key:
    return Key(Kind.RECIPIENT, normal_name(name), workspace)


def share_key(name: str, workspace: str) -> Key:
    return Key(Kind.SHARE, normal_name(name), workspace)


def parse_key(text: str, workspace: str = "") -> Key | None:
    """The key a person typed, or None when the text is not `recipient/NAME` or `share/NAME`."""
    kind, slash, name = text.partition("/")
    if not slash or not name.strip() or kind.lower() not in set(Kind):
        return None
    return Key(Kind(kind.lower()), normal_name(name), workspace)


@dataclass(frozen=True, slots=True, order=True)
class PackId:
    """A pack is its business line and project name, in any letter case; the file it stands in does not matter."""

    business_line_key: str
    project_key: str
    business_line: str = field(compare=False)
    project_name: str = field(compare=False)

    @classmethod
    def of(cls, business_line: str, project_name: str) -> "PackId":
        line, project = " ".join(business_line.split()), " ".join(project_name.split())
        return cls(line.casefold(), project.casefold(), line, project)

    def __str__(self) -> str:
        return f"{self.business_line} / {self.project_name}"
