"""`python -m tests.scale.memory PACKS`: what a daemon spends on packs it only thinks about. Reads them from YAML, holds
all three states, plans them all and one of them; writes CPU seconds and peak memory as JSON. In a process of its own:
its memory is measured."""

import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import process_time
from typing import TypeVar

from reconciler.core.desired import Desired, Revision
from reconciler.core.guard import Attestation
from reconciler.core.planning import World, make_plan
from reconciler.core.recorded import RecordedState
from reconciler.packs.reading import read_packs
from tests.bench.meter import peak_megabytes
from tests.scale.assumed import Fleet
from tests.scale.packs import draft, estate, files_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Thought:
    """Seconds of CPU and megabytes for so many packs; `before` is the process with all imported."""

    packs: int
    read: float
    plan_all: float
    #: A plan of one of them: what it costs beside a repository of so many.
    plan_one: float
    before: float
    read_peak: float
    peak: float


def think(packs: int) -> Thought:
    before = peak_megabytes()
    desired, read = _timed(lambda: _read(packs))
    read_peak = peak_megabytes()
    made = estate(Fleet(packs), 1)
    made.packs = dict(desired.packs)
    recorded = RecordedState(made.rows, {}, made.pack_rows)
    actual = made.observe(list(made.rows), 0.0)
    everything, one = list(desired.packs), [next(iter(desired.packs))]
    world = World(recorded, actual, 0, attestations=dict.fromkeys(everything, Attestation()))
    _, plan_all = _timed(lambda: make_plan(desired, everything, world))
    mine = RecordedState({key: made.rows[key] for key in made.owned[one[0]]}, {}, {one[0]: made.pack_rows[one[0]]})
    alone = World(mine, {key: actual[key] for key in mine.resources}, 0, attestations=world.attestations)
    _, plan_one = _timed(lambda: make_plan(desired, one, alone))
    return Thought(packs, read, plan_all, plan_one, before, read_peak, peak_megabytes())


def _read(packs: int) -> Desired:
    fleet, chance = Fleet(packs), random.Random(1)
    files = files_of([draft(number, fleet, chance) for number in range(packs)], fleet)
    return read_packs(files, Revision("c" * 40, is_committed=True), "", packs_folder="sharepacks")


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begin = process_time()
    return work(), process_time() - begin


def main() -> None:
    json.dump(asdict(think(int(sys.argv[1]))), sys.stdout)


if __name__ == "__main__":
    main()
