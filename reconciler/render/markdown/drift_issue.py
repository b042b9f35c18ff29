"""The one issue about what was changed by hand in the workspaces."""

from typing import Final

from reconciler.core.plan import Plan
from reconciler.render.element_text import counted
from reconciler.render.markdown.access import access, access_sentences
from reconciler.render.markdown.comment import LIMIT
from reconciler.render.markdown.fitting import Part, fit
from reconciler.render.markdown.resources import LISTED, drift_blocks
from reconciler.render.summary import is_drift

DRIFT_MARKER: Final = "<!-- sharepack:drift -->"


def drift_issue(plan: Plan) -> tuple[str, str] | None:
    """Title and text; None when there is no drift."""
    drifted = [step for step in plan.steps if is_drift(step)]
    if not drifted:
        return None
    packs = sum(any(map(is_drift, pack.steps)) for pack in plan.packs)
    title = f"Drift: {counted(len(drifted), 'resource')} changed by hand in {counted(packs, 'pack')}"
    said = (
        "Somebody changed in the workspace what share packs declare. The next apply, or the daemon, puts back what is "
        "not only reported or contested; to keep a change, write it into the pack."
    )
    parts = [
        Part(DRIFT_MARKER, (said,)),
        Part(
            "### What putting it back does to access",
            tuple(access_sentences(access(plan), only_drift=True)),
            rank=1,
            noun="recipients",
            between="\n",
        ),
        Part("### What was changed", tuple(drift_blocks(plan.packs, LISTED)), rank=2, noun="packs"),
    ]
    return title, fit(parts, LIMIT, "`sharepack status --drift` tells all").text
