"""How long to wait before the next try. Transient failures are tried for ever, ever more slowly."""

from typing import Final

#: Seconds; the last one repeats.
DELAYS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)


def delay(attempts: int, asked: float | None, spread: float) -> float:
    """Seconds until the next try, after `attempts` tries. `asked` is what Databricks asked for; `spread` in 0..1 is the
    caller's random number, so that many workers do not come back at once."""
    planned = DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]
    return max(planned, asked or 0.0) * (1 + 0.2 * spread)
