"""Of several daemons one leads. Two that lead for a moment do no harm, only double work: leases and generations see to
that."""

from typing import Protocol


class Leadership(Protocol):
    async def holds(self) -> bool:
        """Whether this process leads now; takes the lead when nobody has it. Ask every few seconds: who does not ask
        for `adapters.postgres.leadership.IDLE` seconds loses it."""

    async def resign(self) -> None:
        """Let another take over at once."""
