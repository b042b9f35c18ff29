"""How many API calls a piece of work takes when none is wasted, and how fast they can be made. Pure arithmetic."""

from dataclasses import dataclass
from math import ceil

from tests.bench.generate import Size

#: Documented for one update of a share.
OBJECTS_IN_CALL = 100


@dataclass(frozen=True, slots=True)
class Pace:
    #: Seconds from an API request to its answer.
    latency: float
    #: Requests under way at the same time.
    in_flight: int
    #: Packs worked on at the same time.
    hands: int = 1


def unchanged_plan_calls(size: Size) -> int:
    """One GET for each recipient, two for each share: its objects and its grants."""
    return size.packs * (size.recipients + 2 * size.shares)


def new_plan_calls(size: Size) -> int:
    """One GET for each resource, answered 404, and one for each table that is to be shared; who calls, what it may do
    and on which metastore; the grants on each schema and its catalog; for each D2D recipient who has its metastore."""
    who = 3
    grants = 1 + size.schemas
    return size.packs * (size.recipients + size.shares) + size.tables + who + grants + size.packs * size.metastores


def apply_writes(size: Size) -> int:
    """One call for each recipient; for each share one to make it, its objects by the hundred, its grants in one."""
    return size.packs * (size.recipients + size.shares * (2 + ceil(size.objects / OBJECTS_IN_CALL)))


def apply_calls(size: Size) -> int:
    """The worker's look before its first call, the writes, and the read that verifies."""
    look = size.packs * (size.recipients + size.shares)
    return look + apply_writes(size) + unchanged_plan_calls(size)


def reading_limit(calls: int, pace: Pace) -> float:
    """Seconds that `calls` take when always as many are under way as may be."""
    return calls * pace.latency / pace.in_flight


def apply_limit(size: Size, pace: Pace) -> float:
    """Seconds. A pack makes its writes one after another, after one look whose reads go out together; the hands take
    whole packs; the verifying read comes when all have ended."""
    writes = apply_writes(size) // size.packs
    by_order = ceil(size.packs / pace.hands) * (1 + writes) * pace.latency
    by_flight = reading_limit(apply_calls(size) - unchanged_plan_calls(size), pace)
    return max(by_order, by_flight) + reading_limit(unchanged_plan_calls(size), pace)
