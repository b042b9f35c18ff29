"""How long to wait before the next try, and when trying again is no use. Transient failures are tried for ever, ever
more slowly; refusals wait for somebody; what nobody understands is tried a few times and then shown to a person."""

from enum import StrEnum
from typing import Final

#: Seconds; the last one repeats.
DELAYS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
#: Tries that may end in a way nobody understands, and workers that may vanish over one work item.
MOST_UNEXPLAINED: Final = 5
#: Seconds until what needs attention is tried again all the same.
PROBE_AFTER: Final = 3600.0


class Failure(StrEnum):
    #: None, or not a matter of Databricks (an outdated approval, something it needs).
    NONE = ""
    #: Later helps: throttled, unreachable, down.
    TRANSIENT = "transient"
    #: The same again would be refused again, until a commit or the workspace changes.
    REFUSED = "refused"
    #: Nobody knows whether later helps.
    UNKNOWN = "unknown"


def delay(setbacks: int, asked: float | None, spread: float) -> float:
    """Seconds until the next try, after `setbacks` in a row. `asked` is what Databricks asked for; `spread` in 0..1 is
    the caller's random number, so that many workers do not come back at once."""
    planned = DELAYS[min(max(setbacks, 1), len(DELAYS)) - 1]
    return max(planned, asked or 0.0) * (1 + 0.2 * spread)
