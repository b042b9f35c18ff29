"""Recording many versions of resources at once, and COPY of the same rows into the same table."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import asyncpg

from reconciler.adapters.postgres.ids import resource_id
from reconciler.adapters.postgres.rows import to_columns
from reconciler.adapters.postgres.tables import SHARES
from reconciler.adapters.postgres.versions import Change, Row, revised, write_versions
from reconciler.core.key import share_key
from reconciler.core.share import ObjectType, Share, SharedObject
from tests.bench.database import copy_database, named
from tests.bench.recording import batches
from tests.bench.task import Elsewhere, Task

#: Versions in one transaction.
TOGETHER = 5000
_WORKSPACE = "https://adb-1.1.azuredatabricks.net"
#: Generated columns cannot be copied into.
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'deltashare' AND table_name = $1 AND is_generated = 'NEVER' AND identity_generation IS NULL
    ORDER BY ordinal_position
"""


class Recording:
    """Versions of shares of ten objects each, as many as asked for, each of them the first of its share."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._rows = [_row(number) for number in range(task.rows)]
        self._change = Change("bench", "share created", uuid4(), "c" * 40)
        self._connection: asyncpg.Connection | None = None
        self._copies: list[dict[str, float]] = []

    async def prepare(self) -> None:
        """COPY goes between the runs, so that both meet the same neighbours on the machine."""
        if self._connection is not None:
            await self._copy()
        self._connection = await self._empty_database()

    async def run(self) -> None:
        assert self._connection is not None
        for rows in batches(self._rows, TOGETHER):
            async with self._connection.transaction():
                written = await write_versions(self._connection, SHARES, rows, self._change)
            if len(written) != len(rows):
                raise AssertionError(f"{len(written)} of {len(rows)} versions were written")

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None:
        await self._copy()

    def yardsticks(self) -> dict[str, float]:
        """`limit`: COPY of the versions alone; the program writes an audit row beside each."""
        names = self._copies[0].keys()
        found = {name: median(copy[name] for copy in self._copies) for name in names}
        return {"limit": found["shares"], "COPY with audit rows": found["shares"] + found["audit_trail"]}

    async def _empty_database(self) -> asyncpg.Connection:
        place = self._task.place
        await copy_database(place.admin_dsn, place.template, place.database)
        return await asyncpg.connect(named(place.admin_dsn, place.database))

    async def _copy(self) -> None:
        """Out of the database that was recorded in, and into an empty one."""
        assert self._connection is not None
        with tempfile.TemporaryDirectory(prefix="sharepack bench copy ") as name:
            columns = {}
            for table in ("shares", "audit_trail"):
                columns[table] = [row["column_name"] for row in await self._connection.fetch(_COLUMNS, table)]
                path = Path(name) / table
                await self._connection.copy_from_table(
                    table, schema_name="deltashare", columns=columns[table], output=path, format="binary"
                )
            await self._connection.close()
            self._connection = await self._empty_database()
            self._copies.append(
                {table: await self._copy_in(table, names, Path(name)) for table, names in columns.items()}
            )
            await self._connection.close()

    async def _copy_in(self, table: str, columns: Sequence[str], folder: Path) -> float:
        assert self._connection is not None
        start = time.perf_counter()
        await self._connection.copy_to_table(
            table, schema_name="deltashare", columns=columns, source=folder / table, format="binary"
        )
        return time.perf_counter() - start


def _row(number: int) -> Row:
    share = Share(
        f"share_{number:06}",
        comment=f"Share {number}",
        objects=frozenset(SharedObject(f"bench.s{number}.t_{each}", ObjectType.TABLE) for each in range(10)),
        recipients=frozenset({f"partner-{number}", f"partner-{number + 1}"}),
    )
    columns = {**to_columns(share), "workspace_url": _WORKSPACE, "share_pack_id": str(UUID(int=number // 2))}
    return revised(SHARES, resource_id(share_key(share.name, _WORKSPACE)), None, columns)
