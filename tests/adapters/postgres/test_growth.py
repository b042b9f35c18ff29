"""No statement on the record costs more because the history is long: a story that uses every method of the ledger and
of the ports of the HTTP API is told to a young record and to one that is ten times as old."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.connection import place
from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.migrate import migrate
from reconciler.core.approval import Approved
from reconciler.core.calls import CreateShare, Operation
from reconciler.core.holds import Suspension
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.permits import Right
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import Share
from reconciler.core.sighting import Sighting
from reconciler.ports.archive import Archive, Filter
from reconciler.ports.inbox import Inbox, UploadStatus
from reconciler.ports.kept_plans import KeptPlans
from reconciler.ports.keyring import ApiKey, Keyring
from reconciler.ports.ledger import Daemon, Done, Ledger, ShownPlan, WorkStatus
from tests.adapters.postgres.grown import GROWING, age
from tests.adapters.postgres.samples import (
    COMMIT,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    WORKSPACE,
    a_plan,
    an_order,
    claim,
    submitted,
    wanted,
    work_order,
)
from tests.adapters.postgres.uploads import an_upload

YOUNG, OLD = 100, 1000
#: Blocks of a table that are looked at may be more by so much: trees of an old record are a level deeper.
MOST = 1.5
#: And by so many, where there are few.
SOME = 20


#: What autovacuum looks at is counted like anything else that is looked at, and it comes when it likes.
ALONE: Final = """
    DO $$
    DECLARE
        name regclass;
    BEGIN
        FOR name IN
            SELECT oid::regclass FROM pg_class
            WHERE relkind = 'r' AND relnamespace IN ('deltashare'::regnamespace, 'reconciler'::regnamespace)
        LOOP
            EXECUTE 'ALTER TABLE ' || name || ' SET (autovacuum_enabled = off)';
        END LOOP;
    END $$
"""


async def _keep(_connection: asyncpg.Connection) -> None:
    """As the program has it: there is nothing to reset."""


@dataclass(slots=True)
class Told:
    """Something whose methods are called, and which."""

    of: Any
    called: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self.of, name)


@dataclass(slots=True)
class Record:
    connection: asyncpg.Connection
    pool: asyncpg.Pool
    #: What implements each port.
    told: Mapping[type, Told]
    statements: list[asyncpg.connection.LoggedQuery]


@pytest.fixture
async def record(fresh_database_url: str) -> AsyncIterator[Record]:
    """Of tables that nobody has used: the server goes by what it has counted of them."""
    await migrate(fresh_database_url)
    statements: list[Any] = []

    async def listen(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(statements.append)

    pool = await asyncpg.create_pool(fresh_database_url, min_size=1, max_size=1, init=listen, reset=_keep)
    connection = await asyncpg.connect(fresh_database_url)
    await connection.execute(ALONE)
    ledger = PostgresLedger(pool, place(fresh_database_url))
    yield Record(connection, pool, ports(ledger), statements)
    await connection.close()
    await pool.close()


def ports(ledger: PostgresLedger) -> Mapping[type, Told]:
    portal = ledger.portal()
    return {
        Ledger: Told(ledger),
        Archive: Told(portal.archive),
        Inbox: Told(portal.inbox),
        Keyring: Told(portal.keyring),
        KeptPlans: Told(portal.plans),
    }


async def test_a_long_history_costs_no_more_than_a_short_one(record: Record) -> None:
    """One test, for what it takes to make a record old."""
    await story(record, 0)
    await age(record.connection, 0, YOUNG)
    young = await cost(record, 1)
    await age(record.connection, YOUNG, OLD)
    old = await cost(record, 2)
    assert {name for port, told in record.told.items() for name in missing(port, told)} == {"close"}
    scanned = {table for table in GROWING if old[table].scans}
    assert not scanned, await who_scans(record, scanned)
    grown = {
        table: (young[table].blocks, old[table].blocks)
        for table in GROWING
        if old[table].blocks > MOST * young[table].blocks + SOME
    }
    assert not grown


async def test_what_has_been_changed_most_often_is_found_as_fast_as_the_rest(record: Record) -> None:
    """The server cannot know of a name that it has more versions than most."""
    ledger = record.told[Ledger]
    await applied(ledger, 0)
    await many_others(record.connection)
    looked_at = []
    for turn, versions in enumerate((1, OLD), 1):
        await age(record.connection, 1, versions)
        before = await counted(record)
        await applied(ledger, turn)
        after = await counted(record)
        looked_at.append({name: after[name].blocks - before[name].blocks for name in ("shares", "recipients")})
    young, old = looked_at
    assert {name: (young[name], old[name]) for name in young if old[name] > MOST * young[name] + SOME} == {}


async def many_others(connection: asyncpg.Connection) -> None:
    """Gone by now, with a few versions each; so many that nobody looks at all that are current."""
    await connection.execute("SET session_replication_role = replica")
    for table, key in (("share", "share_id"), ("recipient", "recipient_id")):
        columns = await connection.fetchval(
            """
            SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
            WHERE table_schema = 'deltashare' AND table_name = $1 AND is_generated = 'NEVER'
              AND column_name <> ALL ('{record_id, is_current, is_deleted, effective_from, effective_to, version}')
              AND column_name NOT IN ($2, $3)
            """,
            f"{table}s",
            key,
            f"{table}_name",
        )
        await connection.execute(f"""
            INSERT INTO deltashare.{table}s (
                {columns}, {key}, {table}_name, version, is_current, is_deleted, effective_from, effective_to
            )
            SELECT {columns}, md5({key}::text || n)::uuid, 'other_' || n, v, v = 4, v = 4,
                   now() + v * interval '1 s',
                   CASE WHEN v < 4 THEN now() + (v + 1) * interval '1 s' ELSE 'infinity' END
            FROM (SELECT * FROM deltashare.{table}s WHERE is_current AND NOT is_deleted LIMIT 1) AS one
            CROSS JOIN generate_series(1, 1500) AS n CROSS JOIN generate_series(1, 4) AS v
        """)
    await connection.execute("RESET session_replication_role")


def missing(port: type, told: Told) -> set[str]:
    return {name for name, _ in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"} - told.called


@dataclass(frozen=True, slots=True)
class Cost:
    #: How often it was read from end to end.
    scans: int
    #: Of the table and its indexes.
    blocks: int


async def cost(record: Record, number: int) -> Mapping[str, Cost]:
    """Everything that is looked at, whether by a statement, a trigger or a constraint."""
    before = await counted(record)
    record.statements.clear()
    await story(record, number)
    after = await counted(record)
    return {
        table: Cost(after[table].scans - before[table].scans, after[table].blocks - before[table].blocks)
        for table in GROWING
    }


async def counted(record: Record) -> Mapping[str, Cost]:
    # A connection tells what it has counted now and then, or when it is asked to, or when it is closed.
    await record.connection.execute("SELECT pg_stat_force_next_flush()")
    await record.pool.expire_connections()
    await record.pool.execute("SELECT 1")
    await asyncio.sleep(0.2)
    rows = await record.connection.fetch(
        """
        SELECT relname, seq_scan, (
            heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0)
            + coalesce(toast_blks_hit, 0) + coalesce(toast_blks_read, 0)
        ) AS blocks
        FROM pg_statio_user_tables JOIN pg_stat_user_tables USING (relid, relname)
        """
    )
    return {row["relname"]: Cost(row["seq_scan"], row["blocks"]) for row in rows}


async def who_scans(record: Record, tables: set[str]) -> str:
    found = []
    for each in {each.query: each for each in record.statements if not each.query.endswith(";")}.values():
        if ") VALUES (" in each.query:
            continue
        plan = "\n".join(row[0] for row in await record.connection.fetch(f"EXPLAIN {each.query}", *each.args))
        if any(f"Seq Scan on {table}" in plan for table in tables):
            lines = [line for line in plan.splitlines() if "Seq Scan" in line]
            found.append(f"{each.query}\n{lines}")
    return f"{sorted(tables)}\n" + "\n\n".join(found)


async def story(record: Record, number: int) -> None:
    await handed_in(record.told[Inbox], number)
    await applied(record.told[Ledger], number)
    await read(record.told[Ledger], number)
    await asked(record.told[Archive], number)
    await opened(record.told[Keyring], number)
    assert await record.told[KeptPlans].newest(PackId.of("New", f"{number}")) is None


async def handed_in(inbox: Any, number: int) -> None:
    for n, end in enumerate((UploadStatus.SUBMITTED, UploadStatus.FAILED)):
        upload = await inbox.receive(an_upload(f"{number}, {n}".encode()))
        await inbox.committed(upload, COMMIT, strategy="NEW", share_pack_name="SharePack_john")
        await inbox.proposed(upload, COMMIT, number + 1)
        assert await inbox.unfinished(0)
        await inbox.end(upload.id, end)
        assert await inbox.find(upload.id)
    await inbox.reject(an_upload())
    assert await inbox.uploads(PACK)


async def opened(keyring: Any, number: int) -> None:
    key_id = f"{number:08}"
    await keyring.add(ApiKey(key_id, "portal", Right.READ, None, "ann"), bytes(32))
    assert await keyring.find(key_id)
    await keyring.used(key_id)
    assert await keyring.keys()
    assert await keyring.revoke(key_id, "ann")


async def applied(ledger: Any, number: int) -> None:
    """What is said of packs that are on record from the first time on is said again and again."""
    comment = f"told for the {number}th time"
    plan, sales = a_plan(), Share("sales", comment=comment, recipients=SALES.recipients)
    other = work_order(OTHER_PACK, frozenset({PACK}))
    await ledger.save_plan(plan)
    work = await submitted(ledger, plan, [an_order(PACK, wanted(SALES_KEY, sales), config={"n": number}), other])
    await ledger.due()
    await ledger.next_due()
    held = await claim(ledger, work[PACK])
    await ledger.renew(held, 60)
    operation_id = uuid4()
    await ledger.advance(held, {}, {operation_id: Operation(CreateShare(SALES_KEY), sales)}, f"creating {number}")
    await ledger.advance(held, {operation_id: Done()}, {})
    await ledger.resolve(held, SALES_KEY, SALES)
    analyst = recipient_key("analyst", WORKSPACE)
    await ledger.settle(held, analyst, Recipient("analyst", TokenSharing(), comment=comment), "as found")
    await ledger.corrected(held, SALES_KEY, {"comment": "somebody"}, "declared")
    await ledger.postpone(held, 0, "later")
    held = await claim(ledger, work[PACK])
    await ledger.finish(held, WorkStatus.FAILED, "why")
    again = await submitted(ledger, a_plan(), [an_order(PACK, wanted(SALES_KEY, sales)), other])
    newer = await submitted(ledger, a_plan(), [an_order(PACK, wanted(SALES_KEY, SALES))])
    assert not isinstance(await ledger.claim("worker-2", again[PACK], 60), type(held))
    await ledger.finish(await claim(ledger, newer[PACK]), WorkStatus.DONE)
    await ledger.finish(await claim(ledger, again[OTHER_PACK]), WorkStatus.DONE)
    new = PackId.of("New", f"{number}")
    await ledger.submit(a_plan(), [an_order(new)])
    await ledger.reject(PACK, "sales.yaml", "no YAML", COMMIT, "ann")
    key, share = share_key(f"new_{number}", WORKSPACE), Share(f"new_{number}", comment=comment)
    [work_id] = (await submitted(ledger, a_plan(), [an_order(new, wanted(key, share))])).values()
    held = await claim(ledger, work_id)
    await ledger.settle(held, key, share, "as found")
    await ledger.finish(held, WorkStatus.DONE)


async def read(ledger: Any, number: int) -> None:
    new, key = PackId.of("New", f"{number}"), share_key(f"new_{number}", WORKSPACE)
    await ledger.recorded([SALES_KEY, recipient_key("analyst", WORKSPACE)], [PACK])
    await ledger.pack_rows([PACK])
    await ledger.all_packs()
    await ledger.pack_states()
    await ledger.pack_states(PACK)
    await ledger.standings([PACK, OTHER_PACK])
    [newest] = (await submitted(ledger, a_plan(), [work_order(new)])).values()
    await ledger.work([newest])
    await ledger.operations([newest])
    await ledger.history(key)
    await ledger.find_recipients("analyst")
    await ledger.observed(PACK, {SALES_KEY: Sighting(drift=("comment",), drifted_by=f"{number}")})
    await ledger.sightings()
    await ledger.suspend(PACK, Suspension("ann", "why", datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)))
    await ledger.holds()
    await ledger.resume(PACK, "ann")
    shown = Approved("f", frozenset({"create"}), WORKSPACE, frozenset())
    await ledger.show_plan(ShownPlan("jllt/packs", 1_000_000 + number, COMMIT, "f", {PACK: shown}))
    await ledger.shown_plans("jllt/packs", 1_000_000 + number)
    await ledger.pause(WORKSPACE, 0, "busy")
    await ledger.pauses()
    await ledger.heard_of(Daemon("one", leads=True, seen_at=datetime.now(UTC)))
    await ledger.daemons()
    await ledger.figures()
    await ledger.facts()
    await ledger.distrust(WORKSPACE, "sales")
    await ledger.distrusted()


async def asked(archive: Any, number: int) -> None:
    now = datetime.now(UTC)
    await archive.packs(Filter())
    await archive.pack(pack_ids(PACK).share_pack)
    # A pack that is new: everything that is told of it is told, however much there is.
    new = PackId.of("New", f"{number}")
    assert await archive.pack_keys(new)
    assert await archive.pack_versions(pack_ids(new).share_pack)
    assert await archive.tenancy_versions(pack_ids(new).project)
    await archive.tenants(None)
    await archive.projects(None)
    newest = await archive.newest_happening()
    await archive.happenings(newest - 1, None)
    await archive.share_versions(None, object_name="prod.sales.orders")
    await archive.share_versions(now, recipient=f"nobody {number}")
    await archive.begins_at()
    await archive.recipients_at(["analyst"], None)
    await archive.tables()
