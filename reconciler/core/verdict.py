"""The possible answers of the three-way comparison for one resource."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.changes import Cause, FieldChange
from reconciler.core.resource import Resource


@dataclass(frozen=True, slots=True)
class Create:
    after: Resource
    #: FILE: new in the pack. DRIFT: it was ours and somebody deleted it.
    cause: Cause


@dataclass(frozen=True, slots=True)
class Adopt:
    """Exists, is nobody's in our record, and the pack says `adopt: true`."""

    before: Resource
    after: Resource
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Update:
    before: Resource
    after: Resource
    changes: tuple[FieldChange, ...]
    cause: Cause


@dataclass(frozen=True, slots=True)
class Rename:
    """Ours under another name, which the pack gives in `renamed_from`; changed as well where `changes` says so."""

    before: Resource
    after: Resource
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """A recipient whose authentication changes: deleted and made anew, with a new token and its grants given again."""

    before: Resource
    after: Resource


@dataclass(frozen=True, slots=True)
class Record:
    """The workspace is as desired; only our rows are behind."""

    before: Resource | None
    after: Resource


@dataclass(frozen=True, slots=True)
class Keep:
    #: As it is in the workspace, unmanaged fields included.
    actual: Resource


@dataclass(frozen=True, slots=True)
class Drifted:
    """Changed by hand, and the pack or its tenant says `drift: report`: told, not corrected."""

    #: None: deleted.
    actual: Resource | None
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    before: Resource


@dataclass(frozen=True, slots=True)
class Forget:
    """Neither desired nor there any more: only the rows close."""

    #: None: it is not on record either, but a call on it was begun, and that is to be concluded.
    before: Resource | None


@dataclass(frozen=True, slots=True)
class Release:
    """The pack lets go of it (`release:`): the rows close, the resource stays as it is."""

    before: Resource


@dataclass(frozen=True, slots=True)
class Conflict:
    """The world is in the way, and only a person can say what is meant."""

    rule: str
    message: str
    hint: str
    #: What would change if the conflict were settled in the pack's favour.
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Databricks would not say whether the resource exists or what it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Not declared, not recorded: not ours."""


Verdict: TypeAlias = (
    Create
    | Adopt
    | Update
    | Rename
    | Replace
    | Record
    | Keep
    | Drifted
    | Delete
    | Forget
    | Release
    | Conflict
    | Unknown
    | Ignore
)
