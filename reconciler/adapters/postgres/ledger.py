"""The ledger on PostgreSQL. Every method is one transaction, whose statements stand in the modules beside this one; a
module is imported when a statement of its is first made, as most commands make few."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from reconciler.adapters import postgres as sql
from reconciler.adapters.postgres.connection import IDLE_SECONDS, failures, open_pool, place, transact
from reconciler.adapters.postgres.gathering import Gathering
from reconciler.adapters.postgres.migrate import migrate
from reconciler.adapters.postgres.versions import Change
from reconciler.core.key import Key, PackId, normal_name
from reconciler.core.retry import Failure

if TYPE_CHECKING:
    from reconciler.adapters.postgres.operations import Advance
    from reconciler.adapters.postgres.portal import Portal
    from reconciler.adapters.postgres.work import End
    from reconciler.core.calls import Operation
    from reconciler.core.holds import Holds, Suspension
    from reconciler.core.policy import Standing
    from reconciler.core.recorded import RecordedPack, RecordedState
    from reconciler.core.resource import Resource
    from reconciler.core.sighting import Sighting
    from reconciler.ports.ledger import (
        Claim,
        Claimed,
        Daemon,
        DatabaseFacts,
        Figures,
        KeyVersion,
        OperationRecord,
        Outcome,
        PackOrder,
        PackState,
        PlanRecord,
        ShownPlan,
        Work,
        WorkStatus,
    )

T = TypeVar("T")
P = ParamSpec("P")

#: Work, worker, seconds.
_Wish: TypeAlias = tuple[UUID, str, float]
_Asked: TypeAlias = tuple[frozenset[Key], frozenset[PackId]]
_Look: TypeAlias = "tuple[PackId, Mapping[Key, Sighting]]"


def _origin(each: Advance | End) -> Hashable:
    return sql.operations.origin(each.claim)


def _work_id(each: Advance | End) -> Hashable:
    return each.claim.work_id


def _read_alike(asked: _Asked) -> Hashable:
    """Who asks about a pack does not wait for the answer about all packs."""
    _, packs = asked
    return None if len(packs) == 1 else id(asked)


def _end_alike(end: End) -> Hashable:
    """Of an end that others have to suffer for, nothing is shared."""
    return _origin(end) if end.is_good else end.claim.work_id


class PostgresLedger:
    """Implements `ports.ledger.Ledger`. Use `open`; safe to share between the tasks of one event loop."""

    def __init__(self, pool: asyncpg.Pool, where: str) -> None:
        self._pool = pool
        self._where = where
        self._claims: Gathering[_Wish, Claimed] = Gathering(self._claim, lambda wish: wish[1:], lambda wish: wish[0])
        self._reads: Gathering[_Asked, RecordedState] = Gathering(self._read, _read_alike, id)
        self._advances: Gathering[Advance, None] = Gathering(self._advance, _origin, _work_id)
        self._looks: Gathering[_Look, None] = Gathering(self._observe, lambda _: None, lambda look: look[0])
        self._ends: Gathering[End, Sequence[UUID]] = Gathering(self._finish, _end_alike, _work_id)

    def __repr__(self) -> str:
        return f"PostgresLedger({self._where!r})"

    @classmethod
    async def open(
        cls, dsn: str, *, min_size: int = 1, max_size: int = 10, idle: float = IDLE_SECONDS
    ) -> PostgresLedger:
        """Brings the database up to date first. Raises LedgerError."""
        await migrate(dsn)
        where = place(dsn)
        with failures(where):
            return cls(await open_pool(dsn, min_size=min_size, max_size=max_size, idle=idle), where)

    async def close(self) -> None:
        for gathering in (self._claims, self._reads, self._advances, self._ends, self._looks):
            await gathering.close()
        await self._pool.close()

    def portal(self) -> Portal:
        """The ports of the HTTP API, over the same connections."""
        return sql.portal.open_portal(self._pool, self._where)

    async def recorded(self, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
        return await self._reads.ask((frozenset(keys), frozenset(packs)))

    async def pack_rows(self, packs: Collection[PackId]) -> Mapping[PackId, RecordedPack]:
        return await self._do(sql.reading.pack_rows, packs)

    async def all_packs(self) -> Sequence[PackId]:
        return await self._do(sql.reading.all_packs)

    async def save_plan(self, plan: PlanRecord) -> None:
        await self._do(sql.submit.save_plan, plan)

    async def submit(self, plan: PlanRecord, orders: Sequence[PackOrder]) -> Mapping[PackId, UUID | None]:
        return await self._do(sql.submit.submit, plan, orders)

    async def reject(self, pack: PackId, path: str, reason: str, commit: str, actor: str) -> None:
        await self._do(sql.packs.reject, pack, path, reason, Change(actor, "the file has problems", commit=commit))

    async def claim(self, worker: str, work_id: UUID, lease: float) -> Claimed:
        return await self._claims.ask((work_id, worker, lease))

    async def due(self, limit: int = 100) -> Sequence[UUID]:
        return await self._do(sql.due.due, limit)

    async def next_due(self) -> float | None:
        return await self._do(sql.due.next_due)

    async def renew(self, claim: Claim, lease: float) -> None:
        await self._do(sql.lease.renew, claim, lease)

    async def advance(
        self, claim: Claim, outcomes: Mapping[UUID, Outcome], intents: Mapping[UUID, Operation], words: str = ""
    ) -> None:
        await self._advances.ask(sql.operations.Advance(claim, outcomes, intents, words))

    async def resolve(self, claim: Claim, key: Key, found: Resource | None, *, renamed_from: str = "") -> None:
        await self._do(sql.operations.resolve, claim, key, found, renamed_from)

    async def settle(
        self, claim: Claim, key: Key, resource: Resource | None, reason: str, *, renamed_from: str = ""
    ) -> None:
        await self._do(sql.operations.settle, claim, key, resource, reason, renamed_from)

    async def finish(
        self,
        claim: Claim,
        status: WorkStatus,
        reason: str = "",
        failure: Failure = Failure.NONE,
        outcomes: Mapping[UUID, Outcome] = MappingProxyType({}),
    ) -> Sequence[UUID]:
        return await self._ends.ask(sql.work.End(claim, status, reason, failure, outcomes))

    async def postpone(
        self,
        claim: Claim,
        seconds: float,
        reason: str,
        outcomes: Mapping[UUID, Outcome] = MappingProxyType({}),
        *,
        unexplained: bool = False,
    ) -> Sequence[UUID]:
        return await self._do(sql.work.postpone, claim, seconds, reason, outcomes, unexplained=unexplained)

    async def pause(self, workspace: str, seconds: float, reason: str) -> None:
        await self._do(sql.pauses.pause, workspace, seconds, reason)

    async def distrust(self, workspace: str, share: str) -> None:
        await self._do(sql.distrusts.distrust, workspace, share)

    async def distrusted(self) -> frozenset[str]:
        return await self._do(sql.distrusts.distrusted)

    async def pauses(self) -> Mapping[str, float]:
        return await self._do(sql.pauses.pauses)

    async def operations(self, work_ids: Collection[UUID]) -> Sequence[OperationRecord]:
        return await self._do(sql.operation_records.operations, work_ids)

    async def standings(self, packs: Collection[PackId]) -> Mapping[PackId, Standing]:
        return await self._do(sql.standings.standings, packs)

    async def work(self, ids: Collection[UUID]) -> Sequence[Work]:
        return await self._do(sql.standings.work_items, ids)

    async def pack_states(self, pack: PackId | None = None) -> Sequence[PackState]:
        return await self._do(sql.reading.pack_states, pack)

    async def history(self, kind_and_name: Key) -> Sequence[KeyVersion]:
        return await self._do(sql.reading.history, kind_and_name)

    async def find_recipients(self, name: str) -> Sequence[Key]:
        return await self._do(sql.reading.find_recipients, normal_name(name))

    async def observed(self, pack: PackId, sightings: Mapping[Key, Sighting]) -> None:
        await self._looks.ask((pack, sightings))

    async def sightings(self) -> Mapping[PackId, Mapping[Key, Sighting]]:
        return await self._do(sql.observations.sightings)

    async def holds(self) -> Holds:
        return await self._do(sql.holds.holds)

    async def suspend(self, pack: PackId, suspension: Suspension) -> None:
        await self._do(sql.holds.suspend, pack, suspension)

    async def resume(self, pack: PackId, by: str) -> Holds:
        return await self._do(sql.holds.resume, pack, by)

    async def show_plan(self, shown: ShownPlan) -> None:
        await self._do(sql.shown_plans.show_plan, shown)

    async def shown_plans(self, repository: str, number: int) -> Sequence[ShownPlan]:
        return await self._do(sql.shown_plans.shown_plans, repository, number)

    async def corrected(self, claim: Claim, key: Key, actors: Mapping[str, str], declared: str) -> None:
        await self._do(sql.corrections.corrected, claim, key, actors, declared)

    async def heard_of(self, daemon: Daemon) -> None:
        await self._do(sql.daemons.heard_of, daemon)

    async def daemons(self) -> Sequence[Daemon]:
        return await self._do(sql.daemons.daemons)

    async def figures(self) -> Figures:
        return await self._do(sql.figures.figures)

    async def facts(self) -> DatabaseFacts:
        return await self._do(sql.facts.facts)

    async def _claim(self, wishes: Sequence[_Wish]) -> Sequence[Claimed]:
        _, worker, lease = wishes[0]
        return await self._do(sql.claiming.claim, worker, [work_id for work_id, _, _ in wishes], lease)

    async def _read(self, asked: Sequence[_Asked]) -> Sequence[RecordedState]:
        return await self._do(sql.reading.recorded_for_each, asked)

    async def _advance(self, advances: Sequence[Advance]) -> Sequence[None]:
        return await self._do(sql.operations.advance, advances)

    async def _observe(self, looks: Sequence[_Look]) -> Sequence[None]:
        return await self._do(sql.observations.observed, looks)

    async def _finish(self, ends: Sequence[End]) -> Sequence[Sequence[UUID]]:
        return await self._do(sql.work.finish, ends)

    async def _do(
        self,
        body: Callable[Concatenate[asyncpg.Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        async def run(connection: asyncpg.Connection) -> T:
            return await body(connection, *args, **kwargs)

        return await transact(self._pool, self._where, run)
