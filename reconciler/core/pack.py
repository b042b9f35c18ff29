"""What one pack file declares, with each resource's place in the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from reconciler.core.key import Key, PackId
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.problem import Where
from reconciler.core.resource import Resource


class Strategy(StrEnum):
    """Derived, never declared: NEW while nothing of the pack exists, UPDATE afterwards."""

    NEW = "NEW"
    UPDATE = "UPDATE"


class DriftPolicy(StrEnum):
    #: What was changed by hand is put back.
    CORRECT = "correct"
    #: What was changed by hand is told, and left until the file changes the resource.
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Declared:
    resource: Resource
    where: Where
    #: The pack may take over a resource of this name that exists and is not recorded.
    adopt: bool = False
    #: The normal name it had before; empty when it was not renamed.
    renamed_from: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A reviewed entry in a pack that lifts one objection, for a while."""

    #: The words of the objection's lift: `delete:share/x`.
    action: str
    #: The last day on which it counts.
    until: date
    reason: str
    where: Where


@dataclass(frozen=True, slots=True)
class SharePack:
    """One valid pack. `resources` is keyed by identity, so order and letter case in the file do not matter."""

    id: PackId
    #: Path of the file inside the repository, with forward slashes.
    path: str
    requestor: str
    workspace: str
    resources: Mapping[Key, Declared]
    region: Managed[str] = UNMANAGED
    description: Managed[str] = UNMANAGED
    #: What the file states; only ever compared with the derived strategy, for a warning.
    stated_strategy: Strategy | None = None
    #: "yaml" or "xlsx".
    file_format: str = "yaml"
    #: The recipients of other packs that this pack's shares grant to.
    borrowed: frozenset[Key] = field(default_factory=frozenset)
    #: UNMANAGED: as the tenant says, and without that CORRECT.
    drift: Managed[DriftPolicy] = UNMANAGED
    allowances: tuple[Allowance, ...] = ()
    #: Resources the pack lets go of without touching them.
    released: frozenset[Key] = field(default_factory=frozenset)
