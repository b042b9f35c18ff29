"""A day of the fleet: people merge changes and change things by hand, the daemon fetches, plans and looks, workers do
what it submits. What is done for which pack is the real planner's and the real schedule's answer; how long it takes is
the model's."""

import random
from collections import Counter
from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, field
from math import ceil

from reconciler.core.holds import changed_by_hand
from reconciler.core.key import Key, PackId
from reconciler.core.key import Kind as ResourceKind
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.resource import Resource
from reconciler.core.schedule import Watch, first_watch, looked
from reconciler.core.verdict import Update
from tests.core.model import NOW
from tests.scale.api import Bucket, Calls, Kind, Lane, Machine
from tests.scale.assumed import DAY, EARLIER, FETCH, PAGE, PLAN_CPU, READ_CPU, ROTATE_DAYS, WORKING_HOURS, Setting
from tests.scale.packs import Estate, resources_of
from tests.scale.timeline import Process, Step, Timeline
from tests.scale.work import Queue, Yard


@dataclass(slots=True)
class Change:
    """A merged pull request, or something done by hand."""

    pack: PackId
    made_at: float
    by_hand: bool = False
    #: The file is as it was read before: all of it is to be made.
    is_new: bool = False
    #: When the daemon had read it, or found it.
    seen_at: float | None = None
    #: When a second plan found nothing left to do.
    done_at: float | None = None


@dataclass(slots=True)
class Day:
    estate: Estate
    setting: Setting
    seed: int
    timeline: Timeline = field(default_factory=Timeline)
    calls: Calls = field(default_factory=Calls)
    changes: list[Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    passes: list[float] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    yard: Yard = field(init=False)
    chance: random.Random = field(init=False)
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _watches: dict[str, Watch] = field(default_factory=dict)
    #: How often a pack may still be looked at by lists alone.
    _looks: dict[PackId, int] = field(default_factory=dict)
    #: Merged and not fetched yet.
    _merged: list[Change] = field(default_factory=list)
    _looked_at: int = 0
    #: Shares as they were at the last look.
    _seen: dict[Key, Resource | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.buckets = {url: Bucket(self.setting.rate, self.setting.burst) for url in self.estate.workspaces}
        queue = Queue(self.chance, self.setting.lost)
        self.yard = Yard(self.timeline, self.estate, self.setting, queue, self.chance)
        self._lanes = self._process()
        self._seen = {key: self.estate.workspaces[key.workspace].resources[key] for key in self.estate.rows}

        self._looks = {pack: self.chance.randrange(self.setting.full_every) for pack in self.estate.packs}

    def run(self) -> None:
        """The day, and until nothing is under way any more."""
        timeline = self.timeline
        for _ in range(self.setting.workers):
            self.yard.crew(self._process())
        timeline.start(self._follow())
        timeline.start(self._verify())
        for line in self.estate.lines:
            if not self.setting.watches:
                break
            self._watches[line] = first_watch(0.0, self.setting.cadence, self.chance.random())
            timeline.start(self._watch(line), at=self._watches[line].due_at)
        self._people()
        timeline.run(self.setting.seconds)
        while self.unfinished and timeline.now < self.setting.seconds + DAY:
            timeline.run(timeline.now + 60)

    @property
    def unfinished(self) -> list[Change]:
        return [change for change in self.changes if change.done_at is None]

    def _process(self) -> dict[str, Lane]:
        machine = Machine(self.timeline)
        self.machines.append(machine)
        return {
            url: Lane(machine, bucket, self.calls, self.setting, self.chance) for url, bucket in self.buckets.items()
        }

    def _people(self) -> None:
        new = [Change(pack, 0.0, is_new=True) for pack in self.estate.packs if pack not in self.estate.pack_rows]
        self.changes += new
        self._merged += new
        packs, shares = [*self.estate.pack_rows], [key for key in self.estate.rows if key.kind is ResourceKind.SHARE]
        first, hours = 8 * 3600.0, WORKING_HOURS.value * 3600
        for pack in self.chance.sample(packs, _part(len(packs), self.setting.changed, self.chance)):
            at = (first + self.chance.random() * hours) % self.setting.seconds
            self.timeline.start(self._merge(pack), at=at)
        for key in self.chance.sample(shares, _part(len(shares), self.setting.by_hand, self.chance)):
            self.timeline.start(self._meddle(key), at=self.chance.random() * self.setting.seconds)

    def _merge(self, pack: PackId) -> Process:
        """Its plan is shown when it is opened and when it is merged, which here is at once."""
        lane = self._lanes[self.estate.packs[pack].workspace]
        self.counts["pull requests"] += 1
        yield from lane.read_all([Kind.PULL] * (self._calls(pack) + 2))
        change = Change(pack, self.timeline.now)
        self.changes.append(change)
        self._merged.append(change)

    def _meddle(self, key: Key) -> Process:
        pack = self.estate.by_hand(key)
        self.changes.append(Change(pack, self.timeline.now, by_hand=True))
        self.counts["changes by hand"] += 1
        yield 0.0

    def _follow(self) -> Process:
        """Fetches, reads what changed, plans it. Parsed files are kept by their blobs: only changed ones are read."""
        while True:
            self.counts["fetches"] += 1
            merged, self._merged = self._merged, []
            for change in merged:
                if not change.is_new:
                    self.estate.edit(change.pack)
                change.seen_at = self.timeline.now
            if merged:
                yield self.machines[0].spend(READ_CPU.value * len(merged))
                yield from self._plan({change.pack for change in merged}, Kind.PLAN)
            yield FETCH.value

    def _verify(self) -> Process:
        """What has ended is looked at again: a second plan should find nothing."""
        while True:
            ended = self.yard.ended[self._looked_at :]
            self._looked_at += len(ended)
            if ended:
                yield from self._plan({work.pack for work in ended}, Kind.VERIFY)
            yield 1.0

    def _plan(self, packs: Collection[PackId], kind: Kind) -> Process:
        """Reads what the packs name, plans, submits."""
        chosen = sorted(packs)
        readings: dict[str, int] = {}
        for pack in chosen:
            url = self.estate.packs[pack].workspace
            readings[url] = readings.get(url, 0) + self._calls(pack)
        yield from self.timeline.together(self._lanes[url].read_all([kind] * count) for url, count in readings.items())
        yield self.machines[0].spend(PLAN_CPU.value * len(chosen))
        self._decide(self.estate.plan(chosen, self.timeline.now))

    def _decide(self, plan: Plan) -> None:
        self.counts["packs planned"] += len(plan.packs)
        for pack in plan.packs:
            under_way = any(work.pack == pack.pack for work in self.yard.open.values())
            if not pack.is_work:
                self._done(pack.pack)
            elif not under_way or self._is_newer(pack.pack):
                self._count(pack)
                self.yard.submit(pack.pack)
                for change in self._of(pack.pack):
                    change.seen_at = self.timeline.now if change.seen_at is None else change.seen_at

    def _count(self, pack: PackPlan) -> None:
        for step in pack.steps:
            if isinstance(step.verdict, Update):
                self.counts["drift found"] += bool(changed_by_hand(step.verdict.changes))
                self.counts["rotations"] += any(change.field == "token" for change in step.verdict.changes)

    def _of(self, pack: PackId) -> list[Change]:
        return [change for change in self.changes if change.pack == pack and change.done_at is None]

    def _is_newer(self, pack: PackId) -> bool:
        """Merged after the work under way was submitted."""
        submitted = max(work.due_at for work in self.yard.open.values() if work.pack == pack)
        return any(change.seen_at is not None and change.seen_at >= submitted for change in self._of(pack))

    def _done(self, pack: PackId) -> None:
        for change in self._of(pack):
            if change.by_hand or change.seen_at is not None:
                change.done_at = self.timeline.now

    def _watch(self, line: str) -> Process:
        """By the product's schedule."""
        while True:
            began = self.timeline.now
            quiet = yield from self._look(self.estate.lines[line])
            self.counts["looks"] += 1
            self.passes.append(self.timeline.now - began)
            watch = looked(
                self._watches[line], self.timeline.now, self.setting.cadence, self.chance.random(), is_quiet=quiet
            )
            self._watches[line] = watch
            yield max(0.0, watch.due_at - self.timeline.now)

    def _look(self, packs: Collection[PackId]) -> Generator[Step, None, bool]:
        """Lists say whose `updated_at` moved and which tokens there are; grants are asked for recipient by recipient;
        what moved, and one look of so many at each pack, is read in full and planned."""
        full = [pack for pack in packs if not self._looks.get(pack)]
        asked = [pack for pack in packs if self._looks.get(pack)]
        lane = self._lanes[self.estate.packs[next(iter(packs))].workspace]
        if asked:
            sizes = [resources_of(self.estate.packs[pack]) for pack in packs]
            recipients, shares = sum(size[0] for size in sizes), sum(size[1] for size in sizes)
            pages = ceil(recipients / PAGE.value) + ceil(shares / PAGE.value)
            yield from lane.read_all([Kind.LIST] * pages + [Kind.GRANTS] * recipients)
        moved = self._moved(packs)
        reads = [kind for pack in full for kind in [Kind.FULL] * self._calls(pack)]
        reads += [kind for pack in moved - set(full) for kind in [Kind.MOVED] * self._calls(pack)]
        yield from lane.read_all(reads)
        yield self.machines[0].spend(PLAN_CPU.value * len({*full, *moved}))
        self.counts["packs read in full"] += len(full)
        for pack in packs:
            self._looks[pack] = self._looks_left() if pack in full or pack in moved else self._looks[pack] - 1
        # A plan of the same values is the same plan: only what has moved since the last one is planned for real.
        chosen = sorted(moved)
        if chosen:
            self._decide(self.estate.plan(chosen, self.timeline.now))
        return not chosen

    def _looks_left(self) -> int:
        """As in the product: for some packs the full look comes earlier, so that it is not all at once."""
        return round(self.setting.full_every * (1 - EARLIER * self.chance.random())) - 1

    def _calls(self, pack: PackId) -> int:
        recipients, shares = resources_of(self.estate.packs[pack])
        return recipients + 2 * shares

    def _moved(self, packs: Iterable[PackId]) -> set[PackId]:
        """What is not as it was at the last look, also by our own doing, and whose tokens have come of age."""
        oldest = NOW + round(self.timeline.now * 1000) - round(ROTATE_DAYS.value * DAY * 1000)
        moved = set()
        for pack in packs:
            for key in self.estate.packs[pack].resources:
                where = self.estate.workspaces[key.workspace]
                there, tokens = where.resources.get(key), where.tokens.get(key)
                if self._seen.get(key, there) is not there or (tokens and tokens[0].created_at <= oldest):
                    moved.add(pack)
                self._seen[key] = there
        return moved


def _part(total: int, share: float, chance: random.Random) -> int:
    """So much of it, on average."""
    whole = total * share
    return min(total, int(whole) + (chance.random() < whole % 1))
