"""A modelled Databricks API: a rate limit for each workspace that answers 429 with Retry-After, latency, requests in
flight and the CPU that a process spends on each call. What a call does is told by `tests.core.model`."""

import random
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

from reconciler.adapters.databricks.limiter import LONGEST_PAUSE_OF_A_WRITE
from tests.scale.assumed import CALL_CPU, Setting
from tests.scale.timeline import Process, Slots, Step, Timeline


class Kind(StrEnum):
    """Why a call is made."""

    LIST = "looks: lists"
    GRANTS = "looks: shares of each recipient"
    MOVED = "looks: what has moved"
    FULL = "looks: in full, in turn"
    PLAN = "plan of a change"
    LOOK = "worker's look before its first call"
    WRITE = "writes"
    VERIFY = "verifying read"
    PULL = "plan of a pull request"
    ROTATE = "token rotations"


class ThrottledError(Exception):
    """A write was not made: 429, or the workspace had asked to wait."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"asked to wait {retry_after:.0f} s")
        self.retry_after = retry_after


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at `rate` a second, `burst` at most; `made` keeps when each request was accepted."""

    rate: float
    burst: float
    tokens: float = 0.0
    at: float = 0.0
    accepted: int = 0
    most_in_a_second: int = 0
    _second: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def ask(self, now: float) -> float:
        """0: accepted. Otherwise the Retry-After, in whole seconds."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return max(1, ceil((1 - self.tokens) / self.rate))
        self.tokens -= 1
        self.accepted += 1
        second, count = self._second
        self._second = (second, count + 1) if second == int(now) else (int(now), 1)
        self.most_in_a_second = max(self.most_in_a_second, self._second[1])
        return 0.0


@dataclass(slots=True)
class Calls:
    """What was asked, in all workspaces."""

    done: Counter[Kind] = field(default_factory=Counter)
    throttled: Counter[Kind] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.done.total() + self.throttled.total()


@dataclass(slots=True)
class Machine:
    """One process: its calls take turns for the interpreter."""

    timeline: Timeline
    cpu: float = 0.0
    _free_at: float = 0.0

    def spend(self, seconds: float) -> float:
        """How long until it is done."""
        self._free_at = max(self._free_at, self.timeline.now) + seconds
        self.cpu += seconds
        return self._free_at - self.timeline.now


@dataclass(slots=True)
class Lane:
    """The calls of one process to one workspace."""

    machine: Machine
    bucket: Bucket
    calls: Calls
    setting: Setting
    chance: random.Random
    slots: Slots = field(init=False)
    resume_at: float = 0.0

    def __post_init__(self) -> None:
        self.slots = Slots(self.setting.in_flight)

    def read(self, kind: Kind) -> Process:
        """Sits out every pause, as reads do."""
        timeline = self.machine.timeline
        while True:
            while self.resume_at > timeline.now:
                yield self.resume_at - timeline.now
            retry_after = yield from self._once(kind)
            if not retry_after:
                return
            self.resume_at = max(self.resume_at, timeline.now + retry_after + self.chance.random())

    def read_all(self, kinds: Iterable[Kind]) -> Process:
        """As many at once as may be under way."""
        left = iter(list(kinds))

        def one_after_another() -> Process:
            for kind in left:
                yield from self.read(kind)

        yield from self.machine.timeline.together(one_after_another() for _ in range(self.setting.in_flight))

    def write(self, kind: Kind) -> Process:
        """Raises ThrottledError; then nothing was changed."""
        timeline = self.machine.timeline
        pause = self.resume_at - timeline.now
        if pause > LONGEST_PAUSE_OF_A_WRITE:
            raise ThrottledError(pause)
        if pause > 0:
            yield pause
        retry_after = yield from self._once(kind)
        if retry_after:
            self.resume_at = max(self.resume_at, timeline.now + retry_after)
            raise ThrottledError(retry_after)

    def _once(self, kind: Kind) -> Generator[Step, None, float]:
        yield self.slots
        yield self.machine.spend(CALL_CPU.value)
        retry_after = self.bucket.ask(self.machine.timeline.now)
        yield self.setting.latency * self.chance.lognormvariate(0, 0.4)
        self.machine.timeline.leave(self.slots)
        (self.calls.throttled if retry_after else self.calls.done)[kind] += 1
        return retry_after
