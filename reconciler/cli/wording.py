"""What is written into pull requests: the renderings that the stages are given."""

from collections.abc import Sequence

from reconciler.core.proposal import Proposal, WorkbookChange
from reconciler.ports.ledger import ShownPlan
from reconciler.render.markdown import (
    PlanComment,
    held_comment,
    labels,
    outcome_comment,
    plan_comment,
    problems_comment,
    status_words,
)
from reconciler.stages.wording import Wording


def wording() -> Wording:
    return Wording(
        plan=_plan,
        problems=problems_comment,
        labels=labels,
        status=status_words,
        held=held_comment,
        outcome=outcome_comment,
        workbooks=workbooks,
    )


def _plan(proposal: Proposal, artefact_url: str, earlier: Sequence[ShownPlan]) -> PlanComment:
    return plan_comment(
        proposal, artefact_url=artefact_url, earlier=[(each.fingerprint, each.head) for each in earlier]
    )


def workbooks(path: str, path_before: str | None, before: bytes | None, after: bytes | None) -> WorkbookChange:
    from reconciler.packs.workbook_changes import workbook_change  # noqa: PLC0415 - openpyxl takes 0.2 s to import

    return workbook_change(path, path_before, before, after)
