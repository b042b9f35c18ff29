"""What is wrong in a file, as a value: the rule, the place, the words, and what to write instead."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file: line and column (1-based) in text, sheet and cell in a workbook."""

    path: str
    line: int = 0
    column: int = 0
    sheet: str = ""
    cell: str = ""

    def __str__(self) -> str:
        if self.sheet:
            return f"{self.path}:{self.sheet}!{self.cell}" if self.cell else f"{self.path}:{self.sheet}"
        if self.line:
            return f"{self.path}:{self.line}:{self.column}"
        return self.path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    where: Where
    #: Stable id, kebab-case: `recipient-email-missing`.
    rule: str
    message: str
    #: What to write instead; empty when the message says it all.
    hint: str = ""
    severity: Severity = Severity.ERROR
    #: A second place the message speaks of (the other of two duplicates).
    also: Where | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR
