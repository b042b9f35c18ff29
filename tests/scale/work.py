"""What was submitted and is not done yet: rows with leases, a queue that loses and doubles messages, workers that take
work, die and are put off by 429. The rules are the product's (`stages.workers`, `adapters.azure_queue`); what a pack
needs done is told by the real planner."""

import random
from collections import Counter, deque
from dataclasses import dataclass, field

from reconciler.core.calls import RotateToken
from reconciler.core.key import PackId
from reconciler.core.lowering import lower
from reconciler.core.plan import Step
from reconciler.core.retry import delay
from tests.scale.api import Kind, Lane, ThrottledError
from tests.scale.assumed import COMMIT_TIME, COMMITS, LEASE, SWEEP, Setting
from tests.scale.packs import Estate, resources_of
from tests.scale.timeline import Process, Timeline

#: Of `AzureQueueDoorbell`: messages a poll asks for, seconds between empty polls, how they grow, and how far.
BATCH, POLL, BACK_OFF, LONGEST = 10, 1.0, 1.5, 5


@dataclass(slots=True)
class Work:
    number: int
    pack: PackId
    due_at: float
    setbacks: int = 0
    is_done: bool = False


@dataclass(slots=True)
class Queue:
    """Requests are what is paid for and limited: put, get (also of nothing), delete."""

    chance: random.Random
    lost: float
    messages: deque[Work] = field(default_factory=deque)
    requests: Counter[str] = field(default_factory=Counter)
    deepest: int = 0

    def ring(self, work: Work) -> None:
        self.requests["put"] += 1
        if self.chance.random() >= self.lost:
            self.messages.append(work)
        self.deepest = max(self.deepest, len(self.messages))

    def answer(self, most: int) -> list[Work]:
        found = [self.messages.popleft() for _ in range(min(most, BATCH, len(self.messages)))]
        self.requests["get" if found else "get of nothing"] += 1
        return found

    def settle(self) -> None:
        self.requests["delete"] += 1


@dataclass(slots=True)
class Crew:
    """The hands of one worker process."""

    lanes: dict[str, Lane]
    free: int
    #: When there may be work that is not due yet, and when that was arranged for.
    ask_at: float = 0.0
    told_at: float = 0.0


@dataclass(slots=True)
class Yard:
    """All work, all leases, all workers."""

    timeline: Timeline
    estate: Estate
    setting: Setting
    queue: Queue
    chance: random.Random
    open: dict[int, Work] = field(default_factory=dict)
    #: When the lease of a pack runs out.
    leases: dict[PackId, float] = field(default_factory=dict)
    #: When a workspace may be worked on again.
    pauses: dict[str, float] = field(default_factory=dict)
    ended: list[Work] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _numbers: int = 0

    def submit(self, pack: PackId) -> None:
        """Work of the pack that nobody has begun is overtaken by this."""
        for work in [each for each in self.open.values() if each.pack == pack and not self._is_leased(pack)]:
            self._end(work, "superseded")
        self._numbers += 1
        work = Work(self._numbers, pack, self.timeline.now)
        self.open[work.number] = work
        self.counts["submitted"] += 1
        self.queue.ring(work)

    def crew(self, lanes: dict[str, Lane]) -> None:
        """Starts a worker process: it listens to the queue, and asks for due work now and then all the same."""
        crew = Crew(lanes, self.setting.hands)
        self.timeline.start(self._listen(crew), at=self.chance.random())
        self.timeline.start(self._sweep(crew), at=self.chance.random() * SWEEP.value)

    def _listen(self, crew: Crew) -> Process:
        """A message only says that it is time to ask; it is taken only when there is a hand for it."""
        pause = POLL
        while True:
            if not crew.free:
                yield POLL / 2
                continue
            found = self.queue.answer(crew.free)
            if found:
                self._start_due(crew)
                for _ in found:
                    self.queue.settle()
            pause = POLL if found else min(pause * BACK_OFF, POLL * LONGEST)
            if not found:
                yield pause

    def _sweep(self, crew: Crew) -> Process:
        while True:
            before = self.counts["begun"]
            self._start_due(crew)
            self.counts["found by the sweep"] += self.counts["begun"] - before
            yield SWEEP.value

    def _start_due(self, crew: Crew) -> None:
        """For as many as there are hands; what is due later is asked for then."""
        now = self.timeline.now
        for work in list(self.open.values()):
            if crew.free and work.due_at <= now and not self._is_held_up(work):
                crew.free -= 1
                self.counts["begun"] += 1
                self.leases[work.pack] = now + LEASE.value
                self.timeline.start(self._in_hand(work, crew))
            elif (at := self._due_at(work)) > now:
                crew.ask_at = min(crew.ask_at, at) if crew.ask_at > now else at
        if crew.ask_at > now and crew.told_at != crew.ask_at:
            crew.told_at = crew.ask_at
            self.timeline.start(self._ask(crew), at=crew.ask_at)

    def _ask(self, crew: Crew) -> Process:
        self._start_due(crew)
        yield 0.0

    def _in_hand(self, work: Work, crew: Crew) -> Process:
        try:
            yield from self._carry_out(work, crew.lanes[self.estate.packs[work.pack].workspace])
        except ThrottledError as error:
            self._put_back(work, error.retry_after)
        crew.free += 1
        self._start_due(crew)

    def _carry_out(self, work: Work, lane: Lane) -> Process:
        """Look, compare again, call by call. A worker that dies leaves its lease, and what it did."""
        pack = self.estate.packs[work.pack]
        recipients, shares = resources_of(pack)
        yield from lane.read_all([Kind.LOOK] * (recipients + 2 * shares))
        steps = self._steps(work)
        dies_after = self.chance.randrange(3) if self.chance.random() < self.setting.deaths else None
        made = 0
        for step in steps:
            for operation in lower(step.key, step.verdict):
                if made == dies_after:
                    self.counts["workers lost"] += 1
                    return
                self.leases[work.pack] = self.timeline.now + LEASE.value
                yield from lane.write(Kind.ROTATE if isinstance(operation.call, RotateToken) else Kind.WRITE)
                self.estate.perform(work.pack, operation, self.timeline.now)
                made += 1
            self.estate.settle(work.pack, step)
        self.estate.completed(pack)
        del self.leases[work.pack]
        self._end(work, "done")
        yield COMMITS.value * COMMIT_TIME.value

    def _steps(self, work: Work) -> list[Step]:
        """What is not held, in the order of the plan."""
        steps = [step for pack in self.estate.plan([work.pack], self.timeline.now).packs for step in pack.steps]
        self.counts["held"] += sum(step.is_held for step in steps)
        return [step for step in steps if not step.is_held]

    def _put_back(self, work: Work, asked: float) -> None:
        work.setbacks += 1
        seconds = delay(work.setbacks, asked, self.chance.random())
        workspace = self.estate.packs[work.pack].workspace
        self.pauses[workspace] = max(self.pauses.get(workspace, 0.0), self.timeline.now + seconds)
        work.due_at = self.timeline.now + seconds
        self.leases.pop(work.pack, None)
        self.counts["put back"] += 1

    def _end(self, work: Work, how: str) -> None:
        work.is_done = True
        self.counts[how] += 1
        self.ended.append(work)
        self.open.pop(work.number, None)

    def _due_at(self, work: Work) -> float:
        """When it may be begun, as far as is known: not before the pause of its workspace has passed."""
        return max(work.due_at, self.pauses.get(self.estate.packs[work.pack].workspace, 0.0))

    def _is_held_up(self, work: Work) -> bool:
        workspace = self.estate.packs[work.pack].workspace
        return self._is_leased(work.pack) or self.pauses.get(workspace, 0.0) > self.timeline.now

    def _is_leased(self, pack: PackId) -> bool:
        return self.leases.get(pack, 0.0) > self.timeline.now
