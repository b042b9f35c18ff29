"""What workers tell of while they work; who listens, and what comes of it, is not decided here."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from reconciler.ports.ledger import Claim, Holder
from reconciler.stages.work import Ended, Performed


@dataclass(frozen=True, slots=True)
class Started:
    claim: Claim


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another worker has the pack."""

    work_id: UUID
    held_by: Holder


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The lease ran out and another worker took the pack; what this one had begun is found by reading."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Troubled:
    """Nothing can be taken or written for a while; it is tried again."""

    reason: str


Event: TypeAlias = Started | Performed | Ended | Waiting | Overtaken | Troubled
