"""A worker process that is stopped past its lease and woken again, and that nothing here asks this machine's clock."""

import ast
import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

import reconciler.adapters.postgres
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.ports.ledger import Claim, WorkStatus
from tests.adapters.postgres.samples import PACK, SALES, SALES_KEY, a_plan, everything, submitted, work_order

ROOT = Path(__file__).parents[3]


@contextmanager
def stalling(dsn: str, work_id: UUID, lease: float) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.postgres.stalling", dsn, str(work_id), str(lease)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_a_worker_that_was_stopped_past_its_lease_writes_nothing_when_it_wakes(
    ledger: PostgresLedger, connection: asyncpg.Connection, migrated_database_url: str
) -> None:
    work = await submitted(ledger, a_plan(), [work_order()])
    with stalling(migrated_database_url, work[PACK], 2) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "begun\n"
        os.kill(process.pid, signal.SIGSTOP)
        other = await taken_over(ledger, work[PACK])
        await ledger.resolve(other, SALES_KEY, SALES)
        await ledger.finish(other, WorkStatus.DONE)
        before = await everything(connection)
        process.stdin.write("go on\n")
        process.stdin.flush()
        os.kill(process.pid, signal.SIGCONT)
        said = await asyncio.to_thread(process.stdout.read)
    assert said.splitlines() == [
        f"{write} refused" for write in ("conclude", "begin", "settle", "renew", "postpone", "finish")
    ]
    assert await everything(connection) == before


async def taken_over(ledger: PostgresLedger, work_id: UUID) -> Claim:
    """As soon as the lease has run out."""
    for _ in range(200):
        taken = await ledger.claim("worker-2", work_id, 60)
        if isinstance(taken, Claim):
            return taken
        await asyncio.sleep(0.05)
    raise AssertionError("the lease of a stopped worker did not run out")


@pytest.mark.parametrize(
    "module", sorted(Path(reconciler.adapters.postgres.__file__).parent.glob("*.py")), ids=lambda path: path.stem
)
def test_what_is_recorded_is_never_asked_of_this_machines_clock(module: Path) -> None:
    asked = {
        node.func.attr
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not asked & {"now", "utcnow", "today", "time_ns", "time"}
