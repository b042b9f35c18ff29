"""All that is written into pull requests and issues as Markdown. Every foreign text in it goes through `escape`."""

from reconciler.render.markdown.after_merge import APPLIED_MARKER, HELD_MARKER, held_comment, outcome_comment
from reconciler.render.markdown.comment import (
    LIMIT,
    PLAN_MARKER,
    PlanComment,
    plan_comment,
    plan_markdown,
    problems_comment,
)
from reconciler.render.markdown.drift_issue import DRIFT_MARKER, drift_issue
from reconciler.render.markdown.labels import labels, status_words

__all__ = [
    "APPLIED_MARKER",
    "DRIFT_MARKER",
    "HELD_MARKER",
    "LIMIT",
    "PLAN_MARKER",
    "PlanComment",
    "drift_issue",
    "held_comment",
    "labels",
    "outcome_comment",
    "plan_comment",
    "plan_markdown",
    "problems_comment",
    "status_words",
]
