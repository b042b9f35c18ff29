"""Shows a pull request what merging it would do: one comment, labels, a status, and the plan on record as shown.
Changes nothing in Databricks, and runs nothing that a pull request brings."""

from dataclasses import dataclass, replace

from reconciler.core.approval import showing
from reconciler.core.problem import Problem
from reconciler.core.proposal import Proposal
from reconciler.packs.snapshot import Snapshots
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import Ledger, ShownPlan
from reconciler.ports.pack_source import PackSource
from reconciler.ports.platform import Platform
from reconciler.ports.pull_requests import PullRequest, PullRequests, PullRequestsError, State
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.propose import Before, Branch, branch
from reconciler.stages.reach import Reach
from reconciler.stages.wording import LABELS, PLAN_CHECK, PLAN_MARKER, Wording


@dataclass(frozen=True, slots=True)
class Presented:
    #: None for one from elsewhere, of which only the files are checked, and for one that changes no packs.
    proposal: Proposal | None
    problems: tuple[Problem, ...]
    body: str
    #: Whether all that is dangerous could be shown.
    fits: bool
    #: Where the comment is; empty when there is none.
    url: str
    #: What could not be said beside the comment, in words.
    troubles: tuple[str, ...] = ()
    #: As in `propose.Branch`.
    reach: Reach | None = None

    @property
    def is_invalid(self) -> bool:
        return any(problem.is_error for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Presenting:
    pulls: PullRequests
    source: PackSource
    ledger: Ledger
    platform: Platform
    clock: Clock
    wording: Wording
    default_workspace: str
    wishes: Wishes
    #: None: every pack is read each time.
    snapshots: Snapshots | None = None

    async def present(self, pull: PullRequest, since: str, commit: str, artefact_url: str = "") -> Presented:
        """Raises PullRequestsError when the comment cannot be posted, and what planning raises."""
        known = None if self.snapshots is None else Before(self.snapshots, self.ledger)
        found = await branch(self.source, self.default_workspace, since, commit, self.clock.now().date(), known)
        if not (found.changed or found.problems) and await self.pulls.commented(pull.number, PLAN_MARKER) is None:
            # Nobody is to be troubled by what does not concern packs.
            return replace(await self._pass(pull), reach=found.reach)
        if pull.is_fork:
            return replace(await self._check_only(pull, found.problems), reach=found.reach)
        proposal = replace(await self._proposal(found), head=pull.head)
        written = self.wording.plan(proposal, artefact_url, await self._earlier(pull, proposal))
        url = await self.pulls.comment(pull.number, PLAN_MARKER, written.body)
        if written.fits:
            # Nobody was shown a plan that had to be cut where it matters.
            await self.ledger.show_plan(
                ShownPlan(self.pulls.repository, pull.number, pull.head, proposal.fingerprint, showing(proposal.plan))
            )
        presented = Presented(proposal, found.problems, written.body, written.fits, url, reach=found.reach)
        return replace(presented, troubles=await self._beside(pull, proposal, presented))

    async def _proposal(self, found: Branch) -> Proposal:
        plan = await plan_packs(
            found.after,
            found.changed,
            self.source,
            self.ledger,
            self.platform,
            self.clock,
            replace(self.wishes, snapshots=self.snapshots, left=found.left),
        )
        return found.proposal(plan, self.wording.workbooks)

    async def _earlier(self, pull: PullRequest, proposal: Proposal) -> list[ShownPlan]:
        now = (proposal.fingerprint, pull.head)
        shown = await self.ledger.shown_plans(self.pulls.repository, pull.number)
        return [each for each in shown if (each.fingerprint, each.head) != now]

    async def _pass(self, pull: PullRequest) -> Presented:
        await self.pulls.status(pull.head, PLAN_CHECK, State.SUCCESS, "changes no share packs", pull.url)
        return Presented(None, (), "", fits=True, url="")

    async def _beside(self, pull: PullRequest, proposal: Proposal, presented: Presented) -> tuple[str, ...]:
        """Labels and the status; a token that may not set them does not keep the plan from being read."""
        troubles = []
        try:
            await self.pulls.label(pull.number, self.wording.labels(proposal.plan), LABELS)
        except PullRequestsError as error:
            troubles.append(f"the labels are not set: {error}")
        state, words = State.SUCCESS, self.wording.status(proposal)
        if presented.is_invalid:
            state, words = State.FAILURE, "files have problems; the comment says which"
        elif not presented.fits:
            state, words = State.FAILURE, "what this changes is too much for a comment; split it"
        try:
            await self.pulls.status(pull.head, PLAN_CHECK, state, words, presented.url)
        except PullRequestsError as error:
            troubles.append(f"the commit status is not set: {error}")
        return tuple(troubles)

    async def _check_only(self, pull: PullRequest, problems: tuple[Problem, ...]) -> Presented:
        """A pull request from another repository is not told what there is here."""
        body = self.wording.problems(problems)
        url = await self.pulls.comment(pull.number, PLAN_MARKER, body)
        is_invalid = any(problem.is_error for problem in problems)
        state = State.FAILURE if is_invalid else State.SUCCESS
        words = "files have problems; the comment says which" if is_invalid else "the files are valid; not planned"
        await self.pulls.status(pull.head, PLAN_CHECK, state, words, url)
        return Presented(None, problems, body, fits=True, url=url)
