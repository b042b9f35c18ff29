"""What was injected and done, counted, and the last of it in words: the report of a run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic

_REMEMBERED = 400


@dataclass(slots=True)
class Tally:
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    _last: list[str] = field(default_factory=list)
    _begun: float = field(default_factory=monotonic)

    def note(self, what: str, detail: str = "") -> None:
        self.counts[what] += 1
        self._last = [
            *self._last[1 - _REMEMBERED :],
            f"{monotonic() - self._begun:7.1f}s  {what}: {detail}".rstrip(": "),
        ]

    def table(self, more: Iterable[tuple[str, object]] = ()) -> str:
        rows = [("seed", self.seed), ("seconds", round(monotonic() - self._begun)), *sorted(self.counts.items()), *more]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"  {name:<{width}}  {count:>7}" for name, count in rows)

    def last(self, most: int) -> str:
        return "\n".join(f"  {line}" for line in self._last[-most:])
