"""Problems as workflow commands, which GitHub shows at the line of the pull request. Pure strings; decides what GitHub
is told, not what is wrong. Nothing of a pack can end a command or begin another one."""

from collections.abc import Sequence
from typing import Final

from reconciler.core.problem import Problem, Severity
from reconciler.render.lines import visible
from reconciler.render.problems import count, problem_words

#: What GitHub shows of one step, of each level; the others are in its log only.
SHOWN_PER_STEP: Final = 10
#: Longer messages are cut: GitHub takes 64 KB, and nobody reads that beside a line.
_LONGEST: Final = 2_000
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def problems_github(problems: Sequence[Problem]) -> str:
    """A command and a newline for each problem, errors first, and one for how many GitHub leaves out."""
    in_order = sorted(problems, key=lambda problem: not problem.is_error)
    return "".join(f"{each}\n" for each in [*map(_command, in_order), *_left_out(problems)])


def _left_out(problems: Sequence[Problem]) -> Sequence[str]:
    errors = sum(problem.is_error for problem in problems)
    more = [
        count(number - SHOWN_PER_STEP, f"more {noun}")
        for number, noun in ((errors, "error"), (len(problems) - errors, "warning"))
        if number > SHOWN_PER_STEP
    ]
    if not more:
        return ()
    words = (
        f"GitHub shows {SHOWN_PER_STEP} errors and {SHOWN_PER_STEP} warnings of a step. Not shown here, but in the log:"
    )
    return [f"::notice title=sharepack validate::{words} {' and '.join(more)}."]


def _command(problem: Problem) -> str:
    place = problem.where
    spot = f",line={place.line},col={place.column}" if place.line else ""
    cell = f"{place.sheet}!{place.cell}: " if place.cell else f"{place.sheet}: " if place.sheet else ""
    text = f"{cell}{problem_words(problem)}"
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (cut)"
    head = f"::{_LEVELS[problem.severity]} file={_property(place.path)}{spot},title={_property(problem.rule)}"
    return f"{head}::{_data(shown)}"


def _data(text: str) -> str:
    """https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts"""
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
