"""The one write: several rows, close and open together, only when nobody was faster, only when something changed."""

import asyncio
import json
from uuid import UUID, uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.tables import RECIPIENTS, USERS
from reconciler.adapters.postgres.versions import (
    Change,
    Row,
    VersionConflictError,
    read_current,
    revised,
    write_versions,
)

CHANGE = Change("john.doe@jll.com", "because", uuid4(), "c0ffee")


def user(user_id: UUID, version: int, name: str = "Ann", *, is_deleted: bool = False) -> Row:
    return {
        "user_id": user_id,
        "version": version,
        "email": f"{user_id}@b.c",
        "display_name": name,
        "is_active": True,
        "is_deleted": is_deleted,
    }


async def versions(connection: asyncpg.Connection, user_id: UUID) -> list[asyncpg.Record]:
    return list(await connection.fetch("SELECT * FROM deltashare.users WHERE user_id = $1 ORDER BY version", user_id))


async def test_a_new_entity_starts_with_version_one(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    assert await write_versions(connection, USERS, [user(user_id, 0)], CHANGE) == {user_id: 1}
    [row] = await versions(connection, user_id)
    assert (row["version"], row["is_current"], row["is_deleted"]) == (1, True, False)
    assert (row["created_by"], row["change_reason"]) == ("john.doe@jll.com", "because")


async def test_a_change_closes_and_opens_at_one_moment(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    await write_versions(connection, USERS, [user(user_id, 0)], CHANGE)
    assert await write_versions(connection, USERS, [user(user_id, 1, "Bob")], CHANGE) == {user_id: 2}
    first, second = await versions(connection, user_id)
    assert first["effective_to"] == second["effective_from"]
    assert (first["is_current"], second["is_current"]) == (False, True)
    assert (first["display_name"], second["display_name"]) == ("Ann", "Bob")


async def test_nothing_is_written_when_nothing_changed(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    await write_versions(connection, USERS, [user(user_id, 0)], CHANGE)
    assert await write_versions(connection, USERS, [user(user_id, 1)], Change("other", "again")) == {}
    assert len(await versions(connection, user_id)) == 1
    assert await connection.fetchval("SELECT count(*) FROM deltashare.audit_trail") == 1


@pytest.mark.parametrize("expected", [0, 2, 7])
async def test_a_row_that_moved_on_stops_the_whole_write(connection: asyncpg.Connection, expected: int) -> None:
    held, other = uuid4(), uuid4()
    await write_versions(connection, USERS, [user(held, 0)], CHANGE)
    with pytest.raises(VersionConflictError, match="1 of 2 rows have moved on"):
        await write_versions(connection, USERS, [user(other, 0), user(held, expected, "Bob")], CHANGE)
    assert len(await versions(connection, held)) == 1
    assert await versions(connection, other) == []


async def test_an_unknown_entity_cannot_have_a_later_version(connection: asyncpg.Connection) -> None:
    with pytest.raises(VersionConflictError):
        await write_versions(connection, USERS, [user(uuid4(), 3)], CHANGE)


async def test_deleting_is_a_version_and_restoring_continues(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    await write_versions(connection, USERS, [user(user_id, 0)], CHANGE)
    await write_versions(connection, USERS, [user(user_id, 1, is_deleted=True)], CHANGE)
    assert await write_versions(connection, USERS, [user(user_id, 2, is_deleted=True)], CHANGE) == {}
    assert await write_versions(connection, USERS, [user(user_id, 2)], CHANGE) == {user_id: 3}
    rows = await versions(connection, user_id)
    assert [(row["version"], row["is_deleted"]) for row in rows] == [(1, False), (2, True), (3, False)]


async def test_deleting_what_never_was_writes_nothing(connection: asyncpg.Connection) -> None:
    assert await write_versions(connection, USERS, [user(uuid4(), 0, is_deleted=True)], CHANGE) == {}


async def test_a_deleted_name_may_be_taken_by_another_entity(connection: asyncpg.Connection) -> None:
    first, second = uuid4(), uuid4()
    taken = {**user(first, 0), "email": "ann@b.c"}
    await write_versions(connection, USERS, [taken], CHANGE)
    with pytest.raises(VersionConflictError, match="users_natural_key"):
        await write_versions(connection, USERS, [{**user(second, 0), "email": "ANN@b.c"}], CHANGE)
    await write_versions(connection, USERS, [{**taken, "version": 1, "is_deleted": True}], CHANGE)
    await write_versions(connection, USERS, [{**user(second, 0), "email": "ANN@b.c"}], CHANGE)


async def test_a_row_read_can_be_changed_and_written_back(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    await write_versions(connection, USERS, [user(user_id, 0)], CHANGE)
    row = (await read_current(connection, USERS, [user_id]))[user_id]
    assert await write_versions(connection, USERS, [row], CHANGE) == {}
    assert await write_versions(connection, USERS, [{**row, "display_name": "Bob"}], CHANGE) == {user_id: 2}


async def test_null_empty_and_absent_are_told_apart(connection: asyncpg.Connection) -> None:
    recipient = uuid4()
    row = revised(
        RECIPIENTS,
        recipient,
        None,
        {"share_pack_id": uuid4(), "workspace_url": "w", "recipient_name": "r", "type": "D2O", "protect": False},
    )
    await write_versions(connection, RECIPIENTS, [row], CHANGE)
    assert await write_versions(connection, RECIPIENTS, [{**row, "version": 1, "allowed_ips": []}], CHANGE)
    assert await write_versions(connection, RECIPIENTS, [{**row, "version": 2, "comment": ""}], CHANGE)
    rows = await connection.fetch("SELECT allowed_ips, comment FROM deltashare.recipients ORDER BY version")
    assert [tuple(row) for row in rows] == [(None, None), ("[]", None), (None, "")]


async def test_a_commit_where_there_was_none_is_a_version_and_another_commit_is_not(
    connection: asyncpg.Connection,
) -> None:
    recipient = uuid4()
    row = revised(
        RECIPIENTS,
        recipient,
        None,
        {"share_pack_id": uuid4(), "workspace_url": "w", "recipient_name": "r", "type": "D2O", "protect": False},
    )
    assert await write_versions(connection, RECIPIENTS, [row], Change("me", "uncommitted"))
    assert await write_versions(connection, RECIPIENTS, [{**row, "version": 1}], Change("me", "uncommitted")) == {}
    committed = await write_versions(connection, RECIPIENTS, [{**row, "version": 1}], Change("me", "", commit="c1"))
    assert committed == {recipient: 2}
    assert await write_versions(connection, RECIPIENTS, [{**row, "version": 2}], Change("me", "", commit="c2")) == {}
    assert await connection.fetchval("SELECT commit_id FROM deltashare.recipients WHERE is_current") == "c1"


async def test_a_clock_that_was_set_back_leaves_spans_positive(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    await connection.execute(
        """
        INSERT INTO deltashare.users (user_id, email, display_name, effective_from, created_by)
        VALUES ($1::uuid, $1::text || '@b.c', 'Ann', now() + interval '1 hour', 'a fast clock')
        """,
        user_id,
    )
    await write_versions(connection, USERS, [user(user_id, 1, "Bob")], CHANGE)
    await write_versions(connection, USERS, [user(user_id, 2, "Cid")], CHANGE)
    rows = await versions(connection, user_id)
    assert [row["display_name"] for row in rows] == ["Ann", "Bob", "Cid"]
    assert [row["effective_from"] for row in rows[1:]] == [row["effective_to"] for row in rows[:-1]]
    assert rows[0]["effective_from"] < rows[1]["effective_from"] < rows[2]["effective_from"]


async def test_long_words_are_cut_and_nul_is_dropped(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    await write_versions(connection, USERS, [user(user_id, 0)], Change("a" * 300, "r\x00" * 600))
    [row] = await versions(connection, user_id)
    assert (len(row["created_by"]), len(row["change_reason"])) == (255, 500)
    assert row["change_reason"].endswith("r…")


async def test_the_audit_trail_tells_each_change(connection: asyncpg.Connection) -> None:
    user_id = uuid4()
    for row in (
        user(user_id, 0),
        user(user_id, 1, "Bob"),
        user(user_id, 2, "Bob", is_deleted=True),
        user(user_id, 3, "Cid"),
    ):
        await write_versions(connection, USERS, [row], CHANGE)
    rows = await connection.fetch("SELECT * FROM deltashare.audit_trail ORDER BY entity_version")
    told = [
        (row["operation"], row["entity_version"], _names(row["old_values"]), _names(row["new_values"])) for row in rows
    ]
    assert told == [
        ("CREATE", 1, None, "Ann"),
        ("UPDATE", 2, "Ann", "Bob"),
        ("DELETE", 3, "Bob", None),
        ("RESTORE", 4, None, "Cid"),
    ]
    assert json.loads(rows[1]["old_values"]) == {"display_name": "Ann"}
    assert {(row["entity_type"], row["entity_id"]) for row in rows} == {("user", user_id)}
    assert {(row["actor"], row["change_reason"], row["plan_id"], row["commit_id"]) for row in rows} == {
        (CHANGE.actor, CHANGE.reason, CHANGE.plan_id, CHANGE.commit)
    }


def _names(values: str | None) -> str | None:
    return None if values is None else json.loads(values)["display_name"]


async def test_a_thousand_rows_take_one_statement(connection: asyncpg.Connection) -> None:
    ids = [uuid4() for _ in range(1_000)]
    await write_versions(connection, USERS, [user(user_id, 0) for user_id in ids], CHANGE)
    statements: list[str] = []
    with connection.query_logger(lambda record: statements.append(record.query)):
        written = await write_versions(connection, USERS, [user(user_id, 1, "Bob") for user_id in ids], CHANGE)
        # The logger is called from the event loop.
        await asyncio.sleep(0)
    assert len(statements) == 1
    assert written == dict.fromkeys(ids, 2)


async def test_of_many_writers_of_one_key_one_wins_each_round(migrated_database_url: str) -> None:
    user_id, writers, rounds = uuid4(), 20, 5
    async with asyncpg.create_pool(migrated_database_url, min_size=10, max_size=10) as pool:
        for expected in range(rounds):
            results = await asyncio.gather(
                *(
                    _write(pool, user(user_id, expected, f"round {expected}, writer {writer}"))
                    for writer in range(writers)
                )
            )
            assert sum(results) == 1
        async with pool.acquire() as connection:
            rows = await versions(connection, user_id)
            audited = await connection.fetchval("SELECT count(*) FROM deltashare.audit_trail")
    assert [row["version"] for row in rows] == list(range(1, rounds + 1))
    assert [row["effective_from"] for row in rows[1:]] == [row["effective_to"] for row in rows[:-1]]
    assert [row["is_current"] for row in rows] == [False] * (rounds - 1) + [True]
    assert audited == rounds


async def test_writers_that_read_again_lose_nothing(migrated_database_url: str) -> None:
    """Twenty counters that each add one to a shared number, with nothing between them but the version."""
    user_id, writers = uuid4(), 20
    async with asyncpg.create_pool(migrated_database_url, min_size=10, max_size=10) as pool:
        await _write(pool, user(user_id, 0, "0"))

        async def add_one() -> None:
            while True:
                async with pool.acquire() as connection:
                    row = (await read_current(connection, USERS, [user_id]))[user_id]
                if await _write(pool, {**row, "display_name": str(int(str(row["display_name"])) + 1)}):
                    return

        await asyncio.gather(*(add_one() for _ in range(writers)))
        async with pool.acquire() as connection:
            rows = await versions(connection, user_id)
    assert [row["display_name"] for row in rows] == [str(number) for number in range(writers + 1)]


async def _write(pool: asyncpg.Pool, row: Row) -> bool:
    try:
        async with pool.acquire() as connection:
            return bool(await write_versions(connection, USERS, [row], CHANGE))
    except VersionConflictError:
        return False
