"""A database and a sandbox that belong together, put back to the same beginning before each case."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from reconciler.sandbox import ControlClient, Sandbox, Seed

ROOT: Final = "/api/2.1/unity-catalog"

SEED: Final = """\
principals:
  sharepack@sandbox.example: {token: dapi-faults, admin: true}
catalogs:
  main:
    sales:
      .numbered: {t: 400}
"""

#: The tables refuse deletion, and rows refer to each other; triggers are off for a replica.
_EACH_TABLE: Final = """
    SET session_replication_role = replica;
    DO $$
    DECLARE
        name TEXT;
        kept TEXT;
        columns TEXT;
    BEGIN
        -- A generated column cannot be written.
        FOR name, kept, columns IN
            SELECT attrelid::regclass::text, format('base.%I', schemaname || '_' || tablename),
                   string_agg(quote_ident(attname), ', ' ORDER BY attnum)
            FROM pg_tables JOIN pg_attribute ON attrelid = format('%I.%I', schemaname, tablename)::regclass
            WHERE schemaname IN ('deltashare', 'reconciler') AND tablename <> 'alembic_version'
              AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            GROUP BY attrelid, schemaname, tablename
        LOOP
            {do}
        END LOOP;
    END $$;
    SET session_replication_role = DEFAULT;
"""
_KEEP: Final = "DROP SCHEMA IF EXISTS base CASCADE; CREATE SCHEMA base;" + _EACH_TABLE.replace(
    "{do}", "EXECUTE 'CREATE TABLE ' || kept || ' AS SELECT ' || columns || ' FROM ' || name;"
)
_EMPTY: Final = _EACH_TABLE.replace("{do}", "EXECUTE 'DELETE FROM ' || name;")
_RESTORE: Final = _EACH_TABLE.replace(
    "{do}",
    "EXECUTE 'DELETE FROM ' || name; "
    "EXECUTE 'INSERT INTO ' || name || ' (' || columns || ') OVERRIDING SYSTEM VALUE SELECT * FROM ' || kept;",
)
_OTHERS: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(slots=True)
class Lane:
    url: str
    database_url: str
    sandbox: Sandbox
    _held: dict[str, Any] = field(default_factory=dict)
    _connection: asyncpg.Connection | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """One connection for a whole test: making one costs more than most of what is asked."""
        self._connection = await asyncpg.connect(self.database_url)
        try:
            yield
        finally:
            await self._connection.close()

    @property
    def control(self) -> ControlClient:
        return ControlClient(self.url)

    async def empty(self) -> None:
        await self._alone(_EMPTY)
        self.control.reset()

    async def keep(self) -> None:
        """What is there now is the beginning from here on."""
        await self._alone(_KEEP)
        state = self.sandbox._world.state
        self._held = {name: value.copy() for name, value in _parts(state).items()}

    async def restore(self) -> None:
        await self._alone(_RESTORE)
        world = self.sandbox._world
        for name, value in self._held.items():
            setattr(world.state, name, value.copy())
        world.faults.clear()
        world.log.clear()
        world.latency_ms = 0

    async def fetch(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        assert self._connection is not None
        return list(await self._connection.fetch(query, *arguments))

    async def let_leases_run_out(self) -> None:
        """What waiting would do: a lease outlives the calls of its holder, so none of them is on its way any more."""
        # What the dead one sent lies before this in the server's loop.
        self.control.counts()
        while self.sandbox._world.under_way:
            await asyncio.sleep(0.005)
        await self.fetch("UPDATE reconciler.leases SET expires_at = clock_timestamp() WHERE holder <> ''")

    def writes(self) -> list[tuple[str, str, Any]]:
        """What took effect at Databricks since the beginning: method, path below the API root, body."""
        return [
            (entry["method"], entry["path"].removeprefix(ROOT), entry["body"])
            for entry in self.control.log(writes_only=True)
            if entry["status"] == 200 or entry["fault"] == "after"
        ]

    async def _alone(self, statements: str) -> None:
        """Runs these when nobody else is connected any more: what a killed process had begun has ended."""
        assert self._connection is not None
        while await self._connection.fetchval(_OTHERS):
            await asyncio.sleep(0.005)
        await self._connection.execute(statements)


def _parts(state: Any) -> Mapping[str, Any]:
    """What calls change; the records in it are frozen."""
    return {name: getattr(state, name) for name in ("recipients", "shares", "used_links", "_name_of")}


@contextmanager
def sandbox() -> Iterator[tuple[str, Sandbox]]:
    server = Sandbox(Seed.from_yaml(SEED))
    with server.serving() as url:
        yield url, server


async def wait_until(found: Any, patience: float = 20.0) -> None:
    """`found`: an asynchronous function that answers whether it is so now."""
    deadline = time.monotonic() + patience
    while not await found():
        assert time.monotonic() < deadline, "it did not come"
        await asyncio.sleep(0.01)
