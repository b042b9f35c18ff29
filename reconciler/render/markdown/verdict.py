"""One sentence on what a plan comes to, for the top of a comment, and a shorter one for a commit status."""

from collections.abc import Iterator

from reconciler.core.plan import Plan
from reconciler.core.severity import Effect
from reconciler.render.effect_text import effects
from reconciler.render.element_text import counted
from reconciler.render.markdown.access import Access
from reconciler.render.summary import is_drift


def verdict_sentences(plan: Plan, found: Access, verb: str) -> Iterator[str]:
    """`verb` is who does it, such as `Merging this`."""
    yield f"{verb} {_does(plan, found)}"
    held = sum(step.is_held for step in plan.steps)
    if held:
        waits = "is held: it waits" if held == 1 else "are held: they wait"
        yield f"**{counted(held, 'change')}** {waits} for what is said under Held."
    drifted = sum(map(is_drift, plan.steps))
    if drifted:
        were = "was" if drifted == 1 else "were"
        yield f"**{counted(drifted, 'resource')}** {were} changed by hand in the workspace."
    errors = sum(problem.is_error for problem in plan.problems)
    if errors:
        yield f"**{counted(errors, 'problem')} in files**: what stands there is not in this plan."


def short_verdict(plan: Plan, found: Access) -> str:
    held = sum(step.is_held for step in plan.steps)
    said = [
        _some(found.gaining, "gains access", "gain access"),
        _some(found.losing, "loses access", "lose access"),
        _some(found.otherwise, "reads another part", "read another part"),
        "" if any(found.all()) else _quiet(plan),
        f"{held:,} held" if held else "",
    ]
    return ", ".join(filter(None, said))


def _does(plan: Plan, found: Access) -> str:
    worst = _worst(plan)
    said = [
        f"lets **{counted(found.gaining, 'recipient')}** read more" if found.gaining else "",
        f"takes something from **{counted(found.losing, 'recipient')}**" if found.losing else "",
        f"changes which part **{counted(found.otherwise, 'recipient')}** reads" if found.otherwise else "",
        "**revokes or breaks access**" if worst >= Effect.BREAKS else "",
    ]
    done = [each for each in said if each]
    if done:
        return f"{', '.join(done[:-1])}{' and ' if done[:-1] else ''}{done[-1]}."
    changes = sum(step.is_change and not step.is_held for step in plan.steps)
    if changes:
        what = f"changes {counted(changes, 'resource')}; nobody gains or loses a data object"
        return f"{what}." if worst is Effect.METADATA else f"{what}, but the access of somebody **{worst.words}**."
    return "changes nothing at Databricks."


def _quiet(plan: Plan) -> str:
    changes = sum(step.is_change and not step.is_held for step in plan.steps)
    if not changes:
        return "no change"
    return f"{counted(changes, 'resource')} changed, {_worst(plan).words}"


def _worst(plan: Plan) -> Effect:
    done, _ = effects(plan.steps)
    return max(done, default=Effect.NONE)


def _some(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}" if count else ""
