"""A long run: rounds of chaos, each followed by quiet in which everything must come to be as Git says, and a report of
what was done and what was wrong."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import asyncpg
from databricks.sdk.errors.base import DatabricksError
from pydantic import SecretStr

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.plan import Plan
from reconciler.ports.ledger import LedgerError
from tests.chaos import faults
from tests.chaos.asking import fresh_plan, left_to_a_person, left_to_do
from tests.chaos.deeds import Deeds, Given
from tests.chaos.landscape import LENDER, PRODUCT_TOKEN
from tests.chaos.mishaps import Course
from tests.chaos.records import LAST_LOOK, contested, row_counts
from tests.chaos.repository import FOLDER
from tests.chaos.scene import Scene, populate, scene
from tests.chaos.tally import Tally
from tests.chaos.verdict import wrong
from tests.journeys.canaries import Heard
from tests.journeys.canary_process import WORD

#: Seconds from the end of a round within which all must be well.
PATIENCE: Final = 240.0
_LOOK_EVERY: Final = 2.0


@dataclass(frozen=True, slots=True)
class Program:
    seed: int
    #: Seconds of chaos in all, and of one round of it.
    seconds: float
    round: float
    #: Seconds of quiet at the end, in which nothing may be written.
    quiet: float
    azure: bool


@dataclass(slots=True)
class Run:
    program: Program
    scene: Scene
    deeds: Deeds = field(default_factory=Deeds)
    #: One line for each thing that was not as it must be.
    wrong: list[str] = field(default_factory=list)
    #: Seconds from the end of each round until all was well.
    waits: list[float] = field(default_factory=list)

    def play(self) -> None:
        chance, left = Random(self.program.seed), self.program.seconds
        course = Course(self.scene, chance)
        populate(self.scene)
        while left > 0 and not self.wrong:
            seconds = min(self.program.round, left)
            self._chaos(course, seconds)
            self._settle(course)
            left -= seconds
        if not self.wrong:
            self._stay_quiet()
        self.scene.fleet.disband()
        self.wrong += self.scene.fleet.wrong

    def _chaos(self, course: Course, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            course.happen()
            self.scene.fleet.keep_up()
            time.sleep(course.chance.choice((0.0, 0.05, 0.2, 0.5)))

    def _settle(self, course: Course) -> None:
        """Everybody is well, everything is up, and nobody does anything any more."""
        scene = self.scene
        course.catch_up(float("inf"))
        scene.fleet.wake_all()
        faults.clear(scene.workspace.control)
        scene.repository.mend()
        scene.push()
        begun = time.monotonic()
        while True:
            scene.fleet.keep_up()
            found = asyncio.run(self._found(course.given))
            waited = time.monotonic() - begun
            if not found:
                self.waits.append(waited)
                scene.tally.note("round ended well", f"after {waited:.0f} s")
                return
            if waited > PATIENCE:
                self.wrong = found
                return
            time.sleep(_LOOK_EVERY)

    async def _found(self, given: Given) -> list[str]:
        """What is wrong now."""
        scene = self.scene
        if any(not member.stays for member in scene.fleet.members.values()):
            return ["a person is still at it"]
        try:
            plan = await self._plan()
            for key in await left_to_a_person(plan, scene.dsn):
                scene.workspace.delete(key)
                scene.tally.note("deleted by a person, as told", key)
            found = wrong(scene.repository, scene.workspace, scene.dsn, self.deeds, given)
            return [line async for line in found] + left_to_do(plan) + self._unheard_of()
        except (DatabricksError, OSError, asyncpg.PostgresError, LedgerError) as error:
            return [f"cannot look: {type(error).__name__}: {error}"]

    def _unheard_of(self) -> list[str]:
        """A newest commit that changes nothing is not well until it is followed: whoever leads is still to read it."""
        head = self.scene.repository.head[:12]
        return [] if self.scene.fleet.has_said(head) else [f"no process has said anything of commit {head}"]

    async def _plan(self) -> Plan:
        ledger = await PostgresLedger.open(self.scene.dsn)
        url = self.scene.workspace.url
        platform = DatabricksPlatform({"token": SecretStr(PRODUCT_TOKEN)}, trusted_hosts=[url])
        try:
            return await fresh_plan(self.scene.repository.path / FOLDER, url, ledger, platform)
        finally:
            await platform.close()
            await ledger.close()

    def _stay_quiet(self) -> None:
        """Daemons go on looking, and find nothing to write about."""
        scene = self.scene
        before, calls = asyncio.run(row_counts(scene.dsn)), scene.workspace.control.counts()
        end = time.monotonic() + self.program.quiet
        while time.monotonic() < end:
            scene.fleet.keep_up()
            time.sleep(0.5)
        after, later = asyncio.run(row_counts(scene.dsn)), scene.workspace.control.counts()
        scene.tally.counts["API calls in the quiet at the end"] = later["total"] - calls["total"]
        changed = {table for table in after if after[table] != before[table]} - {LAST_LOOK}
        grown = {table: f"{before[table]} to {after[table]}" for table in sorted(changed)}
        self.wrong += [f"rows of {table} went from {words} in the quiet" for table, words in grown.items()]
        if later["writes"] != calls["writes"]:
            self.wrong.append(f"{later['writes'] - calls['writes']} writes to Databricks in the quiet")

    def report(self) -> str:
        left = asyncio.run(contested(self.scene.dsn))
        more: list[tuple[str, object]] = [
            ("contested fields, left alone", len(left)),
            ("late calls of stalled workers, refused", len(self.deeds.doubled)),
            ("longest wait until all was well, s", round(max(self.waits, default=0.0))),
            ("slowest end after SIGTERM, s", round(self.scene.fleet.slowest_end, 1)),
        ]
        rows = [*more, *((f"request: {name}", count) for name, count in sorted(self.deeds.requests.items()))]
        kinds: dict[str, int] = {}
        for deed, count in self.deeds.done.items():
            kinds[deed.partition("/")[0]] = kinds.get(deed.partition("/")[0], 0) + count
        rows += [(f"done: {name}", count) for name, count in sorted(kinds.items())]
        return self.scene.tally.table(rows)


def run(program: Program, folder: Path) -> tuple[str, list[str], str]:
    """The table of what was done, what was wrong, and the last of what happened."""
    tally = Tally(program.seed)
    with scene(folder, tally, Random(program.seed), azure=program.azure) as there:
        performed = Run(program, there)
        performed.play()
        performed.wrong += asyncio.run(_secrets(there))
        report = performed.report()
    performed.wrong += [f"left behind: {line}" for line in _left_behind(folder)]
    return report, performed.wrong, tally.last(40)


async def _secrets(scene: Scene) -> list[str]:
    """Where one of them can be read. What is no secret must be found, or the search is worth nothing."""
    heard = Heard()
    heard.say_folder("logs", scene.folder / "logs")
    heard.say("messages", "\n".join(scene.queue.texts()))
    heard.say("database log", scene.database.log.read_bytes())
    await heard.say_tables("tables", scene.dsn)
    found = [f"a secret in {place}" for place in sorted(heard.where(WORD))]
    markers = {"logs": scene.repository.head[:12], "tables": LENDER}
    blind = [place for place, marker in markers.items() if place not in heard.where(marker)]
    return found + [f"the search for secrets found nothing in {place}" for place in blind]


def _left_behind(folder: Path) -> Iterator[str]:
    """Processes that name the run's folder in their arguments, or work in it. Given a moment to go."""
    give_up_at = time.monotonic() + 10
    while (there := list(_processes(folder))) and time.monotonic() < give_up_at:
        time.sleep(0.1)
    yield from there


def _processes(folder: Path) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            works_in = str((process / "cwd").readlink())
        except OSError:
            continue
        if works_in.startswith(str(folder)) or (str(folder) in command and "tests.chaos " not in command):
            yield f"{process.name} {command[:200]}"
