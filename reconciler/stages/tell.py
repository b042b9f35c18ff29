"""Tells merged pull requests what became of them: packs that wait for approval, and work that failed. What cannot be
told is no reason not to apply: it is answered in words, for the log."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan
from reconciler.ports.ledger import OperationRecord, Work, WorkStatus
from reconciler.ports.pull_requests import PullRequest, PullRequests, PullRequestsError, State
from reconciler.stages.review import Reviewing
from reconciler.stages.wording import APPLIED_MARKER, APPLY_CHECK, HELD_MARKER, Wording

NOT_APPROVED: Final = "not-approved"
_WELL: Final = frozenset({WorkStatus.DONE, WorkStatus.HELD})


@dataclass(frozen=True, slots=True)
class Teller:
    pulls: PullRequests
    reviewing: Reviewing
    wording: Wording

    async def held(self, plan: Plan) -> list[str]:
        """After planning. Returns what could not be told."""
        troubles = []
        for pull, packs in self._by_pull(plan.packs):
            waiting = [pack for pack in packs if waits_for_approval(pack)]
            try:
                await self._tell_held(pull, waiting)
            except PullRequestsError as error:
                troubles.append(f"pull request #{pull.number} was not told what waits for approval: {error}")
        return troubles

    async def ended(self, plan: Plan, work: Collection[Work], operations: Sequence[OperationRecord]) -> list[str]:
        """After the work of these packs. Returns what could not be told."""
        troubles = []
        ids = {item.pack: item for item in work}
        for pull, packs in self._by_pull([pack for pack in plan.packs if pack.pack in ids]):
            mine = [ids[pack.pack] for pack in packs]
            part = replace(plan, packs=tuple(packs))
            try:
                await self._tell_ended(pull, part, mine, operations)
            except PullRequestsError as error:
                troubles.append(f"pull request #{pull.number} was not told how its work ended: {error}")
        return troubles

    def _by_pull(self, packs: Iterable[PackPlan]) -> list[tuple[PullRequest, list[PackPlan]]]:
        pulls: dict[int, tuple[PullRequest, list[PackPlan]]] = {}
        for pack in packs:
            for pull in self.reviewing.found.get(pack.pack, ()):
                pulls.setdefault(pull.number, (pull, []))[1].append(pack)
        return [pulls[number] for number in sorted(pulls)]

    async def _tell_held(self, pull: PullRequest, waiting: Sequence[PackPlan]) -> None:
        """Who was told of something held is told when nothing is any more."""
        if not waiting and await self.pulls.commented(pull.number, HELD_MARKER) is None:
            return
        await self.pulls.comment(pull.number, HELD_MARKER, self.wording.held(waiting))
        if waiting:
            words = f"{len(waiting)} pack{'s'[: len(waiting) != 1]} wait for approval"
            await self._status(pull, State.FAILURE, words)

    async def _tell_ended(
        self, pull: PullRequest, plan: Plan, work: Sequence[Work], operations: Sequence[OperationRecord]
    ) -> None:
        """Who was told of a failure is told when all is well again."""
        failed = [item for item in work if item.status not in _WELL]
        if failed or await self.pulls.commented(pull.number, APPLIED_MARKER) is not None:
            await self.pulls.comment(pull.number, APPLIED_MARKER, self.wording.outcome(plan, work, operations))
        if failed:
            await self._status(pull, State.FAILURE, f"{len(failed)} of {len(work)} packs failed; the comment says why")
        elif not any(map(waits_for_approval, plan.packs)):
            await self._status(pull, State.SUCCESS, f"applied {len(work)} pack{'s'[: len(work) != 1]}")

    async def _status(self, pull: PullRequest, state: State, words: str) -> None:
        await self.pulls.status(pull.merge_commit or pull.head, APPLY_CHECK, state, words, pull.url)


def waits_for_approval(pack: PackPlan) -> bool:
    return any(objection.rule == NOT_APPROVED for step in pack.steps for objection in step.objections)


def waiting(plan: Plan) -> frozenset[PackId]:
    return frozenset(pack.pack for pack in plan.packs if waits_for_approval(pack))
