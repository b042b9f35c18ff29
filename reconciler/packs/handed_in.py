"""What whoever hands in a pack is told: the problems that his file has or makes, in the name he has for it, and nothing
of files that he may not see."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core.desired import Desired
from reconciler.core.permits import Caller
from reconciler.core.problem import Problem

_ELSEWHERE: Final = "a pack of another business line"


def new_problems(before: Desired, after: Desired, path: str) -> Sequence[Problem]:
    """Those of the file at `path`, and those it makes in others."""
    there = set(before.problems)
    return [each for each in after.problems if each.where.path == path or each not in there]


def readable(desired: Desired, caller: Caller) -> frozenset[str] | None:
    """The paths of packs that he may know of; None: all."""
    if caller.lines is None:
        return None
    paths = {pack.id: pack.path for pack in desired.packs.values()} | dict(desired.broken)
    return frozenset(path for pack, path in paths.items() if caller.may_read(pack.business_line))


def told(problems: Sequence[Problem], path: str, name: str, may_read: Collection[str] | None) -> tuple[Problem, ...]:
    """`path`: of the file that was handed in, which its sender calls `name`."""
    return tuple(_told(each, path, name, may_read) for each in problems)


def _told(problem: Problem, path: str, name: str, may_read: Collection[str] | None) -> Problem:
    where, also, message = problem.where, problem.also, problem.message
    if where.path != path and also is not None and also.path == path:
        # Which of two files has it depends on their names; the one at hand is the one to change.
        where, also, message = also, where, message.replace(path, where.path)
    if also is not None and may_read is not None and also.path != path and also.path not in may_read:
        message, also = message.replace(also.path, _ELSEWHERE), None
    if may_read is not None and where.path != path and where.path not in may_read:
        message, where = message.replace(where.path, _ELSEWHERE), replace(where, path=_ELSEWHERE)
    return replace(
        problem,
        message=message.replace(path, name),
        where=replace(where, path=name) if where.path == path else where,
        also=replace(also, path=name) if also is not None and also.path == path else also,
    )
