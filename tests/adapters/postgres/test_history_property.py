"""History, for any sequence of writes: versions have no gap and no overlap, one is current, replaying them ends at the
recorded state, and a question about the past gets what was current then."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.adapters.postgres.tables import USERS
from reconciler.adapters.postgres.versions import Change, Row, read_current, revised, write_versions
from tests.drawing import examples

#: One value of a key, or its deletion. Few values, so that writing the same again is common.
STATE = st.sampled_from(["ann", "bob", "", None])
#: Each round writes some of the keys in one statement.
ROUNDS = st.lists(st.dictionaries(st.integers(0, 3), STATE, min_size=1), min_size=1, max_size=6)

EXAMPLES = examples(30, 200)


@dataclass(slots=True)
class Database:
    """Kept open over all examples, which use keys of their own."""

    runner: asyncio.Runner
    connection: asyncpg.Connection


@pytest.fixture
def database(migrated_database_url: str) -> Iterator[Database]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        connection = runner.run(asyncpg.connect(migrated_database_url))
        yield Database(runner, connection)
        runner.run(connection.close())


@given(rounds=ROUNDS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_history_tells_what_was(database: Database, rounds: list[dict[int, str | None]]) -> None:
    database.runner.run(_check(database.connection, rounds))


async def _check(connection: asyncpg.Connection, rounds: list[dict[int, str | None]]) -> None:
    keys = [uuid4() for _ in range(4)]
    model: dict[UUID, str | None] = {}
    past: list[tuple[datetime, Mapping[UUID, str | None]]] = []
    for changes in rounds:
        await _write(connection, {keys[number]: state for number, state in changes.items()})
        model |= {keys[number]: state for number, state in changes.items()}
        past.append((await connection.fetchval("SELECT clock_timestamp()"), dict(model)))
    _check_versions(await _versions(connection, keys), keys, rounds)
    for moment, expected in past:
        assert await _as_of(connection, keys, moment) == _existing(expected)
    assert await _current(connection, keys) == _existing(model)


async def _write(connection: asyncpg.Connection, states: Mapping[UUID, str | None]) -> None:
    current = await read_current(connection, USERS, states)
    rows = [_row(key, current.get(key), state) for key, state in states.items()]
    await write_versions(connection, USERS, rows, Change("test", "a round"))


def _row(key: UUID, current: Row | None, state: str | None) -> Row:
    if state is None:
        return revised(USERS, key, current, {}, is_deleted=True)
    return revised(USERS, key, current, {"email": str(key), "display_name": state, "is_active": True})


def _check_versions(
    rows: Sequence[asyncpg.Record], keys: Sequence[UUID], rounds: Sequence[Mapping[int, str | None]]
) -> None:
    for number, key in enumerate(keys):
        versions = [row for row in rows if row["user_id"] == key]
        told = [None if row["is_deleted"] else row["display_name"] for row in versions]
        assert told == _distinct([changes[number] for changes in rounds if number in changes])
        assert [row["version"] for row in versions] == list(range(1, len(versions) + 1))
        assert [row["effective_from"] for row in versions[1:]] == [row["effective_to"] for row in versions[:-1]]
        assert [row["is_current"] for row in versions] == [row is versions[-1] for row in versions]


def _distinct(states: Sequence[str | None]) -> list[str | None]:
    """A version for each change: repeating a state is none, and what never was cannot be deleted."""
    told: list[str | None] = []
    for state in states:
        if state != (told[-1] if told else None):
            told.append(state)
    return told


def _existing(states: Mapping[UUID, str | None]) -> Mapping[UUID, str]:
    return {key: state for key, state in states.items() if state is not None}


async def _versions(connection: asyncpg.Connection, keys: Sequence[UUID]) -> Sequence[asyncpg.Record]:
    rows: Sequence[asyncpg.Record] = await connection.fetch(
        "SELECT * FROM deltashare.users WHERE user_id = ANY ($1) ORDER BY user_id, version", keys
    )
    return rows


async def _as_of(connection: asyncpg.Connection, keys: Sequence[UUID], moment: datetime) -> Mapping[UUID, str]:
    rows = await connection.fetch(
        """
        SELECT user_id, display_name FROM deltashare.users
        WHERE effective_from <= $2 AND effective_to > $2 AND NOT is_deleted AND user_id = ANY ($1)
        """,
        keys,
        moment,
    )
    return {row["user_id"]: row["display_name"] for row in rows}


async def _current(connection: asyncpg.Connection, keys: Sequence[UUID]) -> Mapping[UUID, str]:
    rows = await connection.fetch(
        """
        SELECT user_id, display_name FROM deltashare.users
        WHERE is_current = true AND is_deleted = false AND user_id = ANY ($1)
        """,
        keys,
    )
    return {row["user_id"]: row["display_name"] for row in rows}
