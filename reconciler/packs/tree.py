"""A file's content whatever its format: plain values, and beside them where each one stands.

YAML and workbooks both become a `Tree`; what the content means is decided in `shape` and the checks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from reconciler.core.problem import Severity, Where

#: Line and column (both from 1), or sheet and cell.
Position: TypeAlias = tuple[int, int] | tuple[str, str]
#: The way from the top of a file to one value: keys and list positions.
Loc: TypeAlias = tuple[str | int, ...]


class Spot(NamedTuple):
    """Where one value stands, with the spots of the values inside it."""

    at: Position
    key: Position | None = None
    #: By key or list position. In a workbook also the empty cells of a row, to point at what is missing.
    #: What a list holds most of, plain values, is a bare position: half the objects for the garbage collector to visit.
    inner: "Mapping[str, Spot] | Sequence[Spot | Position]" = ()


class Odd(Enum):
    """Values that no field of a pack accepts."""

    #: An explicit null: neither "leave alone" nor "clear".
    NULL = "null"
    #: Already reported by the reader; nothing more is to be said about it.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written. No field of a pack is a number, and turning it into text would guess."""

    text: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong that the reader of a format found, at a position."""

    at: Position
    rule: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    also: Position | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    #: Nested dict, list, str, bool, Number and Odd; an Odd when nothing could be read.
    data: object
    spot: Spot
    flaws: Sequence[Flaw] = ()
    #: False when reading stopped early: `data` then holds what stood before that point.
    is_whole: bool = True
    #: Where some of it stands, for whoever asks for many places.
    known: Mapping[Loc, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """Answers "where in the file is this?" for a Loc; falls back to the nearest thing around it."""

    path: str
    #: Or what finds it: of a file with nothing wrong hardly anybody asks.
    root: Spot | Callable[[], Spot] = field(default=Spot((0, 0)))
    #: What is known without asking.
    known: Mapping[Loc, Position] = field(default_factory=dict)

    def value(self, loc: Loc) -> Where:
        return where(self.path, self.known.get(loc) or self._find(loc)[0].at)

    def key(self, loc: Loc) -> Where:
        spot, is_exact = self._find(loc)
        return where(self.path, spot.key if is_exact and spot.key else spot.at)

    def _find(self, loc: Loc) -> tuple[Spot, bool]:
        spot = self.root if isinstance(self.root, Spot) else self.root()
        for part in loc:
            inner = _inner(spot, part)
            if inner is None:
                return spot, False
            spot = inner
        return spot, True


def where(path: str, position: Position) -> Where:
    first, second = position
    if isinstance(first, int) and isinstance(second, int):
        return Where(path, line=first, column=second)
    return Where(path, sheet=str(first), cell=str(second))


def _inner(spot: Spot, part: str | int) -> Spot | None:
    inner: Any = spot.inner
    if isinstance(inner, dict):
        return inner.get(part)
    if not isinstance(part, int) or part >= len(inner):
        return None
    found = inner[part]
    return found if isinstance(found, Spot) else Spot(found)
