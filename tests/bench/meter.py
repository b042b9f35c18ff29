"""Takes the measures of a process: seconds, CPU seconds, SQL statements, peak memory."""

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg


@dataclass(slots=True)
class Statements:
    """Counts what every connection of this process sends while `counting`, BEGIN and COMMIT included."""

    count: int = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        connect, create_pool = asyncpg.connect, asyncpg.create_pool

        async def watched_connect(*args: Any, **options: Any) -> Any:
            connection = await connect(*args, **options)
            connection.add_query_logger(self._add)
            return connection

        def watched_pool(*args: Any, init: Any = None, **options: Any) -> Any:
            async def watch(connection: Any) -> None:
                connection.add_query_logger(self._add)
                if init is not None:
                    await init(connection)

            return create_pool(*args, **options, init=watch)

        with patch.object(asyncpg, "connect", watched_connect), patch.object(asyncpg, "create_pool", watched_pool):
            yield

    def _add(self, _record: object) -> None:
        self.count += 1


@dataclass(frozen=True, slots=True)
class Instant:
    seconds: float
    cpu_seconds: float

    @classmethod
    def now(cls) -> "Instant":
        return cls(time.perf_counter(), cpu_seconds())


def cpu_seconds() -> float:
    """Of this process and of the children it has waited for, such as git."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_megabytes() -> float:
    """Most memory this process has held. Linux passes `ru_maxrss` on to a started child, so its own mark is read."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 / (1024 if sys.platform == "darwin" else 1)


def cpu_seconds_of(process: int, *, with_children: bool = False) -> float:
    """Of another process, so far. With those it has started, also those that have ended. 0 where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return 0.0
    user, system, ended_user, ended_system = _ticks(process)
    ticks = user + system
    if with_children:
        ticks += ended_user + ended_system + sum(sum(_ticks(child)[:2]) for child in _children(process))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> tuple[int, int, int, int]:
    """User, system, and both of the children that have ended."""
    try:
        user, system, ended_user, ended_system = map(int, _stat(process)[11:15])
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0, 0, 0
    return user, system, ended_user, ended_system


def _children(process: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if _stat(int(path.name))[1] == str(process):
                yield int(path.name)


def _stat(process: int) -> list[str]:
    """From the state on (proc(5)); the name before it may hold anything."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
