"""What a plan is, in labels and in the words of a commit status."""

from collections.abc import Iterator
from typing import Final

from reconciler.core.plan import Plan
from reconciler.core.proposal import Proposal
from reconciler.core.severity import Effect
from reconciler.render.effect_text import effects
from reconciler.render.markdown.access import access
from reconciler.render.markdown.verdict import short_verdict
from reconciler.render.summary import is_drift

FAMILY: Final = "sharepack: "
#: GitHub refuses longer ones.
_STATUS: Final = 140


def labels(plan: Plan) -> frozenset[str]:
    return frozenset(f"{FAMILY}{each}" for each in _labels(plan))


def status_words(proposal: Proposal) -> str:
    said = f"{short_verdict(proposal.plan, access(proposal.plan))}; plan {proposal.fingerprint[:12]}"
    return said if len(said) <= _STATUS else f"{said[: _STATUS - 1]}…"


def _labels(plan: Plan) -> Iterator[str]:
    done, _ = effects(plan.steps)
    worst = max(done, default=Effect.NONE)
    if worst is not Effect.NONE:
        yield worst.words
    if any(step.also_widens or step.effect is Effect.WIDENS for step in plan.steps if not step.is_held):
        yield Effect.WIDENS.words
    if plan.is_held:
        yield "held"
    if any(map(is_drift, plan.steps)):
        yield "drift"
    if any(problem.is_error for problem in plan.problems):
        yield "problems"
    elif worst is Effect.NONE and not plan.is_held:
        yield "no change"
