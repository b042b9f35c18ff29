"""The Platform port over the SDK. The SDK waits, so its calls run in threads: a bounded number for each workspace."""

import asyncio
import importlib
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.adapters.databricks import catalog
from reconciler.adapters.databricks.exchange import Outcome
from reconciler.adapters.databricks.limiter import Limiter
from reconciler.adapters.databricks.portions import Portion, take
from reconciler.adapters.databricks.threads import Threads, ThreadsClosedError
from reconciler.core.actual import Actual, Observed, Unreadable
from reconciler.core.calls import Call
from reconciler.core.key import Key, Kind
from reconciler.core.recipient import FederationPolicy
from reconciler.core.resolve import Catalog, Sought
from reconciler.core.rights import Caller
from reconciler.ports.platform import CallReceipt, Listed, RefusedError, UnavailableError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from reconciler.adapters.databricks.workspace import Workspace

T = TypeVar("T")

#: Beyond the HTTP timeout: a read's repetitions, making the client, signing in.
_GRACE: Final = 45.0

_CLOSED: Final = "the program is ending"

#: Seconds that the answer to "who calls, with which rights" stands: a daemon must notice that a right was granted.
CALLER_KNOWN_FOR: Final = 60.0


class DatabricksPlatform:
    """`credentials` are those of the SDK's `Config` (`token`, `client_id`, …); what is missing the SDK looks for itself
    in the environment. They are sent to Databricks' own domains and to `trusted_hosts` (base URLs) only.

    `in_flight`: requests under way at the same time, to each workspace.
    `http_timeout` (seconds) is kept under a worker's lease of 60 s, so that no write outlives the right to make it.
    `clock` (epoch seconds) is what "in N seconds" counts from.
    """

    def __init__(
        self,
        credentials: "Mapping[str, SecretStr] | None" = None,
        *,
        in_flight: int = 16,
        http_timeout: float = 50.0,
        trusted_hosts: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = dict(credentials or {})
        self._in_flight = in_flight
        # More than requests may be under way, which the connections see to: while those wait for their answers, these
        # make something of an answer or put the next request together.
        self._at_work = in_flight + max(1, in_flight // 4)
        self._http_timeout = http_timeout
        self._trusted = frozenset(trusted_hosts)
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._callers: dict[str, tuple[float, Caller]] = {}
        self._is_closed = False
        self._finding_caller: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def calls_made(self) -> Mapping[str, int]:
        """Requests put on the wire so far, by HTTP method, in all workspaces."""
        total: Counter[str] = Counter()
        for lane in self._lanes.values():
            total.update(lane.calls_made)
        return dict(total)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Every `Outcome` has an entry. A request still under way is not counted yet."""
        total: Counter[str] = Counter(dict.fromkeys(Outcome, 0))
        for lane in self._lanes.values():
            total.update(lane.outcomes)
        return {str(outcome): count for outcome, count in total.items()}

    async def observe(self, keys: Collection[Key]) -> Actual:
        return await self._each(keys, lambda where, key: where.observe(key), _unreadable)

    async def look_up(self, workspace: str, sought: Collection[Sought]) -> Catalog:
        return await catalog.look_up(sought, partial(self._run, workspace), partial(self.caller, workspace))

    async def caller(self, workspace: str) -> Caller:
        async with self._finding_caller[workspace]:
            known_at, caller = self._callers.get(workspace, (0.0, None))
            if caller is None or time.monotonic() - known_at > CALLER_KNOWN_FOR:
                me, metastore = await asyncio.gather(
                    self._run(workspace, lambda where: where.me()),
                    self._run(workspace, lambda where: where.metastore()),
                )
                caller = catalog.caller_of(me, metastore)
                self._callers[workspace] = (time.monotonic(), caller)
            return caller

    async def names(self, workspace: str, kind: Kind) -> frozenset[str]:
        return await self._run(workspace, lambda where: where.names(kind))

    async def listed(self, workspace: str, kind: Kind) -> Listed:
        return await self._run(workspace, lambda where: where.listed(kind, workspace))

    async def grants(self, keys: Collection[Key]) -> Mapping[Key, frozenset[str] | None]:
        return await self._each(keys, lambda where, key: where.grants(key), _untold)

    async def policies(self, recipients: Collection[Key]) -> Mapping[Key, frozenset[FederationPolicy] | None]:
        return await self._each(recipients, lambda where, key: where.policies(key), _untold)

    async def _each(
        self,
        keys: Collection[Key],
        ask: "Callable[[Workspace, Key], T]",
        failed: Callable[[UnavailableError | RefusedError], T],
    ) -> dict[Key, T]:
        by_workspace: defaultdict[str, deque[Key]] = defaultdict(deque)
        for key in keys:
            by_workspace[key.workspace].append(key)
        found: dict[Key, T] = {}
        hands = (
            self._hand(url, left, ask, failed, found)
            for url, left in by_workspace.items()
            for _ in range(min(len(left), self._at_work))
        )
        await asyncio.gather(*hands)
        return {key: found[key] for key in keys}

    async def _hand(
        self,
        url: str,
        left: deque[Key],
        ask: "Callable[[Workspace, Key], T]",
        failed: Callable[[UnavailableError | RefusedError], T],
        found: dict[Key, T],
    ) -> None:
        """One of those that ask about what is left, a portion at a time. What cannot be asked about fails alone."""
        while left:
            portion = Portion(take(left, self._at_work), ask)
            failure: UnavailableError | RefusedError | None = None
            try:
                await self._run(url, portion)
            except (UnavailableError, RefusedError) as error:
                failure = error
            finally:
                answers, rest = portion.leave()
            found.update(answers)
            if failure is not None and rest:
                found[rest.pop(0)] = failed(failure)
            left.extendleft(reversed(rest))

    async def recipient_of(self, workspace: str, metastore_id: str) -> str | None:
        return await self._run(workspace, lambda where: where.recipient_of(metastore_id))

    async def perform(self, call: Call) -> CallReceipt:
        return await self._run(call.key.workspace, lambda workspace: workspace.perform(call), is_write=True)

    async def activation_link(self, key: Key) -> str | None:
        if key.kind is not Kind.RECIPIENT:
            raise RefusedError(f"{key} has no activation link; only recipients have one")
        return await self._run(key.workspace, lambda workspace: workspace.activation_link(key))

    async def close(self) -> None:
        """At once, also while calls are under way: who waits for one gets UnavailableError. Closing twice is fine."""
        self._is_closed = True
        for lane in self._lanes.values():
            lane.close()

    async def _run(self, url: str, work: "Callable[[Workspace], T]", *, is_write: bool = False) -> T:
        lane = self._lane(url)
        async with lane.limiter.turn(is_write=is_write):
            try:
                async with asyncio.timeout(self._http_timeout + _GRACE):
                    return await lane.threads.run(partial(lane.run, work))
            except TimeoutError:
                raise UnavailableError(f"{url} did not answer in time", maybe_done=is_write) from None
            except ThreadsClosedError:
                raise UnavailableError(f"{url} was not waited for: {_CLOSED}", maybe_done=is_write) from None

    def _lane(self, url: str) -> "_Lane":
        if self._is_closed:
            raise UnavailableError(f"{url} is not asked: {_CLOSED}")
        if url not in self._lanes:
            self._lanes[url] = _Lane(url, self._open, self._at_work)
        return self._lanes[url]

    def _open(self, url: str, limiter: Limiter) -> "Workspace":
        # Imported in the thread that first needs it: the SDK takes a quarter of a second.
        connection = importlib.import_module("reconciler.adapters.databricks.connection")
        workspace = importlib.import_module("reconciler.adapters.databricks.workspace")
        opened: Workspace = workspace.Workspace(
            connection.Connection(
                url,
                self._credentials,
                in_flight=self._in_flight,
                http_timeout=self._http_timeout,
                limiter=limiter,
                trusted=self._trusted,
            ),
            self._clock,
        )
        return opened


def _unreadable(failure: UnavailableError | RefusedError) -> Observed:
    if isinstance(failure, UnavailableError) and failure.throttled:
        return Unreadable(str(failure), failure.retry_after or 0.0)
    return Unreadable(str(failure))


def _untold(_failure: UnavailableError | RefusedError) -> None:
    return None


class _Lane:
    """Threads, limiter and, from the first question on, the connection of one workspace."""

    def __init__(self, url: str, open_: "Callable[[str, Limiter], Workspace]", at_work: int) -> None:
        self.limiter = Limiter(at_work)
        self.threads = Threads(at_work, "databricks")
        self._url = url
        self._open = open_
        self._opening = threading.Lock()
        self._workspace: Workspace | None = None
        self._is_closed = False

    @property
    def calls_made(self) -> Mapping[str, int]:
        return self._workspace.calls_made if self._workspace else {}

    @property
    def outcomes(self) -> Mapping[str, int]:
        return self._workspace.outcomes if self._workspace else {}

    def run(self, work: "Callable[[Workspace], T]") -> T:
        return work(self._workspace or self._opened())

    def _opened(self) -> "Workspace":
        with self._opening:
            if self._workspace is None:
                self.limiter.check()
                try:
                    self._workspace = self._open(self._url, self.limiter)
                except (UnavailableError, RefusedError) as failure:
                    self.limiter.shut(failure)
                    raise
                if self._is_closed:
                    self._workspace.close()
            return self._workspace

    def close(self) -> None:
        self.threads.close()
        # In this order: whoever is opening it looks at the one after having written the other.
        self._is_closed = True
        if self._workspace:
            self._workspace.close()
