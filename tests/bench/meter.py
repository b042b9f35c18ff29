"""Takes the measures of one process: seconds, CPU seconds, SQL statements, peak memory."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
