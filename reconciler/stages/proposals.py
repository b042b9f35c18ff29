"""Packs that were handed in and wait for review: whether their pull requests are over."""

from dataclasses import dataclass, field
from enum import Enum

from reconciler.ports.pull_requests import PullRequests


class Proposal(Enum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(slots=True)
class Proposals:
    """As they are now; what is open is asked for once."""

    pulls: PullRequests
    _open: frozenset[int] | None = field(default=None)

    async def state(self, number: int) -> Proposal:
        """Raises PullRequestsError."""
        if self._open is None:
            self._open = frozenset(each.number for each in await self.pulls.open_ones())
        if number in self._open:
            return Proposal.OPEN
        return Proposal.MERGED if (await self.pulls.get(number)).is_merged else Proposal.CLOSED
