"""User processes of an embedded PostgreSQL, run by this or another account, and what /proc says about a server."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from reconciler.adapters.embedded.account import Account

ROOT = Path(__file__).parents[3]

USE_UNTIL_STDIN_ENDS = """
import sys
from pathlib import Path
from reconciler.adapters.embedded import running
with running(Path(sys.argv[1]), durable="durable" in sys.argv) as server:
    print(server.dsn, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Somebody:
    """An account and a Python it may run. `directory` is its own, and closed to everybody else."""

    account: Account
    python: str
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def starts(
        self, *arguments: str | Path, script: str = USE_UNTIL_STDIN_ENDS, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.environment, **environment},
            **self.account.switch,
        )


def dsn_from(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    line = user.stdout.readline().strip()
    assert line, user.communicate()
    return line


def leave(user: subprocess.Popen[str]) -> None:
    said, complaints = user.communicate(timeout=60)
    assert (user.returncode, said, complaints) == (0, "", "")


def kill(pid: int) -> None:
    os.kill(pid, 9)


def ask(dsn: str, statement: str) -> Any:
    async def answer() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(answer())


def execute(dsn: str, *statements: str) -> None:
    for statement in statements:
        ask(dsn, statement)


def is_answering(dsn: str) -> bool:
    try:
        return bool(ask(dsn, "SELECT true"))
    except (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InternalClientError,
    ):  # the last: cut off in the middle of an answer
        return False


def eventually(is_so: Callable[[], bool], *, within: float = 15) -> bool:
    give_up_at = time.monotonic() + within
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def server_processes(state: Path) -> list[int]:
    """The supervisors, servers and initdbs of `state` that are alive. Every process of a server works in its data."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            works_in = str((process / "cwd").readlink())
        except OSError:  # ended meanwhile, or of an account that is none of ours
            continue
        is_supervisor = b"embedded.supervise\0" + os.fsencode(state) + b"\0" in command
        if is_supervisor or works_in.startswith(f"{state}/postgres"):
            found.append(int(process.name))
    return found


def is_stopped(state: Path) -> bool:
    return not server_processes(state)


def supervisor_of(state: Path) -> int:
    return int((state / "postgres.supervisor").read_text())


def postmaster_of(state: Path) -> int:
    return int((state / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def python_for(account: Account, environment: Mapping[str, str]) -> str | None:
    """A Python that `account` can run the product with."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        probe = [python, "-c", "import sys, reconciler.adapters.embedded; assert sys.version_info >= (3, 11)"]
        try:
            subprocess.run(probe, check=True, capture_output=True, cwd="/", env=dict(environment), **account.switch)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return None
