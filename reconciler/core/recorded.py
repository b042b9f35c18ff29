"""What we last made true: the current SCD2 rows, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.core.key import Key, PackId
from reconciler.core.resource import Resource


class PackStatus(StrEnum):
    """`share_pack_status`; the first four are the guide's."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"


@dataclass(frozen=True, slots=True)
class Recorded:
    resource: Resource
    pack: PackId
    version: int
    #: The commit that asked for this state; empty when it came from uncommitted files.
    commit: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedPack:
    id: PackId
    share_pack_id: str
    path: str
    workspace: str
    status: PackStatus
    #: The commit of the content last submitted; empty when it came from uncommitted files.
    commit: str
    #: `core.encoding.digest` of the stored config, to tell whether a file changed at all.
    config_digest: str = ""
    is_deleted: bool = False
    #: Number of the newest work submitted for it; 0 when there is none.
    generation: int = 0
    #: The commit it was last applied from to the end; empty when it never was.
    applied_commit: str = ""


@dataclass(frozen=True, slots=True)
class RecordedState:
    resources: Mapping[Key, Recorded] = field(default_factory=dict)
    #: Keys with an operation that was begun and whose outcome is not known, and the pack it was begun for.
    open_intents: Mapping[Key, PackId] = field(default_factory=dict)
    packs: Mapping[PackId, RecordedPack] = field(default_factory=dict)
