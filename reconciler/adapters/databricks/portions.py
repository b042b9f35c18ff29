"""Asking the same about many resources of one workspace: some of them by one thread after another, since a thread and a
turn for each cost half as much as the asking. Decides which go together; what is asked is not its business."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from reconciler.core.key import Key

if TYPE_CHECKING:
    from reconciler.adapters.databricks.workspace import Workspace

T = TypeVar("T")

#: Resources that are asked about in one turn at the most. Whoever comes later, such as a worker with a write, waits for
#: turns, not for all that is asked.
MOST: Final = 4

#: Seconds after which a turn is given back, however much of the portion is left.
LONG_ENOUGH: Final = 0.5


def take(left: deque[Key], hands: int) -> list[Key]:
    """The next portion. Towards the end they become small, so that all hands end at about the same time."""
    return [left.popleft() for _ in range(max(1, min(MOST, len(left) // (2 * hands))))]


class Portion(Generic[T]):
    """Carried out by a thread; told about, and left, by the event loop."""

    def __init__(self, keys: Sequence[Key], ask: "Callable[[Workspace, Key], T]") -> None:
        self._keys = keys
        self._ask = ask
        self._answers: list[T] = []
        self._is_left = False

    def __call__(self, where: "Workspace") -> None:
        """Raises what asking raises; then the answers are those before it."""
        ends_at = time.monotonic() + LONG_ENOUGH
        for key in self._keys:
            answer = self._ask(where, key)
            if self._is_left:
                return
            self._answers.append(answer)
            if where.is_held_up or time.monotonic() > ends_at:
                return

    def leave(self) -> tuple[dict[Key, T], list[Key]]:
        """What was answered, and what is still to be asked; from here on nothing more is."""
        self._is_left = True
        answers = list(self._answers)
        return dict(zip(self._keys, answers, strict=False)), list(self._keys[len(answers) :])
