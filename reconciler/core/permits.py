"""What a caller of the API may see and do: business lines, and whether to write. Who calls is found out elsewhere."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    READ = "read"
    #: Hand in packs; includes READ.
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Caller:
    #: For the audit: `key portal (a1b2c3d4)`, `ann@example.com`, `anonymous`.
    name: str
    right: Right = Right.READ
    #: Case-folded; None: all of them.
    lines: frozenset[str] | None = None

    def may_read(self, business_line: str) -> bool:
        return self.lines is None or business_line.casefold() in self.lines

    def may_write(self, business_line: str) -> bool:
        return self.right is Right.WRITE and self.may_read(business_line)


def caller(name: str, right: Right, lines: Collection[str] | None) -> Caller:
    """`lines` as people write them."""
    return Caller(name, right, None if lines is None else frozenset(line.casefold() for line in lines))
