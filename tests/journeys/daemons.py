"""A daemon on real parts, in this process: its own clone of a bare remote, workers, database and sandbox. Intervals are
short, so that a test waits for what it wants to see and no longer."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.leadership import PostgresLeadership
from reconciler.cli.wording import wording
from reconciler.core.schedule import Cadence
from reconciler.daemon.leading import Following, Leading
from reconciler.daemon.loop import DaemonProcess
from reconciler.daemon.pull_requests import PullRequestWatch
from reconciler.ports.clock import Clock
from reconciler.ports.pull_requests import PullRequests
from reconciler.render.plan_json import plan_document
from reconciler.stages.plan import Wishes
from reconciler.stages.present import Presenting
from reconciler.stages.reconcile import Reconciler
from reconciler.stages.review import Reviewing
from reconciler.stages.tell import Teller
from reconciler.stages.workers import Workforce
from reconciler.wiring import Ports
from tests.journeys.journey import NO_LIMITS, Journey, git

PATIENCE = 60.0
QUICK = Following(default_workspace="", fetch_every=0.2, cadence=Cadence(0.5, 0.8), limits=NO_LIMITS, grace=0.0)


@dataclass
class Running:
    """One daemon, from start to stop."""

    name: str
    process: DaemonProcess
    stop: asyncio.Event
    ticks: int = 0
    leading: Leading | None = None
    task: asyncio.Task[None] = field(init=False)

    def ticked(self, leading: Leading) -> None:
        self.ticks += 1
        self.leading = leading

    async def looks_again(self) -> None:
        """Whatever was there when this was called has been looked at when it returns."""
        seen = self.ticks
        await until(lambda: self.ticks >= seen + 2, "the daemon to look")


async def until(is_so: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while True:
        answer = is_so()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return
        assert time.monotonic() < end, f"waited in vain for {what}"
        await asyncio.sleep(0.05)


def share_origin(journey: Journey, where: Path) -> Path:
    """A bare repository that the author's clone pushes to and daemons follow."""
    bare = where / "origin.git"
    git(where, "clone", "--quiet", "--bare", str(journey.repository), str(bare))
    git(journey.repository, "remote", "add", "origin", str(bare))
    return bare


def push(journey: Journey, *more: str) -> None:
    git(journey.repository, "push", "--quiet", *more, "origin", "HEAD:refs/heads/main")


@asynccontextmanager
async def daemon(
    journey: Journey,
    clone: Path,
    *,
    name: str = "daemon-1",
    following: Following = QUICK,
    clock: Clock | None = None,
    hands: int = 2,
    token: str = "dapi-sandbox-admin",
    pulls: PullRequests | None = None,
    **of_the_force: Any,
) -> AsyncIterator[Running]:
    """Parts of its own throughout, as in a process of its own; only its connections may have been others' before."""
    clock = clock or SystemClock()
    ledger = journey.lender.ledger()
    platform = DatabricksPlatform({"token": SecretStr(token)}, trusted_hosts=[journey.url])
    doorbell = await PostgresDoorbell.open(journey.database_url)
    leadership = PostgresLeadership(journey.database_url)
    ports = Ports(ledger, platform, doorbell, clock, leadership)
    source = pack_source(clone / "sharepacks")
    reconciler = Reconciler(source, ledger, platform, doorbell, clock, name, plan_document)
    options: dict[str, Any] = {"grace": 0.0, "lease": 3.0, "clock": clock, **of_the_force}
    force = Workforce(ledger, platform, doorbell, name, hands=hands, **options) if hands else None
    process = DaemonProcess(ports, reconciler, replace(following, default_workspace=journey.url), name, force)
    running = Running(name, process, asyncio.Event())
    process.on_tick = running.ticked
    if pulls is not None:
        process.teller = Teller(pulls, Reviewing(pulls, ledger, source), wording())
        wishes = Wishes(limits=following.limits, grace=following.grace)
        presenting = Presenting(pulls, source, ledger, platform, clock, wording(), journey.url, wishes)
        process.watch = PullRequestWatch(presenting, process.teller.reviewing, every=0.3)
    running.task = asyncio.create_task(process.run(running.stop))
    try:
        yield running
    finally:
        running.stop.set()
        try:
            async with asyncio.timeout(30):
                await running.task
        finally:
            await doorbell.close()
            await platform.close()
            await ledger.close()


def cloned(origin: Path, where: Path) -> Path:
    git(where.parent, "clone", "--quiet", str(origin), str(where))
    return where
