"""All runs behind the page: which they are, what they gave, and that as JSON. Runs nothing in parallel."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from reconciler.core.schedule import Cadence
from tests.scale.api import Kind
from tests.scale.assumed import DAY, LARGE, Fleet, Setting
from tests.scale.day import Day
from tests.scale.measure import Measured
from tests.scale.memory import Thought
from tests.scale.packs import estate
from tests.scale.pulls import Pulls, day_of_pulls

ROOT = Path(__file__).parents[2]
#: Seconds between looks, and of how many one is in full: what every look in full would cost, the default, slower ones.
BEATS = ((Cadence(), 1), (Cadence(), 8), (Cadence(3600, 3600), 8), (Cadence(4 * 3600, 4 * 3600), 8))
#: Of shares, changed by hand where beats are compared: enough to see how long that lasts.
EDITED = 0.02
#: Requests a second that a workspace accepts.
RATES = (10.0, 25.0, 50.0, 1e6)
#: Processes and the hands of each.
FORCES = ((1, 4), (1, 16), (2, 16), (4, 16))


@dataclass(frozen=True, slots=True)
class Lived:
    """One or several days of a fleet of one size, on average a day."""

    packs: int
    workspaces: int
    days: int
    rate: float
    interval: float
    full_every: int
    workers: int
    hands: int
    calls: dict[str, float]
    throttled: float
    counts: dict[str, float]
    queue: dict[str, float]
    #: Seconds from merged, or done by hand, to verified.
    leads: list[float]
    hand_leads: list[float]
    #: Seconds that a look at all packs of a workspace takes.
    pass_median: float
    pass_most: float
    daemon_cpu: float
    worker_cpu: float
    most_in_a_second: int
    #: Virtual seconds until the last change was verified.
    ended_at: float
    events: int

    @property
    def total(self) -> float:
        return sum(self.calls.values()) + self.throttled


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is run: the page's own, or a small one that only shows the form."""

    #: Packs, and how many days of them.
    days: tuple[tuple[int, int], ...] = ((200, 3), (400, 2), (1000, 1))
    turned: int = 200
    onboarded: int = 200
    measured: tuple[int, int] = (300, 100)
    thought: tuple[int, ...] = (250, 500, 1000)
    pulls: tuple[int, ...] = (10, 100, 1000)
    packs_in_workspace: int = 200

    def fleet(self, packs: int) -> Fleet:
        return Fleet(packs, self.packs_in_workspace)


@dataclass(frozen=True, slots=True)
class Result:
    seed: int
    days: tuple[Lived, ...]
    beats: tuple[Lived, ...]
    rates: tuple[Lived, ...]
    onboarding: tuple[Lived, ...]
    measured: Measured
    thoughts: tuple[Thought, ...]
    pulls: tuple[Pulls, ...]

    @property
    def factor(self) -> float:
        """From the largest fleet that was run to the one of the page."""
        return LARGE.packs / self.days[-1].packs

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        values: dict[str, Any] = json.loads(text)
        lived = {name: tuple(Lived(**each) for each in values[name]) for name in _LIVED}
        return cls(
            seed=values["seed"],
            measured=Measured.from_json(values["measured"]),
            thoughts=tuple(Thought(**each) for each in values["thoughts"]),
            pulls=tuple(Pulls(**each) for each in values["pulls"]),
            **lived,
        )


_LIVED = ("days", "beats", "rates", "onboarding")


def run(sizes: Sizes, seed: int, say: Callable[[str], None], measured: Measured | None = None) -> Result:
    """`measured`: not to measure it anew."""
    days = []
    for packs, count in sizes.days:
        say(f"{count} days of {packs} packs")
        days.append(live(sizes.fleet(packs), Setting(), [seed + each for each in range(count)]))
    say("slower beats, other rate limits")
    turned = sizes.fleet(sizes.turned)
    beats = [live(turned, Setting(cadence=beat, full_every=every, by_hand=EDITED), [seed]) for beat, every in BEATS]
    rates = [live(turned, Setting(rate=each, burst=2 * each, seconds=DAY / 4), [seed]) for each in RATES]
    say(f"{sizes.onboarded} packs made from nothing")
    made = [_made(sizes.onboarded, workers, hands, seed) for workers, hands in FORCES]
    if measured is None:
        say(f"rows, bytes and statements of {sizes.measured[0]} packs")
        measured = Measured.from_json(_child("measure", *sizes.measured))
    say("memory")
    thoughts = [Thought(**_child("memory", packs)) for packs in sizes.thought]
    pulls = [day_of_pulls(merged, seed) for merged in sizes.pulls]
    return Result(seed, tuple(days), tuple(beats), tuple(rates), tuple(made), measured, tuple(thoughts), tuple(pulls))


def live(fleet: Fleet, setting: Setting, seeds: Sequence[int], *, is_applied: bool = True) -> Lived:
    lived = []
    for seed in seeds:
        day = Day(estate(fleet, seed, is_applied=is_applied), setting, seed)
        day.run()
        assert not day.unfinished, "a change was lost"
        lived.append(day)
    return _averaged(fleet, setting, lived)


def _limited(rate: float) -> Setting:
    return Setting(rate=rate, burst=2 * rate, seconds=DAY / 4)


def _made(packs: int, workers: int, hands: int, seed: int) -> Lived:
    """Over many workspaces, so that none of them is the bound, and without mishaps: what processes can do."""
    fleet = Fleet(packs, packs_in_workspace=10)
    setting = Setting(workers=workers, hands=hands, watches=False, changed=0, by_hand=0, lost=0, deaths=0, seconds=60.0)
    return live(fleet, setting, [seed], is_applied=False)


def _averaged(fleet: Fleet, setting: Setting, days: Sequence[Day]) -> Lived:
    count = len(days)
    changes = [change for day in days for change in day.changes if change.done_at is not None]
    passes = [seconds for day in days for seconds in day.passes] or [0.0]
    counters = [day.counts + day.yard.counts for day in days]
    names = sorted({name for counter in counters for name in counter})
    requests = sorted({name for day in days for name in day.yard.queue.requests})
    return Lived(
        packs=fleet.packs,
        workspaces=fleet.workspaces,
        days=count,
        rate=setting.rate,
        interval=setting.cadence.interval,
        full_every=setting.full_every,
        workers=setting.workers,
        hands=setting.hands,
        calls={str(kind): sum(day.calls.done[kind] for day in days) / count for kind in Kind},
        throttled=sum(day.calls.throttled.total() for day in days) / count,
        counts={name: sum(counter[name] for counter in counters) / count for name in names},
        queue={name: sum(day.yard.queue.requests[name] for day in days) / count for name in requests},
        leads=sorted((each.done_at or 0) - each.made_at for each in changes if not each.by_hand),
        hand_leads=sorted((each.done_at or 0) - each.made_at for each in changes if each.by_hand),
        pass_median=median(passes),
        pass_most=max(passes),
        daemon_cpu=sum(day.machines[0].cpu for day in days) / count,
        worker_cpu=sum(machine.cpu for day in days for machine in day.machines[1:]) / count,
        most_in_a_second=max(bucket.most_in_a_second for day in days for bucket in day.buckets.values()),
        ended_at=max((each.done_at or 0 for each in changes), default=0.0),
        events=sum(day.timeline.events for day in days),
    )


def _child(module: str, *arguments: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.scale.{module}", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
