"""What a plan says, in the shape tests compare."""

from reconciler.core.plan import Plan, Step
from reconciler.render.plan_text import plan_text


def rules(plan: Plan) -> list[tuple[str, str]]:
    """What stands against which step, by rule."""
    return [(str(step.key), item.rule) for step in plan.steps for item in step.objections]


def lifts(plan: Plan) -> set[str]:
    """The words that would lift the objections that can be lifted."""
    return {item.lift for step in plan.steps for item in step.objections if item.lift}


def messages(plan: Plan) -> str:
    return "\n".join(f"{item.message} -> {item.hint}" for step in plan.steps for item in step.objections)


def step_of(plan: Plan, key: str) -> Step:
    (found,) = (step for step in plan.steps if str(step.key) == key)
    return found


def changing(plan: Plan) -> list[str]:
    """What would be done, in order."""
    return [f"{type(step.verdict).__name__} {step.key}" for step in plan.steps if step.is_work]


def text(plan: Plan) -> str:
    return plan_text(plan)
