"""What a branch proposes: the plan of the packs it changes, and what a reviewer cannot see in Git's own diff."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.approval import showing
from reconciler.core.key import PackId
from reconciler.core.plan import Plan, plan_fingerprint


@dataclass(frozen=True, slots=True)
class CellChange:
    sheet: str
    #: Such as `B7`.
    cell: str
    #: As a person would read it in the workbook; None: the cell was, or is, empty.
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class WorkbookChange:
    path: str
    #: None: the workbook is new; all its cells are listed.
    path_before: str | None
    cells: tuple[CellChange, ...]
    #: The pack as normalised YAML, as it was and as it becomes; empty when there was, or is, none that can be read.
    yaml_before: str = ""
    yaml_after: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    #: Of the packs that the branch changes. What in it comes from drift tells its cause (`core.changes.Cause`).
    plan: Plan
    #: Full id of the commit it branched off from.
    base: str
    #: Packs whose file has another path than at the base, with the path there.
    moved_from: Mapping[PackId, str] = field(default_factory=dict)
    #: Packs that the branch leaves as they are; they were not looked at.
    others: int = 0
    workbooks: tuple[WorkbookChange, ...] = ()
    #: Full id of the pull request's newest commit, when what was planned is that commit merged; else empty.
    head: str = ""

    @property
    def commit(self) -> str:
        """What people know it by."""
        return self.head or self.plan.revision.commit

    @property
    def fingerprint(self) -> str:
        """What whoever approves this approves (`core.approval.showing`)."""
        return plan_fingerprint(each.fingerprint for each in showing(self.plan).values())
