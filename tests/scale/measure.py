"""`python -m tests.scale.measure`: what packs, changes and rotations leave behind in a real PostgreSQL, in a real Git
repository and in the log, by the real stages. Reads how many from the command line, writes a Measured as JSON. In a
process of its own: it turns standard error into a meter."""

import asyncio
import io
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import process_time
from typing import Any, Self, cast

import asyncpg

from reconciler.adapters.azure_queue.message import encode
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.embedded import running
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.desired import Desired
from reconciler.core.key import Kind, PackId
from reconciler.core.limits import Limits
from reconciler.core.plan import Plan
from reconciler.daemon.logs import Telling, configure
from reconciler.ports.platform import Platform
from reconciler.render.plan_json import plan_document
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.read import read_commit
from reconciler.stages.submit import submit
from reconciler.stages.workers import Workforce
from tests.bench.meter import Statements
from tests.scale.assumed import Fleet
from tests.scale.packs import Estate, Pack, estate, files_of
from tests.scale.platform import ModelPlatform

_AUTHOR = ["-c", "user.name=Scale", "-c", "user.email=scale@example.com", "-c", "init.defaultBranch=main"]


_TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('deltashare', 'reconciler')"
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one piece of work (a new pack, a change, a rotation) leaves behind, on average."""

    count: int
    #: By table.
    rows: dict[str, float]
    bytes: dict[str, float]
    statements: float
    commits: float
    log_bytes: float
    #: Of this process, planning and all.
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    packs: int
    new: Kept
    change: Kept
    rotation: Kept
    #: Of one pack in a packed repository; of one commit that changes a pack, packed and as it is fetched.
    git_pack_bytes: float
    git_commit_bytes: float
    git_fetch_bytes: float
    message_bytes: int
    #: To read the rows of all packs, as each tick of the daemon does: for a pack.
    tick_cpu_seconds: float
    postgres: str

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        kept = {name: Kept(**values[name]) for name in ("new", "change", "rotation")}
        return cls(**(values | kept))


@dataclass(slots=True)
class Site:
    """A repository, a database and workspaces, at work."""

    folder: Path
    estate: Estate
    ledger: PostgresLedger
    connection: asyncpg.Connection
    force: Workforce
    drafts: dict[str, Pack]
    log: io.StringIO
    statements: Statements
    clock: SystemClock = field(default_factory=SystemClock)

    async def desired(self) -> Desired:
        return await read_commit(pack_source(self.folder / "sharepacks"), "")

    def write(self, drafts: Collection[Pack], message: str) -> None:
        for path, content in files_of(drafts, self.estate.fleet).items():
            if not path.endswith("tenants.yaml") or len(drafts) > 1:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_bytes(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def git(self, *arguments: str, given: str = "") -> bytes:
        return subprocess.run(
            ["git", *_AUTHOR, *arguments], cwd=self.folder, check=True, capture_output=True, input=given.encode()
        ).stdout

    def git_size(self) -> int:
        self.git("gc", "--quiet", "--prune=now")
        return sum(each.stat().st_size for each in (self.folder / ".git/objects").rglob("*") if each.is_file())

    async def apply(self, desired: Desired, scope: Collection[PackId], wishes: Wishes) -> None:
        plan = await self._plan(desired, scope, wishes)
        submission = await submit(plan, plan_document(plan), self.ledger, self.force.doorbell, "scale")
        await self.force.work_until_done(submission.work_ids)
        failed = [each for each in await self.ledger.work(submission.work_ids) if each.reason]
        assert not failed, failed[0]

    async def _plan(self, desired: Desired, scope: Collection[PackId], wishes: Wishes) -> Plan:
        source = pack_source(self.folder / "sharepacks")
        return await plan_packs(desired, scope, source, self.ledger, self.force.platform, self.clock, wishes)


@dataclass(slots=True)
class Meter:
    """Reads the difference that a piece of work makes."""

    site: Site
    rows: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    commits: int = 0
    statements: int = 0
    log: int = 0
    cpu: float = 0.0

    async def read(self) -> None:
        """What this meter asks itself is not counted: the counters of a start are read last, those of an end first."""
        connection = self.site.connection
        await connection.execute("VACUUM ANALYZE")
        for (name,) in await connection.fetch(_TABLES):
            self.rows[name] = await connection.fetchval(f"SELECT count(*) FROM {name}")
            self.bytes[name] = await connection.fetchval("SELECT pg_total_relation_size($1::regclass)", name)
        await self.count()

    async def count(self) -> None:
        # A session tells of its commits within a second.
        await asyncio.sleep(1.5)
        self.commits = await self.site.connection.fetchval(_COMMITS)
        self.statements, self.log, self.cpu = self.site.statements.count, self.site.log.tell(), process_time()

    async def since(self, before: "Meter", count: int) -> Kept:
        await self.count()
        counters = (self.statements, self.commits, self.log, self.cpu)
        await self.read()
        rows = {name: (total - before.rows[name]) / count for name, total in self.rows.items()}
        size = {name: (total - before.bytes[name]) / count for name, total in self.bytes.items()}
        statements, commits, log, cpu = counters
        return Kept(
            count,
            {name: each for name, each in rows.items() if each},
            {name: each for name, each in size.items() if each},
            (statements - before.statements) / count,
            (commits - before.commits) / count,
            (log - before.log) / count,
            (cpu - before.cpu) / count,
        )


async def measure(packs: int, changes: int) -> Measured:
    fleet = Fleet(packs, packs_in_workspace=max(1, packs // 2))
    made = estate(fleet, 1, is_applied=False)
    log = io.StringIO()
    statements = Statements()
    with (
        tempfile.TemporaryDirectory(prefix="scale ") as name,
        running(Path(name) / "database", durable=False) as server,
    ):
        connection = await asyncpg.connect(server.dsn)
        with statements.counting():
            ledger = await PostgresLedger.open(server.dsn)
            doorbell = await PostgresDoorbell.open(server.dsn)
            force = Workforce(ledger, cast("Platform", ModelPlatform(made)), doorbell, "scale-1", hands=4)
            folder = Path(name) / "repository"
            folder.mkdir()
            drafts = {draft.path: draft for draft in made.drafts.values()}
            site = Site(folder, made, ledger, connection, force, drafts, log, statements)
            sys.stderr = log
            configure("json")
            force.on_event = Telling(worker="scale-1")
            try:
                return await _measured(site, changes)
            finally:
                sys.stderr = sys.__stderr__
                await connection.close()
                await doorbell.close()
                await ledger.close()


async def _measured(site: Site, changes: int) -> Measured:
    site.git("init", "--quiet")
    site.write(list(site.drafts.values()), "Packs")
    one_pack = site.git_size() / len(site.drafts)
    desired = await site.desired()
    new = await _kept(site, desired, [list(desired.packs)])
    begin = process_time()
    known = await site.ledger.all_packs()
    tick = (process_time() - begin) / len(known)
    chance = random.Random(2)
    chosen = chance.sample(list(desired.packs), changes)
    before_commits, fetched = site.git_size(), 0
    for pack in chosen:
        site.estate.edit(pack)
        site.write([site.estate.drafts[pack]], f"Change {pack}")
        fetched += len(site.git("pack-objects", "--revs", "--thin", "--stdout", "--quiet", given="HEAD\n^HEAD~1\n"))
    desired = await site.desired()
    change = await _kept(site, desired, [[pack] for pack in chosen])
    rotation = await _rotations(site, desired, chosen)
    return Measured(
        packs=len(desired.packs),
        new=new,
        change=change,
        rotation=rotation,
        git_pack_bytes=one_pack,
        git_commit_bytes=(site.git_size() - before_commits) / changes,
        git_fetch_bytes=fetched / changes,
        message_bytes=len(encode(next(iter(await _work_ids(site))))),
        tick_cpu_seconds=tick,
        postgres=str(await site.connection.fetchval("SHOW server_version")),
    )


async def _kept(site: Site, desired: Desired, scopes: list[list[PackId]]) -> Kept:
    """Each scope is a plan of its own, as each merged pull request is."""
    before = Meter(site)
    await before.read()
    for scope in scopes:
        await site.apply(desired, scope, Wishes(limits=Limits(10**6, 10**6, 100, 100)))
    return await Meter(site).since(before, sum(map(len, scopes)))


async def _rotations(site: Site, desired: Desired, packs: list[PackId]) -> Kept:
    before = Meter(site)
    await before.read()
    for pack in packs:
        key = min(key for key in desired.packs[pack].resources if key.kind is Kind.RECIPIENT and "partner" in key.name)
        await site.apply(desired, [pack], Wishes(rotations={key: 3600}))
    return await Meter(site).since(before, len(packs))


async def _work_ids(site: Site) -> list[Any]:
    return [row[0] for row in await site.connection.fetch("SELECT work_id FROM reconciler.work LIMIT 1")]


def main() -> None:
    packs, changes = map(int, sys.argv[1:])
    json.dump(asdict(asyncio.run(measure(packs, changes))), sys.stdout)


if __name__ == "__main__":
    main()
