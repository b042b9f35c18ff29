"""Worker processes, as a test sees them: started from a zygote, waited for, stopped and continued."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.job import Job, Report
from tests.faults.points import Point

#: Seconds until a worker that does not end is a failure.
PATIENCE: Final = 60.0
_LONGEST_LINE: Final = 2**26


@dataclass(frozen=True, slots=True)
class Ended:
    #: As `os.waitstatus_to_exitcode`: negative for a signal.
    code: int
    #: None when it was killed.
    report: Report | None
    #: Where it was struck.
    struck: Point | None = None

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


class WorkerFailedError(AssertionError):
    """The worker's program raised; the message is its traceback."""


@dataclass(slots=True)
class Running:
    pid: int
    _reader: asyncio.StreamReader
    _reported: Report | None = None
    _struck: Point | None = None
    _events: list[str] = field(default_factory=list)

    async def told(self, event: str) -> None:
        """Waits until its workers have told of this."""
        while event not in self._events:
            message = await self._hear()
            assert "ended" not in message, self._events

    async def stopped(self) -> None:
        """Waits until it was stopped by a signal."""
        message = await self._next()
        assert "stopped" in message, message

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    async def ended(self) -> Ended:
        while True:
            message = await self._next()
            if "ended" in message:
                return Ended(message["ended"], self._reported, self._struck)

    async def _next(self) -> dict[str, Any]:
        """What became of the process next."""
        while not ({"stopped", "ended"} & (message := await self._hear()).keys()):
            pass
        return message

    async def _hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            line = await self._reader.readline()
        assert line, "the zygote is gone"
        message: dict[str, Any] = json.loads(line)
        match message:
            case {"failure": words}:
                raise WorkerFailedError(words)
            case {"report": report}:
                self._reported = Report.from_json(report)
            case {"struck": point}:
                self._struck = Point(**point)
            case {"event": event}:
                self._events.append(event)
            case _:
                pass
        return message


@dataclass(frozen=True, slots=True)
class Zygote:
    port: int

    async def run(self, job: Job) -> Ended:
        async with self.start(job) as running:
            return await running.ended()

    @asynccontextmanager
    async def start(self, job: Job) -> AsyncIterator[Running]:
        """The process is killed when the context ends, if it is still there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=_LONGEST_LINE)
        try:
            writer.write(job.to_json().encode() + b"\n")
            await writer.drain()
            pid = json.loads(await reader.readline())["pid"]
            running = Running(pid, reader)
            try:
                yield running
            except BaseException:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                raise
        finally:
            writer.close()
            await writer.wait_closed()


@contextmanager
def zygote(log: Path) -> Iterator[Zygote]:
    """What its workers write to standard error is in `log`."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        try:
            port = process.stdout.readline()
            assert port, log.read_text(errors="replace")
            yield Zygote(int(port))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
