"""All parts of a small world in one process, real ones: repository, sandbox, database, planners and workers. Its verbs
are the steps of a chaos test; what must hold in the end is `verdict`'s."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import Key, recipient_key
from reconciler.core.plan import Plan
from reconciler.core.schedule import Cadence
from reconciler.daemon.leading import Following, Leading
from reconciler.ports.ledger import LedgerError
from reconciler.render.plan_json import plan_document
from reconciler.stages.reconcile import Reconciler
from reconciler.stages.submit import submit
from reconciler.stages.workers import Workforce
from tests.chaos.asking import GRACE, NO_LIMITS, fresh_plan
from tests.chaos.deeds import Deeds, Given
from tests.chaos.landscape import PRODUCT_TOKEN
from tests.chaos.mortal import DiedError, Life, Mortal
from tests.chaos.repository import FOLDER, Repository
from tests.chaos.tally import Tally
from tests.chaos.verdict import wrong
from tests.chaos.workspace import Workspace

LEASE: Final = 30.0
#: Every tick looks at everything.
QUICK: Final = Cadence(0.001, 0.001)


@dataclass(slots=True)
class Town:
    repository: Repository
    workspace: Workspace
    dsn: str
    tally: Tally
    ledger: PostgresLedger
    platform: DatabricksPlatform
    doorbell: PostgresDoorbell
    deeds: Deeds = field(default_factory=Deeds)
    #: Daemons that lead, by number: more than one does for a moment.
    leading: dict[int, Leading] = field(default_factory=dict)
    #: Rings are lost on their way while this is set.
    is_deaf: bool = False
    given: Given = field(default_factory=Given)

    @classmethod
    async def open(cls, folder: Path, url: str, dsn: str, seed: int) -> "Town":
        repository = Repository(folder)
        repository.begin(Random(seed))
        return cls(
            repository,
            Workspace(url),
            dsn,
            Tally(seed),
            await PostgresLedger.open(dsn),
            DatabricksPlatform({"token": SecretStr(PRODUCT_TOKEN)}, trusted_hosts=[url]),
            await PostgresDoorbell.open(dsn),
        )

    async def close(self) -> None:
        await self.doorbell.close()
        await self.platform.close()
        await self.ledger.close()

    async def plan(self, rotations: Mapping[Key, int] | None = None) -> Plan:
        packs = self.repository.path / FOLDER
        return await fresh_plan(packs, self.workspace.url, self.ledger, self.platform, rotations)

    async def wrong(self) -> list[str]:
        found = wrong(self.repository, self.workspace, self.dsn, self.deeds, self.given)
        return [line async for line in found]

    async def rotate(self, name: str) -> str:
        """A person asks for a new token, whatever else there is to do."""
        self.given.rotations += 1
        plan = await self.plan({recipient_key(name, self.workspace.url): 3600})
        await submit(plan, plan_document(plan), self.ledger, self.doorbell, "a person")
        return name

    async def tick(self, life: Life, number: int = 0) -> str:
        """One tick of a daemon that leads, or believes to; it may die on the way, and another one begins anew."""
        ports = self.ports(life)
        source = pack_source(self.repository.path / FOLDER)
        name = f"daemon {number}"
        reconciler = Reconciler(
            source, ports.ledger, ports.platform, ports.doorbell, SystemClock(), name, plan_document
        )
        following = Following(self.workspace.url, fetch_every=0.0, cadence=QUICK, limits=NO_LIMITS, grace=GRACE)
        leading = self.leading.setdefault(number, Leading(reconciler, following))
        leading.reconciler = reconciler
        try:
            await leading.tick()
        except DiedError:
            del self.leading[number]
            return "died"
        except LedgerError:
            return "without database"
        return "done"

    async def work(self, life: Life, name: str = "worker") -> str:
        """A worker process of a few hands, until nothing is due."""
        ports = self.ports(life)
        force = Workforce(
            ports.ledger,
            ports.platform,
            ports.doorbell,
            name,
            hands=2,
            lease=LEASE,
            sweep_every=5.0,
            grace=GRACE,
        )
        try:
            await force.work_until_idle()
        except DiedError:
            return "died"
        return "done"

    def ports(self, life: Life) -> Any:
        """As a process of its own would see them."""
        doorbell = _Deaf(self.doorbell) if self.is_deaf else self.doorbell
        return SimpleNamespace(
            ledger=Mortal(self.ledger, life), platform=Mortal(self.platform, life), doorbell=Mortal(doorbell, life)
        )

    async def stall(self, points: int) -> str:
        """A worker is held up in the middle, past its lease; another takes over, then the first one goes on."""
        life = Life(points, stalls=True)
        first = asyncio.create_task(self.work(life, "sleeper"))
        held_up = asyncio.create_task(life.stalled.wait())
        await asyncio.wait({first, held_up}, return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            held_up.cancel()
            return "never stalled"
        await self.time_passes()
        await self.work(Life(), "successor")
        # It makes calls side by side: all that have come that far are made when it wakes.
        self.given.late_calls += life.held_up
        life.woken.set()
        return await first

    async def time_passes(self) -> None:
        """An hour: leases run out, what waited for its time is due, nobody waits for Databricks any more, and what was
        done or has failed is not of this moment."""
        await self.execute(
            """UPDATE reconciler.leases SET expires_at = now() WHERE expires_at > now();
               UPDATE reconciler.work SET finished_at = finished_at - interval '1 hour' WHERE finished_at IS NOT NULL;
               UPDATE reconciler.work SET not_before = now() WHERE status = 'waiting' AND not_before > now();
               UPDATE reconciler.pauses SET until = now() WHERE until > now()"""
        )

    async def double_messages(self) -> None:
        """Every work item, finished or not, is rung for once more."""
        await self.execute("SELECT pg_notify('reconciler_work', work_id::text) FROM reconciler.work")

    async def lose_connections(self) -> None:
        """What a restart of the database does to its clients."""
        await self.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )

    async def execute(self, statement: str) -> None:
        with suppress(asyncpg.PostgresConnectionError):
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()


class _Deaf:
    """Takes every message and delivers none."""

    def __init__(self, doorbell: PostgresDoorbell) -> None:
        self._doorbell = doorbell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._doorbell, name)

    async def ring(self, work_ids: Sequence[UUID]) -> None:
        pass
