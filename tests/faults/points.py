"""The points of a run: each call of a port, before and after it. At one of them the process is struck down, or stopped,
by a real signal. Which point that is, is the test's choice; what a call does, the real port's."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

#: Asked again and again for as long as somebody waits: the first time is a point like any other, the later ones are
#: the same moment once more.
POLLS: Final = frozenset(
    {
        "ledger.due",
        "ledger.next_due",
        "ledger.work",
        "ledger.pauses",
        "doorbell.answer",
        "ledger.renew",
        "doorbell.keep",
    }
)
#: Whether they come depends on how fast somebody is; a run may end without them.
TIMED: Final = frozenset({"ledger.renew", "doorbell.keep", "doorbell.settle", "ledger.next_due", "ledger.due"})
#: Calls that only ask. Who is killed after one of them leaves what he would have left before it.
ASKING: Final = frozenset(
    {
        "inbox.find",
        "inbox.unfinished",
        "inbox.uploads",
        "ledger.all_packs",
        "ledger.due",
        "ledger.holds",
        "ledger.next_due",
        "ledger.operations",
        "ledger.recorded",
        "ledger.standings",
        "ledger.work",
        "platform.caller",
        "platform.look_up",
        "platform.names",
        "platform.observe",
        "platform.recipient_of",
    }
)
#: Attributes of ports that are no calls.
_NO_CALLS: Final = frozenset({"close", "outcomes", "check"})

#: Of points within a transaction: one of these, and words of the statement that was prepared, or has ended.
PREPARED: Final = "prepared"
STATEMENT: Final = "sql"

#: Whether each point is struck, not a sample of them.
IS_WHOLE_PRODUCT: Final = os.environ.get("CRASH_POINTS") == "all"

BEFORE: Final = "before"
AFTER: Final = "after"


@dataclass(frozen=True, slots=True, order=True)
class Point:
    #: Port and method, with the kind of call where there are several: `platform.perform CreateShare`.
    label: str
    #: The first is 1.
    occurrence: int
    #: `before` or `after` the call.
    side: str

    def __str__(self) -> str:
        return f"{self.side} {self.label} #{self.occurrence}"

    @property
    def method(self) -> str:
        return self.label.partition(" ")[0]

    @property
    def is_timed(self) -> bool:
        return self.method in TIMED or (self.method == "ledger.claim" and self.occurrence > 1)

    @property
    def kind(self) -> tuple[str, str]:
        return self.label, self.side

    @property
    def is_later(self) -> bool:
        """Whether something may have happened since the point before: only a call that does more than ask does."""
        return self.side == AFTER and self.method not in ASKING

    def as_json(self) -> dict[str, object]:
        return {"label": self.label, "occurrence": self.occurrence, "side": self.side}


def moments(points: Sequence[Point]) -> list[list[Point]]:
    """Points together at which the world is the same: between two of them nobody has done anything but ask."""
    found: list[list[Point]] = []
    for point in points:
        if point.is_later or not found:
            found.append([])
        found[-1].append(point)
    return found


def sample(points: Sequence[Point]) -> list[Point]:
    """One of every moment, another one each time; and of every kind of call that does more than ask at least one point
    before it and one after it."""
    if IS_WHOLE_PRODUCT:
        return list(points)
    chosen = {moment[(number * 7) % len(moment)] for number, moment in enumerate(moments(points))}
    for point in points:
        if point.method not in ASKING and point.kind not in {each.kind for each in chosen}:
            chosen.add(point)
    return [point for point in points if point in chosen]


@dataclass(frozen=True, slots=True)
class Strike:
    """Where a process is struck: at this point, or at the n-th it comes to (from 1)."""

    point: Point | None = None
    number: int = 0
    signal: int = signal.SIGKILL
    #: Seconds after the point, while the process goes on: 0.2 after `before platform.perform` a slow call is under way.
    delay: float = 0.0

    def as_json(self) -> dict[str, object]:
        point = None if self.point is None else self.point.as_json()
        return {"point": point, "number": self.number, "signal": int(self.signal), "delay": self.delay}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Strike":
        point = None if given["point"] is None else Point(**given["point"])
        return cls(point, given["number"], given["signal"], given["delay"])


@dataclass(slots=True)
class Watch:
    """Counts the points of this process, and strikes it at one of them."""

    strike: Strike | None = None
    #: Told the point before the process is struck.
    on_strike: Callable[[Point], None] = lambda _: None
    #: In the order they were come to.
    points: list[Point] = field(default_factory=list)
    #: Calls that failed, and with what.
    raised: list[str] = field(default_factory=list)
    _calls: Counter[str] = field(default_factory=Counter)

    def called(self, label: str) -> int | None:
        """Which call of this label it is; None for a poll that was a point already."""
        self._calls[label] += 1
        is_repeated_poll = label.partition(" ")[0] in POLLS and self._calls[label] > 1
        return None if is_repeated_poll else self._calls[label]

    def come_to(self, point: Point) -> None:
        self.points.append(point)
        strike = self.strike
        if strike is None:
            return
        if point == strike.point or len(self.points) == strike.number:
            self.on_strike(point)
            if strike.delay:
                asyncio.get_running_loop().call_later(strike.delay, os.kill, os.getpid(), strike.signal)
            else:
                os.kill(os.getpid(), strike.signal)


#: A port with a watch over it. The type checker cannot see that it has the port's methods.
Watched: TypeAlias = Any


class _WatchedPort:
    def __init__(self, name: str, port: object, watch: Watch) -> None:
        self._name = name
        self._port = port
        self._watch = watch

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._port, attribute)
        if attribute in _NO_CALLS or not callable(found):
            return found

        async def call(*given: Any, **named: Any) -> Any:
            label = _label(self._name, attribute, [*given, *named.values()])
            occurrence = self._watch.called(label)
            if occurrence is None:
                return await found(*given, **named)
            self._watch.come_to(Point(label, occurrence, BEFORE))
            try:
                answer = await found(*given, **named)
            except Exception as failure:
                self._watch.raised.append(f"{label} {type(failure).__name__}")
                raise
            self._watch.come_to(Point(label, occurrence, AFTER))
            return answer

        return call


def watched(name: str, port: object, watch: Watch) -> Watched:
    return _WatchedPort(name, port, watch)


def _label(port: str, method: str, given: list[object]) -> str:
    """Calls and intents are told apart by what Databricks is asked, first, where it is several things at once."""
    intents = [operation for each in given if isinstance(each, Mapping) for operation in each.values()]
    for each in [*given, *intents]:
        call = getattr(each, "call", each)
        if type(call).__module__ == "reconciler.core.calls":
            return f"{port}.{method} {type(call).__name__}"
    return f"{port}.{method}"
