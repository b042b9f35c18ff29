"""What a leading daemon does for pull requests: shows the open ones what merging them would do, again when that may be
something else by now, and notices when somebody approves what is held. Level-triggered: whatever it missed it sees at
the next look."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from loguru import logger

from reconciler.core.key import PackId
from reconciler.ports.ledger import LedgerError
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.ports.pull_requests import PullRequest, PullRequests, PullRequestsError
from reconciler.stages.present import Presented, Presenting
from reconciler.stages.reach import Moved, Reach, moved_between
from reconciler.stages.review import Reviewing

_FAILURES = (PullRequestsError, PackSourceError, LedgerError, RefusedError, UnavailableError)


@dataclass(frozen=True, slots=True)
class _Shown:
    head: str
    #: The newest commit of the branch for which the plan shown is known to be right.
    commit: str
    #: What that rests on; its base moves on with the commits that do not touch it. None: any commit may change it.
    reach: Reach | None


@dataclass(slots=True)
class PullRequestWatch:
    presenting: Presenting
    reviewing: Reviewing
    #: Seconds between looks.
    every: float = 60.0
    _shown: dict[int, _Shown] = field(default_factory=dict)
    #: Of this look.
    _moved: dict[tuple[str, str], Moved | None] = field(default_factory=dict)
    _said: dict[int, str] = field(default_factory=dict)

    @property
    def _pulls(self) -> PullRequests:
        return self.presenting.pulls

    async def look(self, branch: str, commit: str, waiting: Collection[PackId]) -> frozenset[PackId]:
        """`commit` is the newest of `branch`; `waiting` are packs held for approval. Returns those of them of which
        something was said or approved since."""
        try:
            pulls = [pull for pull in await self._pulls.open_ones() if pull.base == branch]
        except PullRequestsError as error:
            self._tell(0, f"The open pull requests cannot be seen: {error}")
            return frozenset()
        self._said.pop(0, None)
        self._shown = {pull.number: self._shown[pull.number] for pull in pulls if pull.number in self._shown}
        self._moved.clear()
        for pull in pulls:
            if not await self._is_right(pull, commit):
                await self._show(pull, commit)
        return await self._heard(waiting)

    async def _is_right(self, pull: PullRequest, commit: str) -> bool:
        """Whether what was shown is what would be shown now. What changes in the workspace or on record meanwhile is
        seen when it is applied, and at the latest with the first merge of the next day."""
        shown = self._shown.get(pull.number)
        if shown is None or shown.head != pull.head:
            return False
        if shown.commit == commit:
            return True
        reach = shown.reach
        if reach is None or reach.day != self.presenting.clock.now().date():
            return False
        moved = await self._between(reach.base, commit)
        if moved is None or reach.is_touched(moved):
            return False
        self._shown[pull.number] = replace(shown, commit=commit, reach=replace(reach, base=commit))
        return True

    async def _between(self, older: str, newer: str) -> Moved | None:
        if (older, newer) not in self._moved:
            self._moved[older, newer] = await moved_between(self.presenting.source, older, newer)
        return self._moved[older, newer]

    async def _show(self, pull: PullRequest, commit: str) -> None:
        try:
            fetched = await self.presenting.source.fetch_pull(pull.number)
            if (await self._pulls.get(pull.number)).head != pull.head:
                # Pushed to in between: what was fetched may be either. The next look shows it.
                return
            presented = await self.presenting.present(pull, commit, fetched)
        except _FAILURES as error:
            self._shown.pop(pull.number, None)
            self._tell(pull.number, f"Pull request #{pull.number} could not be shown its plan: {error}")
            return
        last = self._shown.get(pull.number)
        # What touched it may not be applied yet: the next commit shows it once more.
        is_touched = last is not None and last.head == pull.head and last.reach is not None
        self._shown[pull.number] = _Shown(pull.head, commit, None if is_touched else _lasting(presented))
        self._said.pop(pull.number, None)
        logger.info("{}", f"Pull request #{pull.number} was shown its plan: {presented.url}")
        for trouble in presented.troubles:
            logger.warning("{}", f"Pull request #{pull.number}: {trouble}")

    async def _heard(self, waiting: Collection[PackId]) -> frozenset[PackId]:
        heard = set()
        for pack in waiting:
            try:
                if await self.reviewing.is_news(pack):
                    heard.add(pack)
            except PullRequestsError as error:
                self._tell(-1, f"Who approved {pack} cannot be seen: {error}")
            else:
                self._said.pop(-1, None)
        return frozenset(heard)

    def _tell(self, number: int, words: str) -> None:
        """Once for as long as it lasts."""
        if self._said.get(number) != words:
            logger.warning("{}", words)
        self._said[number] = words


def _lasting(presented: Presented) -> Reach | None:
    """None for what was not all well: it is shown again with every commit."""
    held = presented.proposal is not None and presented.proposal.plan.is_held
    is_well = presented.fits and not (held or presented.is_invalid or presented.troubles)
    return presented.reach if is_well else None
