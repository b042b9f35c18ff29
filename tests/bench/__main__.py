"""`python -m tests.bench`: measures the main jobs, and prints them as a table beside their limits and baselines.

`--quick` only shows that everything works. `--readme FILE` measures nothing: it writes the table and the picture of the
README from a file of results."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.bench.readme import write_readme
from tests.bench.report import Line, document, machine, show
from tests.bench.rows import ENOUGH_SECONDS, IN_FLIGHT, Row, rows
from tests.bench.task import Result, Task
from tests.bench.world import World, world
from tests.forked import serving

TOP = Path(__file__).parents[2]
RESULTS = TOP / ".cache" / "bench"
#: The process that measures a row.
CHILD = (sys.executable, "-m", "tests.bench.child")


def main() -> int:
    options = _options().parse_args()
    if options.readme is not None:
        write_readme(TOP, json.loads(options.readme.read_text(encoding="utf-8")))
        return 0
    at = datetime.now(UTC)
    chosen = [row for row in rows(quick=options.quick, full=options.full) if re.search(options.only, row.title)]
    progress = Console(stderr=True)
    runs, enough = (options.runs, 1e9) if options.full else (options.runs, ENOUGH_SECONDS)
    with world(options.seed) as measured_world, _child(quick=options.quick) as child:
        about = machine(measured_world.postgres)
        lines = [measured(row, measured_world, runs, enough, progress, child) for row in chosen]
    results = document(lines, about, at, options.seed)
    show(Console(width=None if sys.stdout.isatty() else 160), results)
    path: Path = options.json or RESULTS / f"{at:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    progress.print(f"written to {path}", highlight=False, soft_wrap=True)
    return 1 if any(line.error for line in lines) else 0


@contextmanager
def _child(*, quick: bool) -> Iterator[Sequence[str]]:
    """Where nothing is made of how long it takes, nor of the memory, one process imports what all of them need."""
    if not quick:
        yield CHILD
        return
    with serving() as forking:
        yield (forking.running(str(TOP / "tests" / "bench" / "child.py")),)


def measured(row: Row, where: World, runs: int, enough: float, progress: Console, child: Sequence[str] = CHILD) -> Line:
    """A row that fails says so, and the others go on."""
    progress.print(f"{datetime.now(UTC):%H:%M:%S} {row.title}", highlight=False)
    try:
        return Line(row, measure(row, where, 1 if row.once or (row.long and enough < 1e9) else runs, enough, child))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's
        progress.print(f"failed: {error}", highlight=False, markup=False)
        return Line(row, None, str(error))


def measure(row: Row, where: World, runs: int, enough: float, child: Sequence[str] = CHILD) -> Result:
    """In a process of its own."""
    task = Task(
        kind=row.kind,
        size=row.size,
        place=where.place(row.size, is_filled=row.is_filled, has_sandbox=row.has_sandbox),
        runs=runs,
        enough_seconds=enough,
        baseline_packs=min(row.baseline_packs, row.size.packs),
        latency_ms=row.latency_ms,
        in_flight=row.in_flight,
        hands=IN_FLIGHT,
        processes=row.processes,
        rows=row.rows,
    )
    done = subprocess.run(
        child,
        input=json.dumps(task.as_json()),
        capture_output=True,
        text=True,
        cwd=TOP,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-2000:] or f"the measuring process ended with {done.returncode}")
    return Result.from_json(json.loads(done.stdout))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few small packs, in seconds")
    parser.add_argument("--full", action="store_true", help="all runs of every row, however long they take")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose title this regular expression finds")
    parser.add_argument("--runs", type=int, default=5, help="runs of a row at the most (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated packs (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the results (.cache/bench/TIME.json)")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="write the README's figures from these results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
