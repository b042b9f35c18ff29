"""What is assumed of a fleet, of Databricks and of the machines, each with where it comes from. Decides nothing."""

from dataclasses import dataclass, field
from math import ceil

from reconciler.core.schedule import Cadence

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Assumption:
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """How much there is. The large one is the fleet of the page; smaller ones have the same packs in fewer lines."""

    packs: int
    #: A business line has a workspace of its own.
    packs_in_workspace: int = 200
    recipients: int = 2
    shares: int = 2
    objects_in_share: int = 25

    @property
    def workspaces(self) -> int:
        return ceil(self.packs / self.packs_in_workspace)

    @property
    def all_recipients(self) -> int:
        return self.packs * self.recipients

    @property
    def all_shares(self) -> int:
        return self.packs * self.shares

    @property
    def all_objects(self) -> int:
        return self.all_shares * self.objects_in_share


#: 100,000 packs, 500 workspaces, 5,000,000 objects.
LARGE = Fleet(100_000)

#: Of one day, in parts of all packs or recipients.
CHANGED = Assumption(0.01, "of packs a day, each by a pull request of its own", "assumed")
BY_HAND = Assumption(0.001, "of shares a day are changed by hand", "assumed")
ROTATE_DAYS = Assumption(90, "days after which a token is replaced", "`rotate_every` of the example packs")
WORKING_HOURS = Assumption(10, "hours of the day in which changes are merged, from 08:00", "assumed")
LOST = Assumption(0.01, "of queue messages never arrive", "assumed, far worse than documented")
DEATHS = Assumption(0.005, "of work items lose their worker half-way", "assumed")

#: Of the API.
LATENCY = Assumption(0.1, "seconds from request to answer, the median; log-normal, sigma 0.4", "assumed")
RATE = Assumption(50, "requests a second that a workspace accepts, on average", "no number is published: assumed")
BURST = Assumption(100, "requests that it accepts at once", "assumed")
PAGE = Assumption(100, "entries in a page of a list", "assumed, of the quiet pass")

#: Of this program.
IN_FLIGHT = Assumption(16, "requests under way to a workspace, per process", "`databricks_in_flight`")
CALL_CPU = Assumption(0.0021, "CPU seconds a call of the SDK; 1.6 to 2.6 ms measured", "`make bench`")
READ_CPU = Assumption(0.0022, "CPU seconds to read a pack of 50 objects from its YAML", "this simulation, `memory`")
PLAN_CPU = Assumption(0.0036, "CPU seconds to plan a pack of 50 objects", "this simulation, `memory`")
COMMITS = Assumption(5, "commits a pack that a worker waits for", "`make bench`; what is kept is measured")
COMMIT_TIME = Assumption(0.003, "seconds a commit that is synced to a network disk", "assumed")
FULL_EVERY = Assumption(8, "looks at a pack of which one reads it in full, at most", "`drift_full_every`")
#: For some packs it comes earlier by up to this part.
EARLIER = 0.25
HANDS = Assumption(4, "packs worked on at the same time by a process", "`--workers`")
LEASE = Assumption(60, "seconds after which a dead worker's pack is taken over", "`worker_lease_seconds`")
SWEEP = Assumption(60, "seconds between sweeps for work that nobody rang for", "`Workforce.sweep_every`")
FETCH = Assumption(30, "seconds between fetches", "`fetch_interval_seconds`")
PULLS = Assumption(60, "seconds between looks at pull requests", "`github_interval_seconds`")
OPEN_FOR = Assumption(24, "hours that a pull request is open", "assumed")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run of the model may turn."""

    rate: float = RATE.value
    burst: float = BURST.value
    latency: float = LATENCY.value
    workers: int = 1
    hands: int = int(HANDS.value)
    in_flight: int = int(IN_FLIGHT.value)
    cadence: Cadence = field(default_factory=Cadence)
    full_every: int = int(FULL_EVERY.value)
    seconds: float = DAY
    #: Of the packs; None: as assumed.
    changed: float = CHANGED.value
    by_hand: float = BY_HAND.value
    lost: float = LOST.value
    deaths: float = DEATHS.value
    #: Whether the daemon looks for what was done by hand.
    watches: bool = True
