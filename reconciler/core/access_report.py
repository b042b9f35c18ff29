"""A question about who can read what, and its answer with the moment it is about. How far the record goes back is part
of it: before that nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.key import Key
from reconciler.core.reads import Reads
from reconciler.core.recipient import Recipient


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """What is empty does not narrow it."""

    #: In any letter case.
    recipient: str = ""
    object_name: str = ""
    #: None: now.
    at: datetime | None = None
    #: What a person wrote for it, where that is less than a moment: `the end of 2026-03-31 in Europe/Berlin`.
    at_words: str = ""
    #: Case-folded business lines; None: all of them.
    lines: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class AccessReport:
    question: AccessQuestion
    #: The moment it is about, also when that is now.
    at: datetime
    lines: tuple[Reads, ...]
    #: Those of the lines, as they were then.
    recipients: Mapping[Key, Recipient]
    #: When the oldest version of a share on record began; None: there is none.
    record_since: datetime | None

    @property
    def is_before_the_record(self) -> bool:
        """Now never is, whatever two clocks say."""
        return self.record_since is None or (self.question.at is not None and self.at < self.record_since)
