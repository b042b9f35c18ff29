"""Processes that use one state directory at the same time share one server, and the last one stops it."""

import time
from pathlib import Path

from tests.adapters.embedded.conftest import by_either_account, needs_proc
from tests.adapters.embedded.processes import (
    Somebody,
    ask,
    dsn_from,
    eventually,
    execute,
    is_answering,
    is_stopped,
    leave,
    postmaster_of,
)

COUNT_MANY_SHORT_USES = """
import asyncio, sys
from pathlib import Path
import asyncpg
from reconciler.adapters.embedded import running

async def add(dsn):
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO t VALUES (1)")
    await connection.close()

for _ in range(int(sys.argv[2])):
    with running(Path(sys.argv[1]), durable=False) as server:
        asyncio.run(add(server.dsn))
"""

LEAVE_A_FORKED_CHILD = """
import os, sys, time
from pathlib import Path
from reconciler.adapters.embedded import running
with running(Path(sys.argv[1]), durable=False):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
os.close(2)
print(child, flush=True)
sys.stdin.read()
os.kill(child, 9)
"""


@by_either_account
@needs_proc
def test_the_server_survives_the_one_that_started_it_and_ends_with_the_last(somebody: Somebody, state: Path) -> None:
    first = somebody.starts(state)
    dsn = dsn_from(first)
    pid = postmaster_of(state)
    second = somebody.starts(state)
    assert dsn_from(second) == dsn
    leave(first)
    assert ask(dsn, "SELECT 1") == 1
    third = somebody.starts(state)
    assert dsn_from(third) == dsn
    leave(second)
    assert ask(dsn, "SELECT 1") == 1
    assert postmaster_of(state) == pid
    leave(third)
    assert eventually(lambda: is_stopped(state), within=2)


@needs_proc
def test_starting_at_once_on_an_empty_directory_makes_one_server(somebody: Somebody, fresh_state: Path) -> None:
    users = [somebody.starts(fresh_state) for _ in range(5)]
    assert len({dsn_from(user) for user in users}) == 1
    for user in users:
        assert user.stdin is not None
        user.stdin.close()  # all leave at once
        user.stdin = None
    for user in users:
        leave(user)
    assert eventually(lambda: is_stopped(fresh_state), within=2)
    assert (fresh_state / "postgres.log").read_text().count("starting PostgreSQL") == 1


@needs_proc
def test_coming_and_going_never_meets_a_stopping_server(state: Path, somebody: Somebody) -> None:
    user = somebody.starts(state)
    execute(dsn_from(user), "DROP TABLE IF EXISTS t", "CREATE TABLE t (n int)")
    leave(user)
    users = [somebody.starts(state, "6", script=COUNT_MANY_SHORT_USES) for _ in range(3)]
    for user in users:
        leave(user)
    assert eventually(lambda: is_stopped(state), within=2)
    user = somebody.starts(state)
    assert ask(dsn_from(user), "SELECT count(*) FROM t") == 18
    leave(user)


@needs_proc
def test_a_child_forked_meanwhile_neither_holds_the_server_nor_keeps_others_out(
    somebody: Somebody, state: Path
) -> None:
    parent = somebody.starts(state, script=LEAVE_A_FORKED_CHILD)
    dsn_from(parent)  # the pid of the child
    assert eventually(lambda: is_stopped(state), within=5)
    asked_at = time.monotonic()
    user = somebody.starts(state)
    assert is_answering(dsn_from(user))
    assert time.monotonic() - asked_at < 30  # the child lives for 60
    leave(user)
    parent.communicate(timeout=30)
