"""What is written into pull requests, as functions from values to text: stages say when something is told and to whom,
renderings say how it reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from reconciler.core.plan import PackPlan, Plan
from reconciler.core.problem import Problem
from reconciler.core.proposal import Proposal
from reconciler.ports.ledger import OperationRecord, ShownPlan, Work
from reconciler.stages.propose import CompareWorkbooks

#: First lines of our comments, by which they are found again.
PLAN_MARKER: Final = "<!-- sharepack:plan -->"
HELD_MARKER: Final = "<!-- sharepack:held -->"
APPLIED_MARKER: Final = "<!-- sharepack:applied -->"
#: Of the one issue that tells drift.
DRIFT_MARKER: Final = "<!-- sharepack:drift -->"
#: What labels of ours begin with.
LABELS: Final = "sharepack: "
#: Names of our commit statuses.
PLAN_CHECK: Final = "sharepack/plan"
APPLY_CHECK: Final = "sharepack/apply"


class Written(Protocol):
    """The comment with a plan."""

    @property
    def body(self) -> str: ...

    @property
    def fits(self) -> bool:
        """Whether all that is dangerous in it is there."""


@dataclass(frozen=True, slots=True)
class Wording:
    #: The proposal, where all of it can be read (a URL, or empty), and the plans shown before for the pull request.
    plan: Callable[[Proposal, str, Sequence[ShownPlan]], Written]
    #: Files with problems, where there is no plan.
    problems: Callable[[Sequence[Problem]], str]
    labels: Callable[[Plan], frozenset[str]]
    #: At most 140 characters.
    status: Callable[[Proposal], str]
    #: Packs of which more would be done than was approved; none: there are none any more.
    held: Callable[[Sequence[PackPlan]], str]
    #: How the work of these packs ended.
    outcome: Callable[[Plan, Sequence[Work], Sequence[OperationRecord]], str]
    workbooks: CompareWorkbooks
