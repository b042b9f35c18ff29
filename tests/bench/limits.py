"""How many API calls a piece of work takes when none is wasted, and how fast they can be made. Pure arithmetic."""

from dataclasses import dataclass
from math import ceil

from tests.bench.generate import Size

#: Documented for one update of a share.
OBJECTS_IN_CALL = 100
#: As the sandbox lists.
ITEMS_IN_PAGE = 100
#: What the client of the Terraform provider holds itself to.
TERRAFORM_CALLS_A_SECOND = 15
#: Rounds of calls of one new pack that cannot be made at the same time: what makes its recipients and shares, the
#: objects of its shares, their grants.
ROUNDS_OF_A_PACK = 3


@dataclass(frozen=True, slots=True)
class Pace:
    #: Seconds from an API request to its answer.
    latency: float
    #: Requests under way at the same time, in each process.
    in_flight: int
    #: Packs worked on at the same time, in each process.
    hands: int = 1
    processes: int = 1


def unchanged_plan_calls(size: Size) -> int:
    """One GET for each recipient, two for each share: its objects and its grants."""
    return size.packs * (size.recipients + 2 * size.shares)


def new_plan_calls(size: Size) -> int:
    """One GET for each resource, answered 404, and one for each table that is to be shared; who calls, what it may do
    and on which metastore; the grants on each schema and its catalog, in each
    workspace; for each D2D recipient who has its metastore."""
    who = 3 * size.workspaces
    grants = (1 + size.schemas) * size.workspaces
    return size.resources + size.tables + who + grants + size.packs * size.metastores


def quiet_calls(size: Size) -> int:
    """In each workspace the pages of both lists; and the grants of each share, which no list tells."""
    return size.workspaces * sum(_pages(size)) + size.packs * size.shares


def quiet_limit(size: Size, pace: Pace) -> float:
    """Seconds. A page is asked for by what the one before it tells; the grants by what the lists tell."""
    return max(_pages(size)) * pace.latency + reading_limit(size.packs * size.shares, pace)


def _pages(size: Size) -> tuple[int, int]:
    """Of the recipients and of the shares of one workspace; at least one, if an empty one."""
    packs = size.packs / size.workspaces
    pages = (ceil(packs * each / ITEMS_IN_PAGE) for each in (size.recipients, size.shares))
    recipients, shares = (max(each, 1) for each in pages)
    return recipients, shares


def plan_one_calls(size: Size) -> int:
    """Two for each resource of the pack, and two more: what a plan of one pack may cost at the most."""
    return 2 * (size.recipients + size.shares) + 2


def apply_writes(size: Size) -> int:
    """One call for each recipient; for each share one to make it, its objects by the hundred, its grants in one."""
    return size.packs * (size.recipients + size.shares * (2 + ceil(size.objects / OBJECTS_IN_CALL)))


def apply_calls(size: Size) -> int:
    """The writes, and the read that verifies them. What is new is not looked at before: making it fails when it is
    there."""
    return apply_writes(size) + unchanged_plan_calls(size)


def small_apply_writes(size: Size) -> int:
    """`size`: of the packs that change, in each of which one recipient and one share do."""
    return 2 * size.packs


def small_apply_calls(size: Size) -> int:
    """A look at the recipient, at the share and its grants; the writes; the read that verifies."""
    return 3 * size.packs + small_apply_writes(size) + unchanged_plan_calls(size)


def reading_limit(calls: int, pace: Pace) -> float:
    """Seconds that `calls` take when always as many are under way as may be."""
    return calls * pace.latency / (pace.in_flight * pace.processes)


def work_limit(size: Size, pace: Pace) -> float:
    """Seconds. The calls of a pack go out in rounds, one after another; the hands take whole packs."""
    by_order = ceil(size.packs / (pace.hands * pace.processes)) * ROUNDS_OF_A_PACK * pace.latency
    return max(by_order, reading_limit(apply_writes(size), pace))


def apply_limit(size: Size, pace: Pace) -> float:
    """Seconds. The verifying read comes when all have ended."""
    return work_limit(size, pace) + reading_limit(unchanged_plan_calls(size), pace)


def throttled(seconds: float, calls: int) -> float:
    """What takes so long takes at least so long at the Terraform client's pace."""
    return max(seconds, calls / TERRAFORM_CALLS_A_SECOND)
