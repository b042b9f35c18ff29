"""Who could read what, asked of PostgreSQL: any history is answered as a model of it would, now and at any time, and a
long one is never read through."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.adapters.postgres.archive_access import names_asked, statement
from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.resources import write_resource
from reconciler.adapters.postgres.versions import Change
from reconciler.core.key import Key, PackId, recipient_key, share_key
from reconciler.core.reads import Reads, reads_at
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.review import Review
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from reconciler.ports.archive import Archive
from tests.adapters.postgres.long_history import fill
from tests.adapters.postgres.older import migrate_to
from tests.adapters.postgres.samples import PACK, THIRD_PACK, WORKSPACE, a_plan, an_order
from tests.drawing import examples

#: The pack of each share: two business lines.
PACKS = (PACK, THIRD_PACK, PACK)
LINES = {None: PACKS, PACK.business_line_key: (PACK,), THIRD_PACK.business_line_key: (THIRD_PACK,), "none": ()}

#: Which objects and which readers a share has, by their numbers; None: it is not there.
STATE = st.one_of(
    st.none(), st.tuples(st.frozensets(st.integers(0, 3), max_size=3), st.frozensets(st.integers(0, 1), max_size=2))
)
#: Each round writes some of the shares.
ROUNDS = st.lists(st.dictionaries(st.integers(0, 2), STATE, min_size=1), min_size=1, max_size=6)
#: When (a round; beyond the last: now), which reader, which object, as whose eyes.
QUESTION = st.tuples(
    st.integers(0, 6),
    st.sampled_from([None, 0, 1]),
    st.sampled_from([None, 0, 2, 3]),
    st.sampled_from(sorted(LINES, key=str)),
)


@dataclass(slots=True)
class Record:
    """Kept open over all examples, which use names of their own."""

    runner: asyncio.Runner
    ledger: PostgresLedger
    connection: asyncpg.Connection

    @property
    def archive(self) -> Archive:
        return self.ledger.portal().archive


@pytest.fixture
def record(migrated_database_url: str) -> Iterator[Record]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        ledger = runner.run(PostgresLedger.open(migrated_database_url))
        runner.run(ledger.submit(a_plan(), [an_order(pack) for pack in (PACK, THIRD_PACK)]))
        connection = runner.run(asyncpg.connect(migrated_database_url))
        yield Record(runner, ledger, connection)
        runner.run(connection.close())
        runner.run(ledger.close())


State = tuple[frozenset[int], frozenset[int]] | None


@dataclass(frozen=True, slots=True)
class Model:
    """What was written, round by round."""

    #: Of this example alone.
    prefix: str
    past: Sequence[Mapping[int, State]]

    def objects(self) -> Sequence[SharedObject]:
        table = f"{self.prefix}.s.t"
        part = frozenset({frozenset({Condition("region", value="EMEA")})})
        return (
            SharedObject(table, ObjectType.TABLE),
            SharedObject(table, ObjectType.TABLE, partitions=part),
            SharedObject(f"{self.prefix}.s", ObjectType.SCHEMA),
            SharedObject(f"{self.prefix} How To", ObjectType.NOTEBOOK_FILE),
        )

    def reader(self, number: int) -> str:
        return f"{self.prefix}_reader_{number}"

    def share(self, number: int, state: State) -> Share | None:
        if state is None:
            return None
        objects, readers = state
        return Share(
            f"{self.prefix}_{number}",
            objects=frozenset(self.objects()[each] for each in objects),
            recipients=frozenset(map(self.reader, readers)),
        )

    def pairs(self, at: int, number: int) -> set[tuple[str, SharedObject]]:
        share = self.share(number, self.past[at].get(number)) if at >= 0 else None
        if share is None or not isinstance(share.objects, frozenset) or not isinstance(share.recipients, frozenset):
            return set()
        return {(reader, item) for reader in share.recipients for item in share.objects}

    def answer(
        self, at: int, reader: str, name: str, packs: Sequence[PackId]
    ) -> set[tuple[str, SharedObject, str, int]]:
        """Reader, object, share, and the round since when."""
        found = set()
        for number in range(len(PACKS)):
            for pair in self.pairs(at, number) if PACKS[number] in packs else ():
                if (reader and pair[0] != reader.lower()) or (name and not _holds(pair[1], name.lower())):
                    continue
                since = at
                while pair in self.pairs(since - 1, number):
                    since -= 1
                found.add((*pair, f"{self.prefix}_{number}", since))
        return found


def _holds(item: SharedObject, name: str) -> bool:
    own = item.name.lower()
    return name == own or (item.type is ObjectType.SCHEMA and name.startswith(f"{own}."))


@given(rounds=ROUNDS, questions=st.lists(QUESTION, min_size=1, max_size=5))
@settings(max_examples=examples(30, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_question_is_answered_as_it_was(
    record: Record, rounds: list[dict[int, State]], questions: list[tuple[int, int | None, int | None, str | None]]
) -> None:
    record.runner.run(_check(record, rounds, questions))


async def _check(
    record: Record, rounds: list[dict[int, State]], questions: list[tuple[int, int | None, int | None, str | None]]
) -> None:
    past: list[Mapping[int, State]] = []
    for changes in rounds:
        past.append({**(past[-1] if past else {}), **changes})
    model = Model(f"x{uuid4().hex}", past)
    moments = [await _write(record.connection, model, number, changes) for number, changes in enumerate(rounds)]
    for when, reader_number, object_number, line in questions:
        at = moments[when] if when < len(moments) else None
        reader = "" if reader_number is None else model.reader(reader_number).upper()
        name = "" if object_number is None else model.objects()[object_number].name.upper()
        lines = None if line is None else frozenset({line})
        versions = await record.archive.share_versions(at, recipient=reader, object_name=name, lines=lines)
        told = {
            (each.recipient, each.item, each.share.name, _round_of(each))
            for each in reads_at(versions, at)
            if each.share.name.startswith(model.prefix) and _is_asked(each, reader, name)
        }
        assert told == model.answer(min(when, len(moments) - 1), reader, name, LINES[line])


def _is_asked(line: Reads, reader: str, name: str) -> bool:
    return (not reader or line.recipient == reader.lower()) and (not name or line.covers(name))


def _round_of(line: Reads) -> int:
    """Its approval, its pull request and its commit are those of one round."""
    number = int(line.approved_by.removeprefix("reviewer "))
    assert (line.commit, line.pull_requests, line.created_by) == (f"c{number}", f"jllt/packs#{number}", f"by {number}")
    return number


async def _write(connection: asyncpg.Connection, model: Model, number: int, changes: Mapping[int, State]) -> datetime:
    """A moment at which they were in force."""
    review = Review((f"jllt/packs#{number}",), (f"reviewer {number}",))
    change = Change(f"by {number}", "a round", commit=f"c{number}", review=review)
    for share, state in changes.items():
        key = share_key(f"{model.prefix}_{share}", WORKSPACE)
        pack = pack_ids(PACKS[share]).share_pack
        await write_resource(connection, key, model.share(share, state), pack, change)
    moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return moment


def test_recipients_are_told_as_they_were(record: Record) -> None:
    record.runner.run(_check_recipients(record))


async def _check_recipients(record: Record) -> None:
    ann, bob = (recipient_key(name, WORKSPACE) for name in ("ann", "bob"))
    elsewhere = recipient_key("ann", "https://adb-2.azuredatabricks.net")
    rounds: list[dict[Key, Recipient | None]] = [
        {ann: Recipient("Ann", TokenSharing(), comment="first")},
        {ann: Recipient("Ann", TokenSharing(), comment="second"), bob: Recipient("bob", TokenSharing())},
        {ann: None, elsewhere: Recipient("ann", TokenSharing())},
    ]
    moments = []
    for changes in rounds:
        for key, resource in changes.items():
            await write_resource(record.connection, key, resource, pack_ids(PACK).share_pack, Change("x", "a round"))
        moments.append(await record.connection.fetchval("SELECT clock_timestamp()"))
    archive = record.archive
    assert await archive.recipients_at(["ANN", "bob", "nobody"], moments[0]) == {ann: rounds[0][ann]}
    assert await archive.recipients_at(["ann", "bob"], moments[1]) == rounds[1]
    assert await archive.recipients_at(["ann"], moments[1]) == {ann: rounds[1][ann]}
    now = {bob: rounds[1][bob], elsewhere: rounds[2][elsewhere]}
    for at in (None, moments[2]):
        assert await archive.recipients_at(["ann", "bob"], at) == now
    assert await archive.recipients_at([], None) == {}
    assert await archive.recipients_at(["ann"], datetime(2020, 1, 1, tzinfo=UTC)) == {}


def test_the_record_begins_with_the_first_share_of_the_lines(record: Record) -> None:
    record.runner.run(_check_beginning(record))


async def _check_beginning(record: Record) -> None:
    archive = record.archive
    assert await archive.begins_at() is None
    for number, pack in enumerate((THIRD_PACK, PACK)):
        key = share_key(f"share_{number}", WORKSPACE)
        for comment in ("first", "second"):
            share = Share(key.name, comment=comment)
            await write_resource(record.connection, key, share, pack_ids(pack).share_pack, Change("x", "y"))
    rows = await record.connection.fetch("SELECT effective_from FROM deltashare.shares WHERE version = 1 ORDER BY 1")
    legal, sales = (row["effective_from"] for row in rows)
    assert await archive.begins_at() == legal
    assert await archive.begins_at(frozenset({PACK.business_line_key})) == sales
    assert await archive.begins_at(frozenset({"none"})) is None


SHARES, VERSIONS = 400, 100
#: Within the 50th version of every share.
THEN = datetime(2024, 2, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    at: datetime | None
    object_name: str = ""
    recipient: str = ""

    @property
    def statement(self) -> str:
        return statement(
            is_past=self.at is not None, by_object=bool(self.object_name), by_recipient=bool(self.recipient)
        )

    @property
    def parameters(self) -> str:
        at = "NULL" if self.at is None else f"'{self.at.isoformat()}'"
        names = names_asked(self.object_name)
        objects = "NULL" if names is None else f"'{{{','.join(names)}}}'"
        readers = f"'{{{self.recipient}}}'" if self.recipient else "NULL"
        return f"{at}, {objects}, {readers}, NULL"


NOW_ASKED = [Ask(None, "prod.s7.t7"), Ask(None, "", "r7"), Ask(None, "prod.s7.t7", "r7")]
THEN_ASKED = [
    Ask(THEN, "prod.s7.t7"),
    Ask(THEN, "", "r7"),
    Ask(THEN, "prod.s7.t7", "r7"),
    # In every share, in one version of a hundred.
    Ask(THEN, "prod.busy.t50", "r7"),
]


async def test_a_long_history_is_found_by_its_indexes(fresh_database_url: str) -> None:
    """One test, for what it takes to make the history; it is that of an older version, brought up to date."""
    await migrate_to(fresh_database_url, "0006")
    connection = await asyncpg.connect(fresh_database_url)
    await fill(connection, [PACK, THIRD_PACK], shares=SHARES, versions=VERSIONS)
    ledger = await PostgresLedger.open(fresh_database_url)
    await ledger.submit(a_plan(), [an_order(pack) for pack in (PACK, THIRD_PACK)])
    await connection.execute("SET default_statistics_target = 10; ANALYZE deltashare.shares")
    for mode, ask in product(["force_custom_plan", "force_generic_plan"], [*NOW_ASKED, *THEN_ASKED]):
        nodes = await plan(connection, mode, ask)
        used = {node["Index Name"] for node in nodes if "Index Name" in node}
        assert "shares_reads_now" in used, (mode, ask, used)
        assert ask.at is None or "shares_reads_then" in used, (mode, ask, used)
        assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG], ask
        assert touched(nodes) <= 2 * SHARES, (mode, ask)
    await connection.close()
    await check_answers(ledger.portal().archive)
    await ledger.close()


BIG = {"shares", "audit_trail"}


async def plan(connection: asyncpg.Connection, mode: str, ask: Ask) -> list[dict[str, Any]]:
    """All nodes, as they were run."""
    await connection.execute(f"SET plan_cache_mode = {mode}")
    await connection.execute(f"PREPARE asked (timestamptz, text[], text[], text[]) AS {ask.statement}")
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({ask.parameters})")
    await connection.execute("DEALLOCATE asked")
    return list(_nodes(json.loads(found)[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("Plans", ()):
        yield from _nodes(part)


def touched(nodes: Sequence[Mapping[str, Any]]) -> int:
    """Rows of shares that were looked at."""
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0))
        * node["Actual Loops"]
        for node in nodes
        if node.get("Relation Name") == "shares"
    )


async def check_answers(archive: Archive) -> None:
    def readers(lines: Sequence[Reads]) -> set[tuple[str, str, int]]:
        return {(line.recipient, line.share.name, int(line.commit.removeprefix("c"))) for line in lines}

    async def asked(at: datetime | None, name: str, lines: frozenset[str] | None = None) -> set[tuple[str, str, int]]:
        versions = await archive.share_versions(at, object_name=name, lines=lines)
        return readers([line for line in reads_at(versions, at) if line.covers(name)])

    assert await asked(None, "prod.s7.t7") == {("r7", "share_7", 1), ("r107", "share_7", VERSIONS)}
    assert await asked(THEN, "PROD.s7.T7") == {("r7", "share_7", 1), ("r57", "share_7", 50)}
    # Nobody shares such a table, but its schema, in every fiftieth share.
    everyone = await asked(THEN, "prod.s0.unheard_of")
    assert {share for _, share, _ in everyone} == {f"share_{number}" for number in range(50, SHARES + 1, 50)}
    assert await asked(THEN, "prod.s0.unheard_of", frozenset({PACK.business_line_key})) == everyone
    assert await asked(THEN, "prod.s0.unheard_of", frozenset({THIRD_PACK.business_line_key})) == set()
    assert await asked(None, "prod.busy.t50") == set()
    assert len(await asked(THEN, "prod.busy.t50")) == 2 * SHARES
