"""The ledger on PostgreSQL. Every method is one transaction, whose statements stand in the modules beside this one."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres import observations, operations, packs, reading, submit, work
from reconciler.adapters.postgres.connection import failures, open_pool, place, transact
from reconciler.adapters.postgres.lease import renew
from reconciler.adapters.postgres.migrate import migrate
from reconciler.adapters.postgres.versions import Change
from reconciler.core.calls import Operation
from reconciler.core.key import Key, PackId, normal_name
from reconciler.core.plan import Degraded
from reconciler.core.recorded import RecordedState
from reconciler.core.resource import Resource
from reconciler.ports.ledger import (
    Claim,
    Claimed,
    KeyVersion,
    Outcome,
    PackOrder,
    PackState,
    PlanRecord,
    Work,
    WorkStatus,
)

T = TypeVar("T")
P = ParamSpec("P")


class PostgresLedger:
    """Implements `ports.ledger.Ledger`. Use `open`; safe to share between the tasks of one event loop."""

    def __init__(self, pool: asyncpg.Pool, where: str) -> None:
        self._pool = pool
        self._where = where

    def __repr__(self) -> str:
        return f"PostgresLedger({self._where!r})"

    @classmethod
    async def open(cls, dsn: str, *, min_size: int = 1, max_size: int = 10) -> "PostgresLedger":
        """Brings the database up to date first. Raises LedgerError."""
        await migrate(dsn)
        where = place(dsn)
        with failures(where):
            return cls(await open_pool(dsn, min_size=min_size, max_size=max_size), where)

    async def close(self) -> None:
        await self._pool.close()

    async def recorded(self, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
        return await self._do(reading.recorded, keys, packs)

    async def all_packs(self) -> Sequence[PackId]:
        return await self._do(reading.all_packs)

    async def save_plan(self, plan: PlanRecord) -> None:
        await self._do(submit.save_plan, plan)

    async def submit(self, plan: PlanRecord, orders: Sequence[PackOrder]) -> Mapping[PackId, UUID | None]:
        return await self._do(submit.submit, plan, orders)

    async def reject(self, pack: PackId, path: str, reason: str, commit: str, actor: str) -> None:
        await self._do(packs.reject, pack, path, reason, Change(actor, "the file has problems", commit=commit))

    async def claim(self, worker: str, work_id: UUID, lease: float) -> Claimed:
        return await self._do(work.claim, worker, work_id, lease)

    async def due(self, limit: int = 100) -> Sequence[UUID]:
        return await self._do(work.due, limit)

    async def renew(self, claim: Claim, lease: float) -> None:
        await self._do(renew, claim, lease)

    async def begin(self, claim: Claim, operation: Operation) -> UUID:
        return await self._do(operations.begin, claim, operation)

    async def conclude(self, claim: Claim, operation_id: UUID, outcome: Outcome) -> None:
        await self._do(operations.conclude, claim, operation_id, outcome)

    async def resolve(self, claim: Claim, key: Key, found: Resource | None, *, renamed_from: str = "") -> None:
        await self._do(operations.resolve, claim, key, found, renamed_from)

    async def settle(
        self, claim: Claim, key: Key, resource: Resource | None, reason: str, *, renamed_from: str = ""
    ) -> None:
        await self._do(operations.settle, claim, key, resource, reason, renamed_from)

    async def progress(self, claim: Claim, provisioning_status: str) -> None:
        await self._do(work.progress, claim, provisioning_status)

    async def finish(self, claim: Claim, status: WorkStatus, reason: str = "") -> Sequence[UUID]:
        return await self._do(work.finish, claim, status, reason)

    async def postpone(self, claim: Claim, seconds: float, reason: str) -> None:
        await self._do(work.postpone, claim, seconds, reason)

    async def work(self, ids: Collection[UUID]) -> Sequence[Work]:
        return await self._do(work.work_items, ids)

    async def pack_states(self, pack: PackId | None = None) -> Sequence[PackState]:
        return await self._do(reading.pack_states, pack)

    async def history(self, kind_and_name: Key) -> Sequence[KeyVersion]:
        return await self._do(reading.history, kind_and_name)

    async def find_recipients(self, name: str) -> Sequence[Key]:
        return await self._do(reading.find_recipients, normal_name(name))

    async def observed(self, pack: PackId, degraded: Mapping[Key, Sequence[Degraded]]) -> None:
        await self._do(observations.observed, pack, degraded)

    async def degraded(self) -> Mapping[PackId, Mapping[Key, tuple[Degraded, ...]]]:
        return await self._do(observations.degraded)

    async def _do(
        self,
        body: Callable[Concatenate[asyncpg.Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        async def run(connection: asyncpg.Connection) -> T:
            return await body(connection, *args, **kwargs)

        return await transact(self._pool, self._where, run)
