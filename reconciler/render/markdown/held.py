"""What stands in the way: held steps with the words that lift what stands against them, and problems of files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.core.allowance import APPROVE
from reconciler.core.guard import Objection, waits_for_held
from reconciler.core.key import Kind
from reconciler.core.plan import PackPlan, Step
from reconciler.core.problem import Problem
from reconciler.core.severity import Effect
from reconciler.core.verdict import Conflict, Unknown
from reconciler.render.effect_text import step_effect
from reconciler.render.markdown.escape import code, prose
from reconciler.render.step_title import short_place


@dataclass(frozen=True, slots=True)
class _Obstacle:
    message: str
    hint: str
    lift: str = ""


def held_items(steps: Iterable[Step]) -> Iterator[str]:
    """A list item for each thing that stands in the way, with all steps that it holds."""
    held: dict[_Obstacle, list[Step]] = {}
    for step in steps:
        for obstacle in _obstacles(step):
            held.setdefault(obstacle, []).append(step)
    for obstacle, found in held.items():
        yield "\n".join(_item(obstacle, found))


def let_go(pack: PackPlan, may: Callable[[Objection], bool]) -> PackPlan:
    """As it would be without the objections that `may` be lifted, and those that stand only because of them."""
    freed = [_without(step, may) for step in pack.steps]
    recipients = (step.key.name for step in freed if step.key.kind is Kind.RECIPIENT and not step.is_held)
    followed = {waits_for_held(name) for name in recipients}
    return replace(pack, steps=tuple(_without(step, followed.__contains__) for step in freed))


def _without(step: Step, may: Callable[[Objection], bool]) -> Step:
    if not any(map(may, step.objections)):
        return step
    return replace(step, objections=tuple(each for each in step.objections if not may(each)))


def lifted_items(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        for words in step.lifted:
            yield f"- {code(str(step.key))} allowed by name: {code(words)}"


def problem_item(problem: Problem) -> str:
    hint = f" → {prose(problem.hint)}" if problem.hint else ""
    also = f" (see {code(str(problem.also))})" if problem.also is not None else ""
    level = "" if problem.is_error else "warning: "
    return f"- {code(str(problem.where))}: {level}{prose(problem.message)}{also}{hint} ({code(problem.rule)})"


def how_to_lift(lift: str) -> str:
    """The line itself never begins one of ours: who wrote this comment is not who lets something go."""
    action, _, words = lift.partition(":")
    if action == APPROVE:
        return f"to approve it, somebody with write access writes the line {code(f'sharepack approve {words}')} here"
    entry = code(f"allow: [{{action: {lift}, until: YYYY-MM-DD, reason: …}}]")
    line = code(f"sharepack allow {lift}")
    return f"to allow it, write {entry} in the pack; or, after the merge, somebody with write access writes {line} here"


def _obstacles(step: Step) -> Iterator[_Obstacle]:
    match step.verdict:
        case Conflict(_, message, hint):
            yield _Obstacle(message, hint)
        case Unknown(reason):
            yield _Obstacle(reason, "nothing is done about it until it can be read")
        case _:
            pass
    yield from (_of(each) for each in step.objections)


def _of(objection: Objection) -> _Obstacle:
    return _Obstacle(objection.message, objection.hint, objection.lift)


def _item(obstacle: _Obstacle, steps: Sequence[Step]) -> Iterator[str]:
    yield f"- {', '.join(map(_title, steps))}: {prose(obstacle.message)}"
    if obstacle.hint:
        yield f"  - → {prose(obstacle.hint)}"
    if obstacle.lift:
        yield f"  - → {how_to_lift(obstacle.lift)}"


def _title(step: Step) -> str:
    where = "" if step.where is None else code(short_place(step.where))
    effect = "" if step.effect is Effect.NONE else step_effect(step).text.removeprefix("!! ")
    more = ", ".join(filter(None, [where, effect]))
    return f"{code(str(step.key))} ({more})" if more else code(str(step.key))
