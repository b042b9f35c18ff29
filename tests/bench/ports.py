"""The real ports of a measuring process: Git, PostgreSQL, the SDK, the sandbox. Opened and signed in before anything is
measured."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.desired import Desired
from reconciler.core.key import PackId, recipient_key
from reconciler.core.plan import Plan
from reconciler.ports.pack_source import PackSource
from reconciler.stages.plan import plan_packs
from reconciler.stages.read import packs_under, read_commit
from tests.bench.database import named
from tests.bench.task import Task

TOKEN = "dapi-bench"


@dataclass(frozen=True, slots=True)
class Ports:
    ledger: PostgresLedger
    platform: DatabricksPlatform
    doorbell: PostgresDoorbell
    source: PackSource
    clock: SystemClock = field(default_factory=SystemClock)

    @classmethod
    async def open(cls, task: Task, database: str) -> "Ports":
        urls, dsn = task.place.urls, named(task.place.admin_dsn, database)
        platform = DatabricksPlatform({"token": SecretStr(TOKEN)}, in_flight=task.in_flight, trusted_hosts=urls)
        source = pack_source(Path(task.place.repository) / "sharepacks")
        ports = cls(await PostgresLedger.open(dsn), platform, await PostgresDoorbell.open(dsn), source)
        # The SDK is imported (2 s) and signs in with the first question; that is not what is measured.
        await platform.observe([recipient_key("nobody", url) for url in urls])
        return ports

    async def close(self) -> None:
        await self.doorbell.close()
        await self.platform.close()
        await self.ledger.close()


@dataclass(frozen=True, slots=True)
class Planned:
    desired: Desired
    scope: frozenset[PackId]
    plan: Plan


async def make_plan(task: Task, ports: Ports, revision: str = "HEAD", paths: Collection[str] = ()) -> Planned:
    """As the command does it."""
    desired = await read_commit(ports.source, task.place.urls[0], revision)
    scope = packs_under(paths, desired, await ports.ledger.pack_rows(await ports.ledger.all_packs()))
    return Planned(desired, scope, await plan_again(desired, scope, ports))


async def plan_again(desired: Desired, scope: frozenset[PackId], ports: Ports) -> Plan:
    return await plan_packs(desired, scope, ports.source, ports.ledger, ports.platform, ports.clock)
