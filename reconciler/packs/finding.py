"""What a check says about a document: like a Problem, but the place is still the way to the value."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from reconciler.core.problem import Problem, Severity, Where
from reconciler.packs.tree import Flaw, Loc, Places, where

MAX_PROBLEMS: Final = 1_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    loc: Loc
    rule: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    #: Point at the key, not at its value.
    at_key: bool = False
    #: The first of two.
    also: Loc | None = None


def problem_of(finding: Finding, places: Places) -> Problem:
    at = places.key(finding.loc) if finding.at_key else places.value(finding.loc)
    also = None if finding.also is None else places.value(finding.also)
    return Problem(at, finding.rule, finding.message, finding.hint, finding.severity, also)


def problem_of_flaw(flaw: Flaw, path: str) -> Problem:
    also = None if flaw.also is None else where(path, flaw.also)
    return Problem(where(path, flaw.at), flaw.rule, flaw.message, flaw.hint, flaw.severity, also)


def limited(problems: Iterable[Problem], path: str) -> tuple[Problem, ...]:
    """All problems of one file in order, cut where nobody reads on."""
    found = sorted(set(problems), key=in_order)
    if len(found) <= MAX_PROBLEMS:
        return tuple(found)
    more = Problem(
        Where(path), "file-too-many-problems", f"more than {MAX_PROBLEMS:,} problems; the others are not shown"
    )
    return (*found[:MAX_PROBLEMS], more)


def enough(found: Iterable[T]) -> Iterator[T]:
    """As many as are shown, and one to tell that there are more: the rest of a hostile file is not worth the time."""
    return islice(found, MAX_PROBLEMS + 1)


def in_order(problem: Problem) -> tuple[str, int, int, str, int, str, str, str]:
    """By place as a person reads: B10 comes after B9 and before C1 of the next row."""
    place = problem.where
    letters = place.cell.rstrip("0123456789")
    row = int(place.cell[len(letters) :] or 0) if place.cell[len(letters) :].isascii() else 0
    column = f"{len(letters)}{letters}"
    return (place.path, place.line, place.column, place.sheet, row, column, problem.rule, problem.message)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or "". Looks only at words of about the same length."""
    lowered = word.strip().lower()
    close = {name.lower(): name for name in known if abs(len(name) - len(lowered)) <= 4}
    found = difflib.get_close_matches(lowered[:100], close, n=1, cutoff=0.7)
    return close[found[0]] if found else ""


def meant(word: str, known: Iterable[str], otherwise: str = "") -> str:
    found = nearest(word, known)
    return f'did you mean "{found}"?' if found else otherwise


def shown(text: str) -> str:
    """A value as a message quotes it: on one line, not too long, nothing that moves the cursor."""
    cut = text if len(text) <= 60 else f"{text[:57]}..."
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + '"'
