"""Any mixture of commits, hand edits, faults, deaths, stalls and lost or doubled messages ends with the workspace as
Git says, and a history without a gap. Here in one process and quickly; `python -m tests.chaos` is the long way."""

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from loguru import logger

from reconciler.sandbox import ControlClient, Sandbox, Seed
from tests.chaos import faults
from tests.chaos.asking import left_to_a_person, left_to_do
from tests.chaos.landscape import SEED
from tests.chaos.mortal import Life
from tests.chaos.records import forget
from tests.chaos.town import Town
from tests.drawing import examples

_T = TypeVar("_T")
#: Passes of planning and working in quiet, after which nothing may be left to do.
PASSES = 8
SETTINGS = settings(
    max_examples=examples(3, 5),
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Making a failure smaller takes many minutes; the story tells enough.
    phases=(Phase.generate,),
)
_NUMBERS = count()
SEEDS = st.integers(0, 2**16)
POINTS = st.integers(0, 80)
#: After so many points; half of the time it lives.
DEATHS = st.none() | POINTS


class Chaos(RuleBasedStateMachine):
    folder: Path
    url: str
    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.town: Town | None = None

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        ControlClient(self.url).reset()
        self.run(forget(self.dsn))
        self.town = self.run(Town.open(self.folder / f"{next(_NUMBERS)} {seed}", self.url, self.dsn, seed))

    @rule(seed=SEEDS, changes=st.sampled_from((1, 1, 1, 3)))
    def commit(self, seed: int, changes: int) -> None:
        if seed % 7:
            self.note("commit", self.there.repository.change(Random(seed), changes))
        else:
            self.note("revert", self.there.repository.revert(Random(seed)))

    @rule(seed=SEEDS)
    def edit_by_hand(self, seed: int) -> None:
        self.note("hand edit", self.there.workspace.by_hand(Random(seed)))

    @rule(seed=SEEDS)
    def make_trouble(self, seed: int) -> None:
        chance, control = Random(seed), self.there.workspace.control
        trouble = chance.choice((faults.inject, faults.inject, faults.inject, faults.turn_knob))
        self.note("fault" if trouble is faults.inject else "knob", trouble(control, chance))

    @rule(points=DEATHS, number=st.sampled_from((0, 0, 0, 1)))
    def plan(self, points: int | None, number: int) -> None:
        self.note("tick", f"{number}, {points}: {self.run(self.there.tick(Life(points), number))}")

    @rule(points=DEATHS)
    def work(self, points: int | None) -> None:
        self.note("work", f"{points}: {self.run(self.there.work(Life(points)))}")

    @rule(points=POINTS)
    def plan_and_work(self, points: int) -> None:
        self.run(self.there.tick(Life()))
        self.note("tick and work", f"{points}: {self.run(self.there.work(Life(points)))}")

    @rule(seed=SEEDS)
    def a_bad_day(self, seed: int) -> None:
        """A commit is carried out while Databricks is not well."""
        town, chance = self.there, Random(seed)
        words = town.repository.change(chance, 3)
        self.run(town.tick(Life()))
        struck = [faults.inject(town.workspace.control, chance) for _ in range(2)]
        self.note("a bad day", f"{words}, {struck}: {self.run(town.work(Life()))}")

    @rule(points=POINTS)
    def stall(self, points: int) -> None:
        self.run(self.there.tick(Life()))
        self.note("stall", f"{points}: {self.run(self.there.stall(points))}")

    @rule(points=POINTS)
    def two_work_at_once(self, points: int) -> None:
        async def both() -> list[str]:
            town = self.there
            await town.tick(Life())
            return list(await asyncio.gather(town.work(Life(points), "first"), town.work(Life(), "second")))

        self.note("two at once", f"{points}: {self.run(both())}")

    @rule(seed=SEEDS)
    def mishap(self, seed: int) -> None:
        town, chance = self.there, Random(seed)
        match chance.randrange(5):
            case 0:
                town.is_deaf = not town.is_deaf
                self.note("messages lost", str(town.is_deaf))
            case 1:
                self.run(town.double_messages())
                self.note("messages doubled")
            case 2:
                self.run(town.lose_connections())
                self.note("connections lost")
            case 3:
                names = [entry["name"] for _, entry in town.repository.landscape.entries("recipient")]
                self.note("rotation asked for", self.run(town.rotate(chance.choice(names))))
            case _:
                self.run(town.time_passes())
                self.note("time passes")

    def teardown(self) -> None:
        try:
            if self.town is not None:
                self.run(self._ends_well(self.town))
        finally:
            if self.town is not None:
                self.run(self.town.close())
            self.runner.close()

    async def _ends_well(self, town: Town) -> None:
        faults.clear(town.workspace.control)
        town.repository.mend()
        town.is_deaf = False
        for _ in range(PASSES):
            await town.time_passes()
            await town.tick(Life())
            await town.work(Life(), "last")
            plan = await town.plan()
            for key in await left_to_a_person(plan, town.dsn):
                town.workspace.delete(key)
                town.tally.note("deleted by a person, as told", key)
            left = left_to_do(plan)
            if not left:
                break
        found = await town.wrong()
        assert [*found, *left] == [], self.story(town)

    @property
    def there(self) -> Town:
        assert self.town is not None
        return self.town

    def note(self, what: str, detail: str = "") -> None:
        self.there.tally.note(what, detail)

    def story(self, town: Town) -> str:
        return f"after\n{town.tally.last(40)}"

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(work)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A daemon has much to say; here the story is told instead."""
    logger.disable("reconciler")
    yield
    logger.enable("reconciler")


@pytest.fixture(scope="module")
def chaos_sandbox() -> Iterator[str]:
    with Sandbox(Seed.from_yaml(SEED)).serving() as url:
        yield url


def test_whatever_happens_the_workspace_ends_as_git_says(
    chaos_sandbox: str, migrated_database_url: str, tmp_path: Path
) -> None:
    class Here(Chaos):
        folder, url, dsn = tmp_path, chaos_sandbox, migrated_database_url

    run_state_machine_as_test(Here, settings=SETTINGS)
