"""What a leading daemon does for pull requests: shows the open ones what merging them would do, and notices when
somebody approves what is held. Level-triggered: whatever it missed it sees at the next look."""

from collections.abc import Collection
from dataclasses import dataclass, field

from loguru import logger

from reconciler.core.key import PackId
from reconciler.ports.ledger import LedgerError
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.ports.pull_requests import PullRequest, PullRequests, PullRequestsError
from reconciler.stages.present import Presenting
from reconciler.stages.review import Reviewing

_FAILURES = (PullRequestsError, PackSourceError, LedgerError, RefusedError, UnavailableError)


@dataclass(slots=True)
class PullRequestWatch:
    presenting: Presenting
    reviewing: Reviewing
    #: Seconds between looks.
    every: float = 60.0
    #: Head and base that each open pull request was shown a plan for.
    _shown: dict[int, tuple[str, str]] = field(default_factory=dict)
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
        for pull in pulls:
            if self._shown.get(pull.number) != (pull.head, commit):
                await self._show(pull, commit)
        return await self._heard(waiting)

    async def _show(self, pull: PullRequest, commit: str) -> None:
        try:
            fetched = await self.presenting.source.fetch_pull(pull.number)
            if (await self._pulls.get(pull.number)).head != pull.head:
                # Pushed to in between: what was fetched may be either. The next look shows it.
                return
            presented = await self.presenting.present(pull, commit, fetched)
        except _FAILURES as error:
            self._tell(pull.number, f"Pull request #{pull.number} could not be shown its plan: {error}")
            return
        self._shown[pull.number] = (pull.head, commit)
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
