"""Documented limits of what this program stands on, how far the large fleet is from each, and what takes over there.
A page was read as a stored copy of it; what no page says is marked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.scale.assumed import CHANGED, DAY, LARGE
from tests.scale.large import CONNECTIONS, Large

_DATABRICKS: Final = "https://learn.microsoft.com/en-us/azure/databricks/resources/limits"
_QUEUE: Final = "https://learn.microsoft.com/en-us/azure/storage/queues/scalability-targets"
_CONNECTIONS: Final = "https://learn.microsoft.com/en-us/azure/postgresql/flexible-server/concepts-limits"
_STORAGE: Final = "https://learn.microsoft.com/en-us/azure/postgresql/flexible-server/concepts-compute-storage"
_REST: Final = "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_REPOSITORY: Final = "https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits"
_ACTIONS: Final = (
    "https://docs.github.com/en/actions/administering-github-actions/usage-limits-billing-and-administration"
)
_COMMENT: Final = "https://github.com/dead-claudia/github-limits/pull/13"


@dataclass(frozen=True, slots=True)
class Limit:
    what: str
    limit: float
    unit: str
    #: Of the large fleet, in the same unit.
    asked: float | None
    #: Grows with the packs (1), with their square (2), or not at all (0).
    power: int
    takes_over: str
    source: str
    is_confirmed: bool = True
    #: Packs and what they ask, from which to tell where it is met; by default the large fleet.
    seen_at: tuple[float, float] | None = None

    @property
    def met_at(self) -> float | None:
        """Packs; None: it does not depend on them."""
        if not self.power or not self.asked:
            return None
        packs, asked = self.seen_at or (LARGE.packs, self.asked)
        met: float = packs * (self.limit / asked) ** (1 / self.power)
        return met

    @property
    def is_met(self) -> bool:
        return self.asked is not None and self.asked >= self.limit


def limits(large: Large) -> list[Limit]:
    """What is met first, first; then what is never met by more packs."""
    found = [*_databricks(large), *_azure(large), *_github(large)]
    return sorted(found, key=lambda each: float("inf") if each.met_at is None else each.met_at)


def _databricks(large: Large) -> Iterator[Limit]:
    more = "a metastore for every two such workspaces, which is a region or an account each; larger shares; on request"
    yield Limit("shares of one metastore", 1000, "shares", LARGE.all_shares, 1, more, _DATABRICKS)
    yield Limit("recipients of one metastore", 5000, "recipients", LARGE.all_recipients, 1, more, _DATABRICKS)
    split = "a second share; the plan says so before Databricks does (`core.capacity`)"
    yield Limit("tables in a share", 1000, "tables", LARGE.objects_in_share, 0, split, _DATABRICKS)
    yield Limit("addresses of a recipient", 100, "entries", 2, 0, "ranges instead of addresses", _DATABRICKS)
    chunks = "nothing: calls are cut at 100 objects (`core.calls`)"
    yield Limit("objects in one update", 100, "objects", LARGE.objects_in_share, 0, chunks, _DATABRICKS)
    calls = "slower looks (`drift_interval_seconds`), fewer in flight (`databricks_in_flight`)"
    average = large.total_calls / LARGE.workspaces / DAY
    rate = large.result.days[-1].rate
    yield Limit("requests to a workspace", rate, "a second", average, 0, calls, "no number is published", False)


def _azure(large: Large) -> Iterator[Limit]:
    second = "a queue for each region, with its own daemon and workers (`azure_queue_name`)"
    rate = (large.queue + large.polls) / DAY
    yield Limit("messages of one queue", 2000, "a second", rate, 1, second, _QUEUE)
    yield Limit("messages of one storage account", 20_000, "a second", rate, 1, "a storage account each", _QUEUE)
    message = large.result.measured.message_bytes
    yield Limit("size of a message", 65_536, "bytes", message, 0, "nothing: it holds an id", _QUEUE)
    partition = "history tables partitioned by month, old months detached to cheaper storage"
    ten_years = (large.bytes_at_first + 3652 * large.bytes_in_a_day) / 2**40
    yield Limit("storage of a server, after ten years", 32, "TiB", ten_years, 1, partition, _STORAGE)
    pool = "a larger server (4,985 from 12 vCores), or its PgBouncer; a read replica for portal and access questions"
    # The daemon, and workers for what it asks.
    connections = (1 + _workers(large)) * CONNECTIONS
    yield Limit("connections, 2 vCores", 844, "connections", connections, 1, pool, _CONNECTIONS)
    commits = large.commits / DAY
    iops = "a larger disk or Premium SSD v2; group commit (`commit_delay`)"
    yield Limit("commits, each synced, on the smallest disk", 120, "a second", commits, 1, iops, _STORAGE, False)


def _github(large: Large) -> Iterator[Limit]:
    pulls = large.result.pulls[-1]
    several = "workflows instead of `daemon --github`; a repository for each group of business lines; an App (15,000)"
    hour = pulls.daemon_requests_an_hour
    # Nearest to the limit: with very many merges, a look shows the plan once for several of them.
    near = min(large.result.pulls, key=lambda each: abs(each.daemon_requests_an_hour - 5000))
    seen = (near.merged / CHANGED.value, float(near.daemon_requests_an_hour))
    yield Limit("REST requests, `daemon --github`", 5000, "an hour", hour, 2, several, _REST, seen_at=seen)
    content = pulls.workflow_writes_an_hour
    repositories = "a repository, and an App, for each group of business lines"
    yield Limit("requests that make content", 500, "an hour", content, 1, repositories, _REST)
    token = pulls.workflow_requests_an_hour
    yield Limit("REST requests of all workflows", 1000, "an hour a repository", token, 1, repositories, _ACTIONS)
    yield Limit("open pull requests to a branch", 1000, "pull requests", pulls.most_open, 1, repositories, _REPOSITORY)
    size = LARGE.packs * large.result.measured.git_pack_bytes
    size += 3652 * large.changes * large.result.measured.git_commit_bytes
    yield Limit("repository on disk, after ten years", 10, "GB", size / 1e9, 1, repositories, _REPOSITORY)
    folders = "a folder for each business line, as here"
    yield Limit("entries of a folder", 3000, "files", LARGE.packs_in_workspace, 0, folders, _REPOSITORY)
    pushes = large.changes / 600
    yield Limit("pushes in working hours", 6, "a minute", pushes, 1, "a merge queue; several repositories", _REPOSITORY)
    fetches = 1 / 30
    yield Limit("fetches of a daemon", 15, "a second", fetches, 0, "`fetch_interval_seconds`", _REPOSITORY)
    cut = "nothing: what does not fit is left out, and what is dangerous is then not taken for shown"
    yield Limit("characters of a comment", 65_536, "characters", None, 0, cut, _COMMENT, False)


def _workers(large: Large) -> int:
    """Processes with 16 hands that keep up with the changes of a day in its working hours."""
    made = large.result.onboarding[1]
    return max(1, round(large.work * made.ended_at / made.packs / 36_000))
