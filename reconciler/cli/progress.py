"""What workers are doing, a line a pack, on standard error."""

import time
from dataclasses import dataclass, field
from typing import assert_never
from uuid import UUID

from reconciler.cli.terminal import mention
from reconciler.ports.ledger import WorkStatus
from reconciler.render.lines import Span, Tone, line, pad
from reconciler.stages.events import Event, Overtaken, Started, Troubled, Waiting
from reconciler.stages.work import Ended, Performed

_TONES = {
    WorkStatus.DONE: Tone.ADD,
    WorkStatus.WAITING: Tone.CHANGE,
    WorkStatus.HELD: Tone.CHANGE,
    WorkStatus.SKIPPED: Tone.CHANGE,
}


@dataclass(slots=True)
class Progress:
    """Counts what it hears of, and says how each pack ended."""

    calls: int = 0
    _calls_of: dict[UUID, int] = field(default_factory=dict)
    _since: dict[UUID, float] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        match event:
            case Started(claim):
                self._since[claim.work_id] = time.monotonic()
                self._calls_of[claim.work_id] = 0
            case Performed(claim, _):
                self.calls += 1
                self._calls_of[claim.work_id] = self._calls_of.get(claim.work_id, 0) + 1
            case Ended():
                self._end(event)
            case Waiting(_, holder):
                until = f"{holder.until.astimezone():%H:%M:%S}"
                since = f"{holder.since.astimezone():%H:%M:%S}"
                words = f"  waiting  {holder.worker} has a pack since {since}, until {until} unless it goes on"
                mention([line(Span(words, Tone.CHANGE))])
            case Overtaken(claim):
                words = "another worker took it over; what this one had begun is found by reading"
                mention(
                    [line(Span("  overtaken ", Tone.TROUBLE), str(claim.order.pack), Span(f"   {words}", Tone.DIM))]
                )
            case Troubled(reason):
                mention([line(Span(f"  {reason}; trying again", Tone.TROUBLE))])
            case _:
                assert_never(event)

    def _end(self, ended: Ended) -> None:
        work_id = ended.claim.work_id
        calls = self._calls_of.get(work_id, 0)
        seconds = time.monotonic() - self._since.get(work_id, time.monotonic())
        word = Span(f"  {pad(str(ended.status), 8)} ", _TONES.get(ended.status, Tone.TROUBLE))
        counted = f"{calls} API call{'s'[: calls != 1]}, {seconds:.1f} s"
        said = [line(word, str(ended.claim.order.pack), Span(f"   {counted}", Tone.DIM))]
        if ended.reason:
            again = "" if ended.retry_in is None else f" (again in {ended.retry_in:.0f} s)"
            said.append(line(Span(f"           {ended.reason}{again}", Tone.DIM)))
        mention(said)
