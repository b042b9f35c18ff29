"""What only a doorbell without a memory has to care for: its connection, and how much it remembers."""

import asyncio
import socket
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from reconciler.adapters.embedded import running
from reconciler.adapters.postgres import doorbell as module
from reconciler.adapters.postgres.doorbell import CHANNEL, MAX_PENDING, PostgresDoorbell
from reconciler.ports.doorbell import DoorbellUnavailableError
from tests.adapters.doorbell.conftest import PostgresPlace
from tests.adapters.doorbell.wire import Wire, wired

SECRET = "not-for-your-eyes"


@pytest.fixture
async def wire(postgres: PostgresPlace) -> AsyncIterator[Wire]:
    async with wired(postgres.dsn) as wire:
        yield wire


@pytest.fixture
async def doorbell(wire: Wire) -> AsyncIterator[PostgresDoorbell]:
    opened = await PostgresDoorbell.open(wire.through)
    yield opened
    await opened.close()


async def heard(doorbell: PostgresDoorbell, wait: float = 5) -> list[UUID]:
    return [ring.work_id for ring in await doorbell.answer(wait)]


async def test_sql_can_ring(doorbell: PostgresDoorbell, postgres: PostgresPlace) -> None:
    work_id = uuid4()
    await postgres.execute(f"SELECT pg_notify('reconciler_work', '{work_id}'::uuid::text)")
    assert await heard(doorbell) == [work_id]


async def test_everybody_who_listens_hears_a_ring(doorbell: PostgresDoorbell, postgres: PostgresPlace) -> None:
    other = await postgres.open()
    work_id = uuid4()
    await other.ring([work_id])
    assert await heard(doorbell) == await heard(other) == [work_id]


async def test_channels_are_apart(doorbell: PostgresDoorbell, postgres: PostgresPlace) -> None:
    elsewhere = await PostgresDoorbell.open(postgres.dsn, "Another channel")
    work_id = uuid4()
    await elsewhere.ring([work_id])
    assert await heard(elsewhere) == [work_id]
    assert await heard(doorbell, 0.1) == []
    await elsewhere.close()


async def test_many_rings_for_one_work_item_before_an_answer_are_one(doorbell: PostgresDoorbell) -> None:
    work_id, last = uuid4(), uuid4()
    for _ in range(30):
        await doorbell.ring([work_id])
    await doorbell.ring([last])
    assert await heard(doorbell) == [work_id, last]
    await doorbell.ring([work_id])
    assert await heard(doorbell) == [work_id]


async def test_only_so_many_rings_are_remembered(doorbell: PostgresDoorbell, postgres: PostgresPlace) -> None:
    await postgres.execute(
        "SELECT pg_notify($1, gen_random_uuid()::text) FROM generate_series(1, $2)", CHANNEL, MAX_PENDING + 50
    )
    await postgres.execute("SELECT pg_notify($1, 'the end')", CHANNEL)
    await asyncio.sleep(0.5)
    total = 0
    while rings := await doorbell.answer(0):
        total += len(rings)
    assert total == MAX_PENDING


async def test_many_tasks_may_ring_at_once(doorbell: PostgresDoorbell) -> None:
    work_ids = [uuid4() for _ in range(30)]
    await asyncio.gather(*(doorbell.ring([work_id]) for work_id in work_ids))
    found = [work_id for _ in range(3) for work_id in await heard(doorbell)]
    assert sorted(found) == sorted(work_ids)


async def test_a_connection_ended_by_the_server_is_made_again(
    doorbell: PostgresDoorbell, postgres: PostgresPlace
) -> None:
    await postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    work_id = uuid4()
    await asyncio.sleep(0.05)
    await doorbell.ring([work_id])
    assert await heard(doorbell) == [work_id]


async def test_while_the_server_is_away_it_says_so_and_afterwards_it_rings_again(
    doorbell: PostgresDoorbell, wire: Wire
) -> None:
    await wire.cut()
    await asyncio.sleep(0.05)
    started = time.monotonic()
    with pytest.raises(DoorbellUnavailableError, match="cannot answer: the connection is lost"):
        await doorbell.answer(0.3)
    with pytest.raises(DoorbellUnavailableError, match="cannot ring"):
        await doorbell.ring([uuid4()])
    assert time.monotonic() - started < 5
    await wire.mend()
    waiting = asyncio.create_task(doorbell.answer(15))
    work_id = uuid4()
    async with asyncio.timeout(15):
        while not waiting.done():
            await doorbell.ring([work_id])
            await asyncio.sleep(0.2)
    assert [ring.work_id for ring in await waiting] == [work_id]


async def test_a_restarted_database_is_found_again(tmp_path: Path) -> None:
    with running(tmp_path / "state", durable=False) as server:
        doorbell = await PostgresDoorbell.open(server.dsn)
    with running(tmp_path / "state", durable=False) as again:
        assert again.dsn == server.dsn
        work_id = uuid4()
        async with asyncio.timeout(15):
            while not (rings := await heard_or_not(doorbell)):
                with suppress(DoorbellUnavailableError):
                    await doorbell.ring([work_id])
        assert rings == [work_id]
        await doorbell.close()


async def heard_or_not(doorbell: PostgresDoorbell) -> list[UUID]:
    try:
        return await heard(doorbell, 0.1)
    except DoorbellUnavailableError:
        return []


async def test_rings_heard_before_the_server_went_away_are_still_answered(
    doorbell: PostgresDoorbell, wire: Wire
) -> None:
    work_id = uuid4()
    await doorbell.ring([work_id])
    await asyncio.sleep(0.1)
    await wire.cut()
    assert await heard(doorbell) == [work_id]


async def test_a_server_that_vanished_without_a_word_is_noticed(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROBE", 0.1)
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    doorbell = await PostgresDoorbell.open(wire.through)
    wire.freeze()
    with pytest.raises(DoorbellUnavailableError, match="connection is lost"):
        await doorbell.answer(1.5)
    await wire.mend()
    work_id = uuid4()
    async with asyncio.timeout(10):
        while not await heard_or_not(doorbell):
            with suppress(DoorbellUnavailableError):
                await doorbell.ring([work_id])
    await doorbell.close()


async def test_a_check_tells_that_the_server_is_away_and_when_it_is_back(
    doorbell: PostgresDoorbell, wire: Wire
) -> None:
    await doorbell.check()
    await wire.cut()
    await asyncio.sleep(0.05)
    with pytest.raises(
        DoorbellUnavailableError, match="PostgreSQL notifications: cannot check: the connection is lost"
    ):
        await doorbell.check()
    await wire.mend()
    await doorbell.check()


async def test_a_check_tells_that_notifications_do_not_come_back(
    doorbell: PostgresDoorbell, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.swallows_notifications = True
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    with pytest.raises(DoorbellUnavailableError, match=r"nothing came back within 0\.3 s\. A pooler"):
        await doorbell.check()
    wire.swallows_notifications = False
    await doorbell.check()


async def test_a_check_leaves_no_channel_behind(doorbell: PostgresDoorbell) -> None:
    await doorbell.check()
    connection = doorbell._connection
    assert connection is not None
    assert [row["name"] for row in await connection.fetch("SELECT pg_listening_channels() AS name")] == [CHANNEL]


async def test_closing_while_the_server_is_away_is_quick(doorbell: PostgresDoorbell, wire: Wire) -> None:
    await wire.cut()
    started = time.monotonic()
    await doorbell.close()
    assert time.monotonic() - started < 1


def refused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://somebody:SECRET@127.0.0.1:PORT/x",
        "postgresql://somebody:half/SECRET@127.0.0.1:PORT/x",
        "mysql://somebody:SECRET@127.0.0.1/x",
        "postgresql://somebody:SECRET@127.0.0.1:PORT/x?sslmode=SECRET",
        "SECRET",
    ],
)
async def test_a_connection_string_is_not_repeated_by_any_failure(dsn: str) -> None:
    started = time.monotonic()
    with pytest.raises((DoorbellUnavailableError, ValueError)) as caught:
        await PostgresDoorbell.open(dsn.replace("SECRET", SECRET).replace("PORT", str(refused_port())))
    assert time.monotonic() - started < 4
    assert caught.value.__context__ is None
    assert SECRET not in f"{caught.value!r} {vars(caught.value)}"
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_repr_shows_the_channel_only(doorbell: PostgresDoorbell) -> None:
    assert repr(doorbell) == "PostgresDoorbell('reconciler_work')"
