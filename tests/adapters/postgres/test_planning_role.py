"""A user of the database that may only plan pull requests, with the rights that docs/running.md names."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import LedgerError, ShownPlan
from tests.adapters.postgres.older import migrate_to
from tests.adapters.postgres.samples import COMMIT, PACK, SALES_KEY, a_plan, work_order

RUNNING = Path(__file__).parents[3] / "docs" / "running.md"


def rights(role: str) -> str:
    block = re.search(r"```sql\n(CREATE ROLE packs_planner .*?)```", RUNNING.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1].replace("packs_planner", f'"{role}"')


def as_role(dsn: str, role: str) -> str:
    return dsn.replace("postgres@", f"{role}@", 1)


async def drop(connection: asyncpg.Connection, role: str) -> None:
    await connection.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


@pytest.fixture
async def planner(
    ledger: PostgresLedger, connection: asyncpg.Connection, migrated_database_url: str
) -> AsyncIterator[PostgresLedger]:
    """Where a pack is on record."""
    await ledger.submit(a_plan(), [work_order()])
    role = f"planner_{urlsplit(migrated_database_url).path.strip('/')}"
    await connection.execute(rights(role))
    opened = await PostgresLedger.open(as_role(migrated_database_url, role))
    yield opened
    await opened.close()
    await drop(connection, role)


async def test_it_reads_all_that_plans_and_status_are_made_of(planner: PostgresLedger) -> None:
    assert (await planner.recorded([SALES_KEY], [PACK])).packs[PACK].id == PACK
    assert await planner.all_packs() == [PACK]
    assert (await planner.standings([PACK])).keys() == {PACK}
    [state] = await planner.pack_states()
    assert state.pack == PACK
    assert await planner.history(SALES_KEY) == []
    assert await planner.find_recipients("nobody") == []
    assert (await planner.holds()).suspensions == {}
    assert await planner.sightings() == {}
    assert await planner.pauses() == {}
    assert await planner.daemons() == []
    assert (await planner.figures()).unfinished == 1
    facts = await planner.facts()
    assert facts.revision == facts.known_revision


async def test_it_remembers_what_reviewers_were_shown(planner: PostgresLedger) -> None:
    await planner.show_plan(ShownPlan("jllt/packs", 12, COMMIT, "f" * 64, {}))
    await planner.show_plan(ShownPlan("jllt/packs", 12, COMMIT, "f" * 64, {}))
    [shown] = await planner.shown_plans("jllt/packs", 12)
    assert (shown.head, shown.fingerprint) == (COMMIT, "f" * 64)


async def test_it_changes_nothing_else(planner: PostgresLedger) -> None:
    for call in (
        planner.submit(a_plan(), [work_order()]),
        planner.save_plan(a_plan()),
        planner.claim("worker-1", (await planner.due())[0], 60),
        planner.observed(PACK, {SALES_KEY: Sighting(drift=("comment",))}),
        planner.reject(PACK, "a.yaml", "why", COMMIT, "eve"),
    ):
        with pytest.raises(LedgerError, match="permission denied for table"):
            await call


async def test_before_an_upgrade_it_says_who_has_to_go_first(database_url: str) -> None:
    await migrate_to(database_url, "0005")
    role = f"planner_{urlsplit(database_url).path.strip('/')}"
    connection = await asyncpg.connect(database_url)
    await connection.execute(rights(role).replace("GRANT INSERT ON reconciler.shown_plans", "--"))
    try:
        with pytest.raises(LedgerError, match=r"revision 0005, 0\d+ is needed, .*must be owner.*: the daemon, or an"):
            await PostgresLedger.open(as_role(database_url, role))
    finally:
        await drop(connection, role)
        await connection.close()
