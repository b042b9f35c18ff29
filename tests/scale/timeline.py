"""Virtual time: processes are generators that yield seconds to sleep, slots to take or a gate to wait at. Events of
one moment come in the order they were made, so a seed gives the same run everywhere. Knows nothing of packs."""

import heapq
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(eq=False, slots=True)
class Slots:
    """So many may be inside; the others wait in the order they came."""

    free: int
    waiting: "deque[Process]" = field(default_factory=deque)


@dataclass(eq=False, slots=True)
class Gate:
    """Opens once `left` of what it waits for have come."""

    left: int
    waiting: "list[Process]" = field(default_factory=list)


Step: TypeAlias = float | Slots | Gate
Process: TypeAlias = Generator[Step, None, None]


@dataclass(slots=True)
class Timeline:
    now: float = 0.0
    events: int = 0
    _made: int = 0
    _heap: list[tuple[float, int, Process]] = field(default_factory=list)

    def start(self, process: Process, at: float | None = None) -> None:
        self._made += 1
        heapq.heappush(self._heap, (self.now if at is None else max(at, self.now), self._made, process))

    def run(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            at, _, process = heapq.heappop(self._heap)
            if at < self.now:
                raise AssertionError("time went back")
            self.now = at
            self.events += 1
            self._go_on(process)
        self.now = until

    def leave(self, slots: Slots) -> None:
        if slots.waiting:
            self.start(slots.waiting.popleft())
        else:
            slots.free += 1

    def come(self, gate: Gate) -> None:
        gate.left -= 1
        if gate.left == 0:
            for process in gate.waiting:
                self.start(process)
            gate.waiting.clear()

    def together(self, processes: Iterable[Process]) -> Process:
        """All of them side by side, until the last has ended."""
        ones = list(processes)
        gate = Gate(len(ones))
        for each in ones:
            self.start(self._counted(each, gate))
        if ones:
            yield gate

    def _counted(self, process: Process, gate: Gate) -> Process:
        yield from process
        self.come(gate)

    def _go_on(self, process: Process) -> None:
        for step in process:
            match step:
                case Slots():
                    if not step.free:
                        step.waiting.append(process)
                        return
                    step.free -= 1
                case Gate():
                    if step.left > 0:
                        step.waiting.append(process)
                        return
                case _:
                    if step < 0:
                        raise AssertionError("nobody sleeps into the past")
                    self.start(process, self.now + step)
                    return
