"""The processes of a run, and somebody who starts again what has ended, as systemd would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.tally import Tally

#: Seconds that a process may take to end when it is told to.
STOP_WITHIN = 25.0
#: Seconds until one that could not start is started again.
_AGAIN_AFTER = 1.0
#: What a process says once it is up. One that could not start because the database was away ends with the reason.
_IS_UP = (b"Waiting for work", b"This daemon is")


@dataclass(slots=True)
class Member:
    """One place in the fleet; a process at a time."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    #: Only once, or again whenever it has ended.
    stays: bool = True
    pid: int = 0
    #: Why it is going to end; empty: nobody has asked for that.
    ending: str = ""
    told_at: float = 0.0
    is_stopped: bool = False
    #: When it is started again, by the clock of this process; None while it runs.
    start_at: float | None = None
    #: How long its log was when it was started.
    log_from: int = 0

    @property
    def is_left_alone(self) -> bool:
        """It runs, and nothing was done to it."""
        return not self.ending and not self.is_stopped and self.start_at is None


@dataclass(slots=True)
class Fleet:
    zygote: "subprocess.Popen[str]"
    logs: Path
    environment: Mapping[str, str]
    tally: Tally
    members: dict[str, Member] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    #: Seconds from SIGTERM to the end, the longest.
    slowest_end: float = 0.0

    def add(self, name: str, *arguments: str, folder: Path, stays: bool = True) -> None:
        member = Member(name, arguments, folder, stays)
        self.members[name] = member
        self._start(member)

    def keep_up(self) -> None:
        """Notices what has ended, and starts it again where it is to stay."""
        by_pid = {member.pid: member for member in self.members.values()}
        for pid, code in self._ask({"ended": True})["ended"]:
            if pid in by_pid:
                self._take_end(by_pid[pid], code)
        for member in list(self.members.values()):
            if member.start_at is not None and time.monotonic() >= member.start_at:
                self._start(member)
            if member.ending == "told" and time.monotonic() - member.told_at > STOP_WITHIN and not member.is_stopped:
                self.wrong.append(f"{member.name} did not end within {STOP_WITHIN:.0f} s of SIGTERM")
                self._send(member, signal.SIGKILL, "killed")

    def one(self, chance: Random) -> Member | None:
        """One that runs and nothing was done to."""
        there = [each for each in self.members.values() if each.stays and each.is_left_alone]
        return chance.choice(there) if there else None

    def kill(self, member: Member) -> None:
        self._send(member, signal.SIGKILL, "killed")

    def tell(self, member: Member) -> None:
        member.told_at = time.monotonic()
        self._send(member, signal.SIGTERM, "told")

    def stop(self, member: Member) -> None:
        member.is_stopped = True
        self._send(member, signal.SIGSTOP)

    def go_on(self, member: Member) -> None:
        member.is_stopped = False
        self._send(member, signal.SIGCONT)

    def wake_all(self) -> None:
        for member in self.members.values():
            if member.is_stopped:
                self.go_on(member)

    def disband(self) -> None:
        """All end in order, and nothing starts again."""
        self.wake_all()
        for member in list(self.members.values()):
            member.stays = False
            if member.start_at is not None:
                del self.members[member.name]
            elif not member.ending:
                self.tell(member)
        end = time.monotonic() + STOP_WITHIN + 5
        while self.members and time.monotonic() < end:
            self.keep_up()
            time.sleep(0.05)

    def has_said(self, words: str) -> bool:
        """Whether one of them has, in its log."""
        return any(words.encode() in log.read_bytes() for log in self.logs.iterdir())

    def _take_end(self, member: Member, code: int) -> None:
        if member.ending == "told":
            self.slowest_end = max(self.slowest_end, time.monotonic() - member.told_at)
        expected = {"killed": {-signal.SIGKILL}, "told": {0}, "": {0} if not member.stays else set()}[member.ending]
        if not member.stays:
            self.tally.note(f"{member.arguments[0]} ended with {code}")
            del self.members[member.name]
            return
        if code not in expected and not self._was_up(member):
            self.tally.note("process could not start", f"{member.name}, {code}")
        elif code not in expected:
            self.tally.note("process ended by itself", f"{member.name}, {code}")
            self.wrong.append(f"{member.name} ended by itself with {code}; see {self._log(member)}")
        member.start_at = time.monotonic() + (0 if code in expected else _AGAIN_AFTER)

    def _was_up(self, member: Member) -> bool:
        said = self._log(member).read_bytes()[member.log_from :]
        return any(words in said for words in _IS_UP)

    def _start(self, member: Member) -> None:
        member.ending, member.is_stopped, member.start_at = "", False, None
        member.log_from = self._log(member).stat().st_size if self._log(member).exists() else 0
        order = {
            "start": list(member.arguments),
            "environment": dict(self.environment),
            "log": str(self._log(member)),
            "folder": str(member.folder),
        }
        member.pid = self._ask(order)["pid"]

    def _log(self, member: Member) -> Path:
        return self.logs / f"{member.name}.log"

    def _send(self, member: Member, number: signal.Signals, ending: str = "") -> None:
        member.ending = ending or member.ending
        with suppress(ProcessLookupError):
            os.kill(member.pid, number)

    def _ask(self, order: Mapping[str, Any]) -> Any:
        if self.zygote.stdin is None or self.zygote.stdout is None:
            raise RuntimeError("the zygote has no pipes")
        self.zygote.stdin.write(json.dumps(order) + "\n")
        self.zygote.stdin.flush()
        return json.loads(self.zygote.stdout.readline())


@contextmanager
def fleet(logs: Path, environment: Mapping[str, str], tally: Tally) -> Iterator[Fleet]:
    """`logs` also tells its processes from those of others: it is an argument of the zygote."""
    logs.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.chaos.zygote", str(logs)]
    with (logs / "zygote.log").open("wb") as errors:
        zygote = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        yield Fleet(zygote, logs, environment, tally)
    finally:
        if zygote.stdin is not None:
            zygote.stdin.close()
        zygote.wait(timeout=30)
        if zygote.stdout is not None:
            zygote.stdout.close()
