"""One person's way through the product: a Git repository of packs, a sandbox workspace, a database, and the stages
between them, all real. Asks the sandbox through the SDK or its request log, never through the product."""

import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg

from reconciler.adapters.clock import SystemClock
from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.core.limits import Limits
from reconciler.core.plan import Plan
from reconciler.ports.clock import Clock
from reconciler.ports.doorbell import Doorbell
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import PackSource
from reconciler.ports.platform import Platform
from reconciler.render.plan_json import plan_document
from reconciler.sandbox import ControlClient
from reconciler.stages.apply import Applied, apply_plan
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.read import packs_under, read_commit, read_working_tree
from reconciler.stages.workers import Workforce
from tests.lent import Lender

NO_LIMITS = Limits(per_pack=10_000, per_run=10_000, percent_per_pack=100, percent_per_run=100)


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=Pat Requestor", "-c", "user.email=pat@example.com", "-c", "init.defaultBranch=main"]
    # Each commit would start a process that finds nothing to tidy up.
    settings += ["-c", "maintenance.auto=false"]
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class Journey:
    repository: Path
    url: str
    database_url: str
    ledger: Ledger
    platform: Platform
    doorbell: Doorbell
    source: PackSource
    lender: Lender
    clock: Clock = field(default_factory=SystemClock)
    #: What the person allows by name, or asks to be rotated. Packs are small here: half of one is soon gone, so only
    #: journeys about limits have some. The sandbox shows at once what was written, unless a knob says otherwise.
    wishes: Wishes = field(default_factory=lambda: Wishes(limits=NO_LIMITS, grace=0.0))
    control: ControlClient = field(init=False)

    def __post_init__(self) -> None:
        self.control = ControlClient(self.url)

    def write(self, name: str, content: str | bytes) -> None:
        path = self.repository / "sharepacks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "Change packs") -> str:
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "--quiet", "--allow-empty", "--message", message)
        return git(self.repository, "rev-parse", "HEAD")

    def save(self, name: str, content: str | bytes) -> str:
        self.write(name, content)
        return self.commit(f"Change {name}")

    async def read(self, *, committed: bool = True) -> Desired:
        if committed:
            return await read_commit(self.source, self.url)
        return await read_working_tree(self.source, self.url)

    async def plan(self, paths: Collection[str] = (), *, committed: bool = True) -> Plan:
        desired = await self.read(committed=committed)
        return await self._plan(desired, await self.scope(desired, paths))

    async def plan_again(self, packs: Collection[PackId]) -> Plan:
        return await self._plan(await self.read(), frozenset(packs))

    async def _plan(self, desired: Desired, scope: Collection[PackId]) -> Plan:
        return await plan_packs(desired, scope, self.source, self.ledger, self.platform, self.clock, self.wishes)

    async def scope(self, desired: Desired, paths: Collection[str] = ()) -> frozenset[PackId]:
        recorded = await self.ledger.recorded([], await self.ledger.all_packs())
        return packs_under(paths, desired, recorded.packs)

    def workforce(self, **more: Any) -> Workforce:
        return Workforce(self.ledger, self.platform, self.doorbell, "journey", **{"grace": 0.0, **more})

    async def apply(self, plan: Plan | None = None, *, committed: bool = True) -> Applied:
        desired = await self.read(committed=committed)
        scope = await self.scope(desired)
        chosen = plan or await self._plan(desired, scope)
        return await apply_plan(
            chosen,
            plan_document(chosen),
            self.workforce(),
            lambda packs: self._plan(desired, packs),
            self.clock,
            "pat@example.com",
        )

    def allow(self, *words: str) -> None:
        self.wishes = replace(self.wishes, allowed=frozenset(words))

    async def converge(self) -> Applied:
        """Apply what is committed and insist that it ended well."""
        applied = await self.apply()
        assert applied.failed == (), applied.failed
        assert applied.is_converged, [step for step in applied.after.steps if step.is_work] if applied.after else None
        return applied

    def writes(self) -> list[tuple[str, str, Any]]:
        """What was changed at Databricks since the log was cleared last: method, path below the API root, body."""
        entries = self.control.log(writes_only=True)
        return [
            (entry["method"], entry["path"].removeprefix("/api/2.1/unity-catalog"), entry["body"]) for entry in entries
        ]

    async def rows(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        async with self.lender.connection() as connection:
            return list(await connection.fetch(query, *arguments))
