"""When a business line is looked at again for changes made by hand: more often where something happens, less often
where nothing does, never all at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

#: Seconds of quiet, and how much longer the interval is from then on.
QUIETER: Final = ((24 * 3600.0, 4.0), (6 * 3600.0, 2.0))
#: Part of the interval by which looks are spread.
JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds between looks at a business line where something happens, and the most between any two."""

    interval: float = 900.0
    longest: float = 1500.0


@dataclass(frozen=True, slots=True)
class Watch:
    """One business line. Times are seconds on any clock that only rises."""

    due_at: float
    #: Since when nothing has been found.
    quiet_since: float


def first_watch(now: float, cadence: Cadence, spread: float) -> Watch:
    """The first look after a start comes soon, and not for all at once. `spread` is a random number in 0..1."""
    return Watch(now + cadence.interval * JITTER * spread, now)


def looked(watch: Watch, now: float, cadence: Cadence, spread: float, *, is_quiet: bool) -> Watch:
    """After a look. What failed was not quiet."""
    quiet_since = watch.quiet_since if is_quiet else now
    return replace(watch, due_at=now + interval(now - quiet_since, cadence, spread), quiet_since=quiet_since)


def interval(quiet_for: float, cadence: Cadence, spread: float) -> float:
    """Seconds until the next look, for a random `spread` in 0..1, which may take it a tenth beyond the longest."""
    factor = next((factor for seconds, factor in QUIETER if quiet_for >= seconds), 1.0)
    return min(cadence.interval * factor, cadence.longest) * (1 + JITTER * (2 * spread - 1))


def due(watches: Mapping[str, Watch], now: float) -> frozenset[str]:
    return frozenset(line for line, watch in watches.items() if watch.due_at <= now)


def next_due(watches: Mapping[str, Watch]) -> float | None:
    return min((watch.due_at for watch in watches.values()), default=None)
