"""Somebody who hands in packs: a `Receiving` over the real parts of a journey, as `sharepack serve` has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.adapters.git.source import pack_source
from reconciler.adapters.git.storing import GitPackStore
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.portal import Portal
from reconciler.core.permits import Caller, Right
from reconciler.core.plan import Plan
from reconciler.ports.inbox import Upload
from reconciler.render.plan_json import plan_document
from reconciler.stages.receive import Accepted, Answer, Handed, Receiving, Rejected, TurnedAway
from reconciler.stages.reconcile import Reconciler
from tests.journeys.journey import Journey, git

ANN = Caller("key portal (a1b2c3d4)", Right.WRITE)


@dataclass
class Hands:
    journey: Journey
    receiving: Receiving
    portal: Portal
    #: Where the commits are looked at: the remote, or the repository itself.
    origin: Path
    #: What `Accepted` told.
    given: list[Accepted] = field(default_factory=list)

    async def hand_in(
        self, content: str | bytes, name: str = "sales.yaml", *, workspace: str = "", caller: Caller = ANN
    ) -> Answer:
        return await self.receiving.receive(self.handed(content, name, workspace, caller))

    async def dry_run(self, content: str | bytes) -> Plan | Rejected | TurnedAway:
        return await self.receiving.dry_run(self.handed(content))

    def handed(
        self, content: str | bytes, name: str = "sales.yaml", workspace: str = "", caller: Caller = ANN
    ) -> Handed:
        data = content.encode() if isinstance(content, str) else content
        return Handed(name, data, workspace or self.journey.url, caller)

    async def accepted(self, content: str | bytes, name: str = "sales.yaml", *, finishes: bool = True) -> Accepted:
        """Handed in, and brought to its end by `finish` and workers."""
        answer = await self.hand_in(content, name)
        assert isinstance(answer, Accepted), answer
        if finishes:
            assert await self.receiving.finish(answer.upload)
            await self.work()
        return answer

    async def rejected(self, content: str | bytes, name: str = "sales.yaml", *, caller: Caller = ANN) -> Rejected:
        answer = await self.hand_in(content, name, caller=caller)
        assert isinstance(answer, Rejected), answer
        return answer

    async def work(self) -> None:
        rows = await self.journey.rows("SELECT work_id FROM reconciler.work WHERE finished_at IS NULL")
        await self.journey.workforce().work_until_done([row["work_id"] for row in rows])

    def log(self) -> list[str]:
        """Subjects of the commits after the first, oldest first."""
        return git(self.origin, "log", "--reverse", "--format=%s", "main").splitlines()[1:]

    def files(self) -> list[str]:
        return git(self.origin, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "main").splitlines()

    def content(self, path: str) -> str:
        return git(self.origin, "show", f"main:{path}")

    async def upload(self, given: Accepted | Rejected) -> Upload:
        found = await self.portal.inbox.find(given.upload_id if isinstance(given, Rejected) else given.upload.id)
        assert found is not None
        return found

    async def states(self) -> list[tuple[str, str]]:
        states = await self.journey.ledger.pack_states()
        return sorted((str(state.pack), str(state.status)) for state in states)

    async def counts(self) -> dict[str, int]:
        """Rows of every table."""
        tables = await self.journey.rows(
            """
            SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
            WHERE schemaname IN ('deltashare', 'reconciler')
            """
        )
        counts = [f"SELECT '{table['name']}' AS name, count(*) FROM {table['name']}" for table in tables]
        return {row["name"]: row["count"] for row in await self.journey.rows(" UNION ALL ".join(counts))}

    def refs(self) -> Sequence[str]:
        """Everything that leads to a commit, here and at the remote."""
        places = {self.origin, self.journey.repository}
        return [git(place, "for-each-ref") for place in sorted(places)]


def hands(journey: Journey, clone: Path | None = None, origin: Path | None = None, **more: Any) -> Hands:
    """Over a clone of its own, or the repository of the journey."""
    assert isinstance(journey.ledger, PostgresLedger)
    portal = journey.ledger.portal()
    folder = (clone or journey.repository) / "sharepacks"
    source = pack_source(folder)
    reconciler = Reconciler(
        source, journey.ledger, journey.platform, journey.doorbell, journey.clock, "the API", plan_document
    )
    parts: dict[str, Any] = {
        "source": source,
        "store": GitPackStore(folder, limit=10),
        "inbox": portal.inbox,
        "ledger": journey.ledger,
        "reconciler": reconciler,
        "default_workspace": journey.url,
        "wishes": journey.wishes,
        "most_bytes": 1_000_000,
        **more,
    }
    return Hands(journey, Receiving(**parts), portal, origin or journey.repository)


def lines(*names: str) -> Caller:
    return replace(ANN, lines=frozenset(name.casefold() for name in names))
