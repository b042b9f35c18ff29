"""Objects that were just made and are not seen everywhere yet: how often each is still said not to exist.

Only looking and changing count down, never time, so that a test knows what it gets. Lists and deletions are not
concerned, and neither is making it once more: the name is taken.
"""

from dataclasses import dataclass, field
from typing import Literal

from reconciler.sandbox.errors import ApiError, resource_does_not_exist
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.names import key

Newcomer = Literal["Recipient", "Share"]


@dataclass(slots=True)
class _Left:
    reads: int
    writes: int


@dataclass(slots=True)
class Newborn:
    _left: dict[tuple[Newcomer, str], _Left] = field(default_factory=dict)

    def born(self, kind: Newcomer, name: str, knobs: Knobs) -> None:
        self.seen(kind, name)
        if knobs.hidden_reads or knobs.hidden_writes:
            self._left[kind, key(name)] = _Left(knobs.hidden_reads, knobs.hidden_writes)

    def seen(self, kind: Newcomer, name: str) -> None:
        """It was renamed or deleted: whatever has the name from here on is another matter."""
        self._left.pop((kind, key(name)), None)

    def read(self, kind: Newcomer, name: str) -> None:
        """Raises 404 while it is hidden from reads."""
        left = self._left.get((kind, key(name)))
        if left is not None and left.reads:
            left.reads -= 1
            raise self._hidden(kind, name, left)

    def change(self, kind: Newcomer, name: str) -> None:
        """Raises 404 while it is hidden from writes."""
        left = self._left.get((kind, key(name)))
        if left is not None and left.writes:
            left.writes -= 1
            raise self._hidden(kind, name, left)

    def is_known(self, kind: Newcomer, name: str) -> bool:
        """Whether others may refer to it, which takes that neither reads nor writes miss it. Each time they do counts
        as one of both."""
        left = self._left.get((kind, key(name)))
        if left is None:
            return True
        left.reads, left.writes = max(0, left.reads - 1), max(0, left.writes - 1)
        self._drop_when_seen(kind, name, left)
        return False

    def _hidden(self, kind: Newcomer, name: str, left: _Left) -> ApiError:
        self._drop_when_seen(kind, name, left)
        return resource_does_not_exist(f"{kind} '{name}' does not exist")

    def _drop_when_seen(self, kind: Newcomer, name: str, left: _Left) -> None:
        if not (left.reads or left.writes):
            self.seen(kind, name)
