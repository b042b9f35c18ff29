"""One sandbox without its network: the state, the sessions into it, its log, and what goes wrong in it on purpose."""

from pathlib import Path

from reconciler.sandbox.faults import Faults, Throttle
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.request_log import RequestLog
from reconciler.sandbox.seed import Seed
from reconciler.sandbox.sessions import Sessions
from reconciler.sandbox.state import State
from reconciler.sandbox.state_file import load, save


class World:
    def __init__(self, seed: Seed, knobs: Knobs, state_file: Path | None, log_capacity: int) -> None:
        self._first_knobs = knobs
        self._state_file = state_file
        self.log = RequestLog(log_capacity)
        #: requests that have come and are not answered yet, whoever waits for them
        self.under_way = 0
        self._start(seed)
        if state_file is not None:
            load(self.state, state_file)
            # At once, so that a place that cannot be written is found before the first request.
            save(self.state, state_file)
        self._saved = self.state.revision

    def reset(self, seed: Seed) -> None:
        """Back to the beginning with this seed: no recipients, no shares, no faults, first knobs, empty log."""
        base_url = self.state.base_url
        self._start(seed)
        self.state.base_url = seed.public_url or base_url
        self.log.clear()
        self.state.written()
        self.save()

    def listening(self, url: str) -> None:
        self.state.base_url = self.state.seed.public_url or url

    def save(self) -> None:
        """Writes the state file when something was written since the last time."""
        if self._state_file is not None and self._saved != self.state.revision:
            save(self.state, self._state_file)
        self._saved = self.state.revision

    def _start(self, seed: Seed) -> None:
        self.state = State(seed, self._first_knobs)
        self.sessions = Sessions(self.state)
        self.faults = Faults()
        self.throttle: Throttle | None = None
        self.latency_ms = 0
