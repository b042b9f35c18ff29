"""Of several daemons one leads, and whoever cannot say so any more has lost the lead."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from reconciler.adapters.postgres import leadership
from reconciler.adapters.postgres.leadership import APPLICATION, IDLE, PostgresLeadership
from reconciler.ports.ledger import LedgerError
from tests.adapters.postgres import leader

#: Seconds within which a busy machine has done what takes a moment.
SOON = 20.0
PASSWORD = "c4n4ry-p4ssw0rd"


@asynccontextmanager
async def candidate(dsn: str, idle: float = IDLE) -> AsyncIterator[PostgresLeadership]:
    opened = PostgresLeadership(dsn, idle=idle)
    try:
        yield opened
    finally:
        await opened.resign()


@asynccontextmanager
async def leading_process(dsn: str, idle: float) -> AsyncIterator[Process]:
    """Another process, once it leads."""
    arguments = [sys.executable, str(Path(leader.__file__)), dsn, str(idle)]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=PIPE)
    try:
        assert await says(process) == "leads"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        # Reads what is left, too: the pipe is closed by its end.
        await process.communicate()


async def says(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), SOON)).decode().strip()


async def until_it_leads(opened: PostgresLeadership) -> float:
    """The seconds it took."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.timeout(SOON):
        while not await opened.holds():
            await asyncio.sleep(0.05)
    return loop.time() - begun


async def end_sessions(connection: asyncpg.Connection) -> int:
    """Of all who lead or would like to; how many there were."""
    ended = await connection.fetch(
        """
        SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE application_name = $1 AND datname = current_database()
        """,
        APPLICATION,
    )
    return len(ended)


async def test_of_two_one_leads_and_goes_on_leading(migrated_database_url: str) -> None:
    async with candidate(migrated_database_url) as one, candidate(migrated_database_url) as two:
        for _ in range(3):
            assert await one.holds()
            assert not await two.holds()


async def test_of_many_that_ask_at_once_one_leads(migrated_database_url: str) -> None:
    many = [PostgresLeadership(migrated_database_url) for _ in range(6)]
    try:
        assert sorted(await asyncio.gather(*(each.holds() for each in many))) == [False] * 5 + [True]
    finally:
        await asyncio.gather(*(each.resign() for each in many))


async def test_tasks_that_ask_at_once_hear_the_same(migrated_database_url: str) -> None:
    async with candidate(migrated_database_url) as one:
        assert await asyncio.gather(*(one.holds() for _ in range(5))) == [True] * 5


async def test_whoever_resigns_makes_room_at_once(migrated_database_url: str) -> None:
    async with candidate(migrated_database_url) as one, candidate(migrated_database_url) as two:
        assert await one.holds()
        assert not await two.holds()
        await one.resign()
        assert await two.holds()
        assert not await one.holds()
        await one.resign()
        await one.resign()
        assert await two.holds()


async def test_whoever_resigned_may_lead_again(migrated_database_url: str) -> None:
    async with candidate(migrated_database_url) as one:
        assert await one.holds()
        await one.resign()
        assert await one.holds()


async def test_resigning_without_ever_having_asked_is_fine(migrated_database_url: str) -> None:
    await PostgresLeadership(migrated_database_url).resign()


async def test_a_lost_session_is_noticed_and_the_lead_may_change(
    migrated_database_url: str, connection: asyncpg.Connection
) -> None:
    async with candidate(migrated_database_url) as one, candidate(migrated_database_url) as two:
        assert await one.holds()
        assert await end_sessions(connection) == 1
        assert await two.holds()
        assert not await one.holds()
        assert not await one.holds()
        assert await end_sessions(connection) == 2
        assert not await two.holds()
        assert await until_it_leads(one) < SOON


async def test_resigning_after_the_session_was_lost_is_fine(
    migrated_database_url: str, connection: asyncpg.Connection
) -> None:
    async with candidate(migrated_database_url) as one:
        assert await one.holds()
        await end_sessions(connection)
        await one.resign()


async def test_whoever_does_not_ask_loses_the_lead(migrated_database_url: str) -> None:
    async with candidate(migrated_database_url, idle=0.3) as one, candidate(migrated_database_url) as two:
        assert await one.holds()
        assert not await two.holds()
        assert await until_it_leads(two) < SOON
        assert not await one.holds()


async def test_the_session_says_what_it_is_and_when_it_ends(
    migrated_database_url: str, connection: asyncpg.Connection
) -> None:
    async with candidate(migrated_database_url) as one:
        assert await one.holds()
        assert one._connection is not None
        assert await one._connection.fetchval("SHOW idle_session_timeout") == "15s"
        named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()"
        assert await connection.fetchval(named, APPLICATION) == 1


async def test_a_process_that_is_killed_loses_the_lead(migrated_database_url: str) -> None:
    async with (
        leading_process(migrated_database_url, idle=IDLE) as process,
        candidate(migrated_database_url) as one,
    ):
        assert not await one.holds()
        process.kill()
        assert await until_it_leads(one) < SOON


async def test_a_process_that_is_stopped_loses_the_lead_and_finds_out_when_it_wakes_up(
    migrated_database_url: str,
) -> None:
    async with (
        leading_process(migrated_database_url, idle=1.0) as process,
        candidate(migrated_database_url) as one,
    ):
        assert not await one.holds()
        process.send_signal(signal.SIGSTOP)
        assert await until_it_leads(one) < SOON
        process.send_signal(signal.SIGCONT)
        assert await says(process) == "does not lead"
        assert await one.holds()
        await one.resign()
        assert await says(process) == "leads"


async def test_a_database_that_cannot_be_reached_is_nobodys_lead(
    migrated_database_url: str, unused_tcp_port: int
) -> None:
    parts = urlsplit(migrated_database_url)
    for dsn in (
        f"postgresql://ann:{PASSWORD}@127.0.0.1:{unused_tcp_port}/nowhere",
        parts._replace(path="/there_is_no_such_database").geturl(),
    ):
        async with candidate(dsn) as one:
            assert not await one.holds()
            assert not await one.holds()


async def test_a_database_that_does_not_answer_is_nobodys_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "TIMEOUT", 0.5)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, candidate(f"postgresql://ann:{PASSWORD}@127.0.0.1:{port}/x") as one:
        assert not await asyncio.wait_for(one.holds(), SOON)


async def test_a_connection_string_that_cannot_be_read_is_never_repeated() -> None:
    broken = PostgresLeadership(f"postgresql://ann:{PASSWORD}@host:not-a-port/x")
    with pytest.raises(LedgerError, match="connection string is not understood") as caught:
        await broken.holds()
    assert PASSWORD not in str(caught.value) + repr(broken)


def test_the_repr_names_the_database_only() -> None:
    shown = repr(PostgresLeadership(f"postgresql://ann:{PASSWORD}@host:5432/x"))
    assert shown == "PostgresLeadership('database x on host')"
