"""The ledger's connections, lent to the ports of the HTTP API: one pool for one process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

import asyncpg

from reconciler.adapters.postgres.connection import transact

T = TypeVar("T")
P = ParamSpec("P")


def storable(text: str) -> str:
    """As a database takes it, which has no NUL and no halves of characters. People can send both."""
    return text.replace("\x00", "?").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class PortalPool:
    pool: asyncpg.Pool
    #: The database in words.
    where: str

    async def run(
        self,
        body: Callable[Concatenate[asyncpg.Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """In one transaction. Raises LedgerError."""

        async def once(connection: asyncpg.Connection) -> T:
            return await body(connection, *args, **kwargs)

        return await transact(self.pool, self.where, once)
